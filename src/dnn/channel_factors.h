/* channel_factors.h -- the FACTORS of normalization.h, and the moving statistics. For src/dnn only.
 *
 * Everything in double, rounded once; per channel, not per pixel.
 */
#ifndef TR_CHANNEL_FACTORS_H
#define TR_CHANNEL_FACTORS_H

#include "normalization.h"

/* factors [groups][TR_N_FACTORS][padded] from forward sums. gamma and beta may be NULL: 1 and 0. */
tr_status tr_factors_forward(tr_program *program, const tr_walk *walk, double epsilon,
                             tr_value sums, tr_param *gamma, tr_param *beta, tr_value factors,
                             tr_error *err);

/* back_factors [groups][TR_N_BACK_FACTORS][padded] from backward sums; the forward ones know the
 * number of pixels. */
tr_status tr_factors_backward(tr_program *program, const tr_walk *walk, tr_value sums,
                              tr_value back_sums, tr_value factors, tr_value back_factors,
                              tr_error *err);

/* averages [tr_forward_sums(c)]: mean and variance of each group, times the number of its pixels
 * that lie in this micro-batch, added; and that number first. */
tr_status tr_average_groups(tr_program *program, const tr_walk *walk, tr_value sums,
                            tr_value averages, tr_error *err);

/* statistic = statistic * momentum + measured * (1 - momentum), for mean and biased variance, from
 * the forward sums of one group, or from averages. */
tr_status tr_move_statistics(tr_program *program, double momentum, bool averaged, tr_value sums,
                             tr_param *mean, tr_param *variance, tr_error *err);

#endif
