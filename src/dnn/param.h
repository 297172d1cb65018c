/* param.h -- the tensors of a network that a run learns and their place in the flat vectors.
 *
 * Parameters, gradients and optimizer slots are flat vectors of the same length; a tr_param is a
 * view into any of them. Inside those vectors a tensor lies in its `packed` layout, the one that
 * oneDNN's kernels of this network and instruction set prefer, so that no reorder stands between a
 * gradient, its sum, the update and the next forward pass. The update is elementwise, so the
 * arrangement cannot change a value; padding elements are zero and stay zero. Everything outside
 * (initial values, checkpoints, digests) sees the `plain` Keras layout.
 *
 * The parameter vector is trained | frozen | statistics. Gradients, optimizer slots and all that an
 * update does (decay, norms, averages) end where the trained ones end.
 */
#ifndef TR_PARAM_H
#define TR_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dnn.h"
#include "section.h"

/* What a layer's section says of a weight: rows of the tables of layers/weight_keys.h. */
typedef struct tr_weight_rules {
    tr_call initializer, regularizer, constraint;
} tr_weight_rules;

typedef enum tr_range {
    TR_TRAINED,
    TR_FROZEN,     /* of a layer with trainable = false */
    TR_STATISTICS, /* measured in training, not trained */
    TR_N_RANGES
} tr_range;

/* Lengths of the ranges, in floats. */
typedef struct tr_extents {
    size_t n[TR_N_RANGES];
} tr_extents;

typedef struct tr_param {
    const char *layer; /* name of its layer; borrowed */
    const char *name;  /* Keras's weight name: kernel, bias, ... */
    int n_dims;
    int64_t dims[4]; /* Keras's shape, e.g. (kh, kw, in, out) */
    int n_hidden;    /* leading dims of 1 that Keras's shape has not (layers/dense.c) */
    tr_weight_rules rules;
    tr_range range;
    bool counts;     /* a whole number, and stored as one */
    bool depthwise;  /* kernel (kh, kw, channels, results of each) */
    bool transposed; /* kernel (kh, kw, out, in) */

    /* Filled in when the first program is planned. */
    tr_layout plain, packed;
    size_t offset;   /* first element in the flat vectors, a multiple of 16; until all programs are
                      * planned: in its range */
    size_t n_packed; /* elements there, padding included */
} tr_param;

/* Number of elements in Keras's shape. */
int64_t tr_param_elements(const tr_param *param);

#endif
