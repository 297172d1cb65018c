/* elementwise.c -- the loops of elementwise.h. */
#include "elementwise.h"

#include "simd.h"

TR_SIMD_CLONES
void tr_accumulate(float *restrict accumulator, const float *restrict gradients, size_t n)
{
    for (size_t i = 0; i < n; i++)
        accumulator[i] += gradients[i];
}

TR_SIMD_CLONES
void tr_take_mean(float *restrict gradients, float *restrict accumulator, float steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        gradients[i] = (gradients[i] + accumulator[i]) / steps;
        accumulator[i] = 0.0f;
    }
}

/* What is not a number stays so: it must be seen, not clipped. */
TR_SIMD_CLONES
void tr_clip_values(float *gradients, float limit, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float g = gradients[i] > limit ? limit : gradients[i];
        gradients[i] = g < -limit ? -limit : g;
    }
}

TR_SIMD_CLONES
void tr_rescale(float *gradients, float factor, float divisor, size_t n)
{
    for (size_t i = 0; i < n; i++)
        gradients[i] = gradients[i] * factor / divisor;
}

TR_SIMD_CLONES
double tr_sum_of_squares(const float *values, size_t n)
{
    enum { PARTS = 8 };
    double sum[PARTS] = {0};
    size_t i = 0;
    for (; i + PARTS <= n; i += PARTS)
        for (size_t k = 0; k < PARTS; k++)
            sum[k] += (double)values[i + k] * (double)values[i + k];
    for (size_t k = 0; i < n; i++, k++)
        sum[k] += (double)values[i] * (double)values[i];
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

TR_SIMD_CLONES
void tr_decay_weights(float *weights, float weight_decay, float learning_rate, size_t n)
{
    for (size_t i = 0; i < n; i++)
        weights[i] -= weights[i] * weight_decay * learning_rate;
}

TR_SIMD_CLONES
void tr_average(float *restrict average, const float *restrict weights, float momentum, size_t n)
{
    const float rest = 1.0f - momentum;
    for (size_t i = 0; i < n; i++)
        average[i] = momentum * average[i] + rest * weights[i];
}
