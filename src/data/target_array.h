/* target_array.h -- an array of an HDF5 file as targets: class numbers, or values.
 *
 * For a child process only (h5_array.h). The values themselves are checked once, here, and the
 * training loop may trust them.
 */
#ifndef TR_TARGET_ARRAY_H
#define TR_TARGET_ARRAY_H

#include "h5_array.h"
#include "trainer/dataset.h"

/* Which form the array `y` has, given those that are wanted (tr_target bits); whether its shape
 * fits the images `x`. *width: numbers per sample. */
tr_status tr_targets_check(const tr_h5_file *file, const tr_h5_array *y, const tr_h5_array *x,
                           unsigned wanted, tr_target *form, int64_t *width, tr_error *err);

/* Memory for one element while it is read. */
size_t tr_targets_item_bytes(tr_target form);

/* Fills samples->y or samples->values, which has room. Of strings the legend says which class each
 * names. */
tr_status tr_targets_read(const tr_samples *samples, const tr_h5_file *file, const tr_h5_array *y,
                          const tr_legend *legend, tr_error *err);

#endif
