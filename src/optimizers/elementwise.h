/* elementwise.h -- what every optimizer shares around its update, on ranges of flat vectors.
 *
 * The operations and their order are Keras's. All of it is elementwise, so that a split into ranges
 * cannot change a bit, except the sum of squares, whose order of additions is fixed by n alone.
 */
#ifndef TR_ELEMENTWISE_H
#define TR_ELEMENTWISE_H

#include <stddef.h>

/* ---- gradient accumulation ---- */

void tr_accumulate(float *accumulator, const float *gradients, size_t n);
/* gradients = (gradients + accumulator) / steps; accumulator = 0. */
void tr_take_mean(float *gradients, float *accumulator, float steps, size_t n);

/* ---- clipping ---- */

void tr_clip_values(float *gradients, float limit, size_t n);
/* gradients = gradients * factor / divisor. */
void tr_rescale(float *gradients, float factor, float divisor, size_t n);
/* In double: in eight interleaved parts, which are then added in pairs. */
double tr_sum_of_squares(const float *values, size_t n);

/* ---- weights ---- */

/* w -= w * weight_decay * learning_rate. */
void tr_decay_weights(float *weights, float weight_decay, float learning_rate, size_t n);
/* average = momentum * average + (1 - momentum) * weights. */
void tr_average(float *average, const float *weights, float momentum, size_t n);

#endif
