/* channel_sums.h -- the SUMS of normalization.h. For src/dnn only.
 *
 * Of groups of samples, over those that are no padding; a group without any has zeros.
 */
#ifndef TR_CHANNEL_SUMS_H
#define TR_CHANNEL_SUMS_H

#include "normalization.h"

/* sums [groups][tr_forward_sums(c)] of src. */
tr_status tr_sum_forward(tr_program *program, const tr_walk *walk, tr_value src, tr_value sums,
                         tr_error *err);

/* sums [groups][tr_backward_sums(c)] of diff_dst; and all groups together in the gradients of gamma
 * and beta, where there are such that are trained. */
tr_status tr_sum_backward(tr_program *program, const tr_walk *walk, tr_activation f, tr_value src,
                          tr_value factors, tr_value diff_dst, tr_value sums, const tr_param *gamma,
                          const tr_param *beta, tr_error *err);

#endif
