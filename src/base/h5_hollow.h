/* h5_hollow.h -- datasets of a new HDF5 file whose values are written piece by piece, by us.
 *
 * A file in memory (h5_write.h) cannot hold an array that is larger than the memory. Such an array
 * is declared there without values, they are written to the file at a place that the caller
 * chooses, behind the image; in the end the image is told where they lie. What a reader finds is an
 * ordinary contiguous dataset.
 */
#ifndef TR_H5_HOLLOW_H
#define TR_H5_HOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "h5.h"
#include "trainer/status.h"

typedef struct tr_h5_hollow {
    const char *name;
    int n_dims;
    int64_t dims[4];
    bool is_float;   /* float32; else uint8 */
    int64_t offset;  /* in the file, of its first value; a multiple of 8 */
    uint64_t header; /* told by tr_h5_write_hollow() */
} tr_h5_hollow;

int64_t tr_h5_hollow_bytes(const tr_h5_hollow *array);

/* Declares it in the file in memory; groups of its name are made. */
tr_status tr_h5_write_hollow(hid_t file, tr_h5_hollow *array, tr_error *err);

/* Tells the finished image [n] where the arrays lie, in a file of that many bytes. */
tr_status tr_h5_place_hollow(void *image, size_t n, const tr_h5_hollow *arrays, int n_arrays,
                             int64_t file_bytes, tr_error *err);

#endif
