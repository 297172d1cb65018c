/* h5_outside.h -- values that lie in other files, where the user allowed it.
 *
 * HDF5 would fill with zeros what a missing or short file cannot give, and opens whatever is named.
 * So other files are opened here: plain files only, named relative to the folder of the file that
 * names them; each piece must be there and all pieces together must cover the array.
 */
#ifndef TR_H5_OUTSIDE_H
#define TR_H5_OUTSIDE_H

#include "h5_array.h"

/* "folder of `beside`/name", or `name` where it is absolute; false: too long. */
bool tr_h5_beside(char path[TR_H5_PATH], const char *beside, const char *name);

/* All values of a virtual array, or of one in external storage, converted, into dst[n_elements].
 * NULL, or what is wrong, in text[n] or a literal. */
const char *tr_h5_outside_read(void *dst, const tr_h5_array *array, hid_t memory_type, char *text,
                               size_t n);

#endif
