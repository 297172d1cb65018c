/* param.h -- the tensors of a network that a run learns and their place in the flat vectors.
 *
 * Parameters, gradients and optimizer slots are flat vectors of the same length; a tr_param is a
 * view into any of them. Inside those vectors a tensor lies in its `packed` layout, the one that
 * oneDNN's kernels of this network and instruction set prefer, so that no reorder stands between a
 * gradient, its sum, the update and the next forward pass. The update is elementwise, so the
 * arrangement cannot change a value; padding elements are zero and stay zero. Everything outside
 * (initial values, checkpoints, digests) sees the `plain` Keras layout.
 */
#ifndef TR_PARAM_H
#define TR_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dnn.h"

typedef enum tr_init { TR_INIT_ZEROS, TR_INIT_ONES, TR_INIT_GLOROT_UNIFORM } tr_init;

typedef struct tr_param {
    const char *layer; /* name of its layer; borrowed */
    const char *name;  /* Keras's weight name: kernel, bias, ... */
    int n_dims;
    int64_t dims[4]; /* Keras's shape, e.g. (kh, kw, in, out) */
    tr_init init;
    int64_t fan_in, fan_out; /* for the initializer */
    bool statistic;          /* measured, not trained: Keras's non-trainable weights */

    /* Filled in when the first program is planned. */
    tr_layout plain, packed;
    size_t offset;   /* first element in the flat vectors; a multiple of 16 */
    size_t n_packed; /* elements there, padding included */
} tr_param;

/* Number of elements in Keras's shape. */
int64_t tr_param_elements(const tr_param *param);

#endif
