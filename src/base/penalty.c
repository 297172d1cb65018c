/* penalty.c -- see penalty.h. */
#include "penalty.h"

#include <math.h>

#include "simd.h"

/* The sign of 0 is 0: padding stays so. What is not a number has none, and shows by itself. */
TR_SIMD_CLONES
void tr_penalty_add_gradient(tr_penalty penalty, const float *restrict values,
                             float *restrict gradients, size_t n)
{
    const float l1 = penalty.l1, l2 = 2.0f * penalty.l2;
    for (size_t i = 0; i < n; i++) {
        const float sign = (float)(values[i] > 0.0f) - (float)(values[i] < 0.0f);
        gradients[i] += l1 * sign + l2 * values[i];
    }
}

TR_SIMD_CLONES
double tr_penalty_value(tr_penalty penalty, const float *values, size_t n)
{
    enum { PARTS = 8 };
    double sizes[PARTS] = {0}, squares[PARTS] = {0}, size = 0.0, square = 0.0;
    for (size_t i = 0; i < n; i += PARTS)
        for (size_t k = 0; k < PARTS && i + k < n; k++) {
            const double x = (double)values[i + k];
            sizes[k] += fabs(x);
            squares[k] += x * x;
        }
    for (size_t k = 0; k < PARTS; k++) {
        size += sizes[k];
        square += squares[k];
    }
    return (double)penalty.l1 * size + (double)penalty.l2 * square;
}
