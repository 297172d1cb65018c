/* h5_path.h -- where a path inside an HDF5 file leads, found without following anything out of it.
 *
 * HDF5 follows external links by itself, silently, at any component of a path. So every component
 * is looked at first; soft links are replaced by what they stand for, and what is left is a path
 * of hard links alone, which HDF5 cannot leave the file on.
 */
#ifndef TR_H5_PATH_H
#define TR_H5_PATH_H

#include "h5_file.h"

typedef enum tr_h5_way {
    TR_H5_WAY_INSIDE,  /* `resolved` has hard links only; the object may still be damaged */
    TR_H5_WAY_NOWHERE, /* a component is not there */
    TR_H5_WAY_OUTSIDE, /* a component is an external link */
    TR_H5_WAY_UNKNOWN  /* HDF5 cannot tell: damaged; or links in a circle */
} tr_h5_way;

/* Where an external link leads: what the file is called there, and the whole path of the object. */
typedef struct tr_h5_target {
    char file[TR_H5_PATH], object[TR_H5_PATH];
} tr_h5_target;

/* All but TR_H5_WAY_INSIDE also fill in `err`. "" and "/" are the root group. Of
 * TR_H5_WAY_OUTSIDE, *target tells the way on; NULL: not wanted. */
tr_h5_way tr_h5_path_resolve(const tr_h5_file *file, const char *path, char resolved[TR_H5_PATH],
                             tr_h5_target *target, tr_error *err);

/* What to do about a path, or values, that lead out of the file. */
const char *tr_h5_advice(tr_h5_policy policy);

#endif
