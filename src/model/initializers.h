/* initializers.h -- the values of a weight before the training. */
#ifndef TR_INITIALIZERS_H
#define TR_INITIALIZERS_H

#include "layer.h"

/* By the initializer of `param`, in Keras's layout; `values` is zero beforehand. `number`: of the
 * weight in its model. */
tr_status tr_initialize(const tr_param *param, uint64_t seed, uint32_t number, float *values,
                        tr_error *err);

#endif
