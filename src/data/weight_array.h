/* weight_array.h -- an array of an HDF5 file as sample weights: how often a sample counts.
 *
 * For a child process only (h5_array.h).
 */
#ifndef TR_WEIGHT_ARRAY_H
#define TR_WEIGHT_ARRAY_H

#include "h5_array.h"
#include "trainer/dataset.h"

/* Whether the shape of the array `w` fits the images `x`: [n] or [n, 1]. */
tr_status tr_weights_check(const tr_h5_file *file, const tr_h5_array *w, const tr_h5_array *x,
                           tr_error *err);

/* Fills samples->weights, which has room; finite numbers only. */
tr_status tr_weights_read(const tr_samples *samples, const tr_h5_file *file, const tr_h5_array *w,
                          tr_error *err);

#endif
