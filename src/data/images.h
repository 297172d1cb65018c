/* images.h -- an array of an HDF5 file as images: is it what the configuration says? Read it.
 *
 * For a child process only (h5_array.h). `hwc`: height, width, channels.
 */
#ifndef TR_IMAGES_H
#define TR_IMAGES_H

#include "h5_array.h"
#include "trainer/dataset.h"

size_t tr_pixel_bytes(tr_pixel pixel);

tr_status tr_images_check(const tr_h5_file *file, const tr_h5_array *x, const int64_t hwc[3],
                          tr_error *err);

/* Fills samples->x, which has room; floats must be finite. */
tr_status tr_images_read(const tr_samples *samples, const tr_h5_file *file, const tr_h5_array *x,
                         tr_error *err);

#endif
