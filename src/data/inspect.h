/* inspect.h -- what is in an HDF5 file: its datasets, the range of their values, its attributes.
 *
 * For a person's eyes (`trainer inspect`): nothing has to be as a run wants it, so whatever is
 * there is told, and what is wrong with a dataset is told beside it. Everything is read in a child
 * process (base/child.h), large arrays in slabs of a few megabytes.
 */
#ifndef TR_INSPECT_H
#define TR_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "h5_array.h"
#include "trainer/status.h"

enum {
    TR_INSPECT_ITEMS = 4096,      /* datasets listed at most; of more the number is told */
    TR_INSPECT_ATTRIBUTES = 256,  /* likewise */
    TR_INSPECT_CLASSES = 1000,    /* distinct values of what still counts as labels */
    TR_INSPECT_CLASS_POOL = 65536 /* of all datasets together */
};

typedef struct tr_inspect_class {
    int64_t value, n;
} tr_inspect_class;

typedef struct tr_inspect_item {
    char path[256];   /* without the leading "/" */
    char type[32];    /* "uint8" */
    char packing[96]; /* "gzip 6, chunks [32, 28, 28]"; "" for a plain array */
    int rank;         /* 0: one number */
    int64_t dims[TR_H5_RANK];
    int64_t n;       /* elements; 0 also where there is nothing to read */
    bool has_number; /* integers or floats of a sound type */
    bool is_float, has_range;
    int64_t min, max;               /* of integers; beyond int64 its ends, as HDF5 clips */
    double low, high, mean;         /* of the finite floats */
    int64_t n_nan, n_infinite;      /* of floats */
    int64_t first_class, n_classes; /* in classes[], sorted by value; 0: no labels */
    char digest[33];                /* tr_inspect_digests(): of the values; "" else */
    char fault[TR_H5_TEXT];         /* why the values could not be read, or "" */
} tr_inspect_item;

typedef struct tr_inspect_attribute {
    char group[16]; /* "" is the root, or "trainer" */
    char name[64];
    char value[160];
} tr_inspect_attribute;

typedef struct tr_inspection {
    int64_t n_items, n_unlisted;
    int64_t n_attributes;
    int64_t n_classes;                       /* of the pool in use */
    bool is_checkpoint;                      /* there is a group model_weights */
    tr_inspect_item items[TR_INSPECT_ITEMS]; /* sorted by name within each group */
    tr_inspect_attribute attributes[TR_INSPECT_ATTRIBUTES];
    tr_inspect_class classes[TR_INSPECT_CLASS_POOL];
} tr_inspection;

/* Free with tr_inspection_free(). Links are told, and followed where the policy
 * lets values lie in other files. On failure
 * (TR_ERR_DATA: no HDF5 file, damaged, a dataset whose values cannot be read; the text names file
 * and dataset) *out holds what was found until then, or NULL where nothing was. */
tr_status tr_inspect(tr_inspection **out, const char *path, tr_h5_policy policy, tr_error *err);
void tr_inspection_free(tr_inspection *inspection);

/* Adds the digest (base/digest.h) of every numeric dataset: of its elements in row-major order,
 * with the type and byte order that they have in the file, however they are chunked and packed. */
tr_status tr_inspect_digests(tr_inspection *found, const char *path, tr_h5_policy policy,
                             tr_error *err);

/* ---- the parts, called in the child ---- */

/* Fills range, mean and classes of the item from the open array; false: item->fault says why. */
bool tr_inspect_values(tr_inspect_item *item, tr_inspection *inspection, const tr_h5_array *array);

/* The attributes of a group that are numbers or short strings; of others what they are. */
void tr_inspect_attributes(tr_inspection *inspection, hid_t file, const char *group);

#endif
