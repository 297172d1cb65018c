/* h5_values.h -- the values of a dataset, read without trusting the dataset's description. */
#ifndef TR_H5_VALUES_H
#define TR_H5_VALUES_H

#include "h5_read.h"

/* Reads all elements into dst[array->n_elements], converted to `target`. TR_ERR_DATA when the file
 * does not hold what it describes. */
tr_status tr_h5_values_read(void *dst, tr_number_kind target, const tr_h5_file *file,
                            const tr_h5_array *array, tr_error *err);

#endif
