/* images.h -- an array of an HDF5 file as what the network takes: is it what the configuration
 * says? Read it.
 *
 * For a child process only (h5_array.h).
 */
#ifndef TR_IMAGES_H
#define TR_IMAGES_H

#include "h5_array.h"
#include "trainer/dataset.h"

size_t tr_pixel_bytes(tr_pixel pixel);

/* Height, width and channels of an image, each 1 before the length of a vector. */
typedef struct tr_input_shape {
    int64_t hwc[3];
    bool flat;
} tr_input_shape;

tr_status tr_images_check(const tr_h5_file *file, const tr_h5_array *x, const tr_input_shape *shape,
                          tr_error *err);

/* Fills samples->x, which has room; floats must be finite. */
tr_status tr_images_read(const tr_samples *samples, const tr_h5_file *file, const tr_h5_array *x,
                         tr_error *err);

#endif
