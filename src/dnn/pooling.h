/* pooling.h -- poolings in plain C, for pooling.c: averages of large windows, and the maximum of
 * whole images with TensorFlow's gradient. For src/dnn only.
 *
 * `src` and `dst` (or their gradients) are in layouts of the same kind.
 */
#ifndef TR_POOLING_H
#define TR_POOLING_H

#include "pixels.h"

/* The values and their pixels at both ends of a pooling: the large image and the small one. */
typedef struct tr_pool_ends {
    tr_value large, small;
    tr_pixels of_large, of_small;
} tr_pool_ends;

/* averaging.c: small = average over each window of large; large = the gradient of that. */
tr_status tr_average_forward(tr_program *program, const tr_geometry *geometry,
                             const tr_pool_ends *ends, tr_error *err);
tr_status tr_average_backward(tr_program *program, const tr_geometry *geometry,
                              const tr_pool_ends *ends, tr_error *err);

/* global_max.c: small = maximum over the image of large, a NaN where there is one. Backward, with
 * src and dst as they were: diff_src = diff_dst / (number of maxima) at each maximum, else 0. */
tr_status tr_global_max_forward(tr_program *program, const tr_geometry *geometry,
                                const tr_pool_ends *ends, tr_error *err);
tr_status tr_global_max_backward(tr_program *program, const tr_geometry *geometry, tr_value src,
                                 tr_value dst, const tr_pool_ends *diff, tr_error *err);

#endif
