/* affine.h -- an image's map, and where a place beyond its rim lies in it: what affine.c and the
 * plain definition share. For src/dnn only.
 */
#ifndef TR_AFFINE_H
#define TR_AFFINE_H

#include "augmenting.h"

/* The map of sample i. */
tr_affine tr_sampling_map(const tr_sampling *how, const tr_draw *draw, int64_t i);

/* TensorFlow's MapCoordinate along an axis of n pixels, in its order of operations; |at| < 2^30.
 * With a constant beyond the rim -1 and n are as good as all that lies further out. */
static inline __attribute__((always_inline)) float tr_axis_place(int mode, float at, int64_t n)
{
    const float length = (float)n, last = (float)(n - 1), size = at < 0.0f ? -at : at;
    float low = 0.0f, high = last, place = at;
    if (mode == TR_FILL_CONSTANT) {
        low = -1.0f;
        high = length;
    } else if (mode == TR_FILL_REFLECT) {
        const float period = 2.0f * length;
        const float rest = size - period * (float)(int32_t)(size / period);
        const float before = rest > length ? period - rest : rest - 1.0f;
        const float behind = rest >= length ? period - rest - 1.0f : rest;
        place = at < 0.0f ? before : behind;
    } else if (mode == TR_FILL_WRAP) {
        const float turns = n > 1 ? (float)(int32_t)(size / last) : 0.0f;
        place = at < 0.0f ? at + length * (turns + 1.0f) : at > last ? at - length * turns : at;
    }
    place = place < low ? low : place;
    return place > high ? high : place;
}

/* std::round: halves go away from 0. */
static inline __attribute__((always_inline)) float tr_axis_nearest(float place)
{
    const float whole = (float)(int32_t)place, rest = place - whole;
    return rest >= 0.5f ? whole + 1.0f : rest <= -0.5f ? whole - 1.0f : whole;
}

/* An axis of what is sampled: pixels, where the first lies and the last that may be read, and how
 * far apart they are in memory. */
typedef struct tr_axis {
    int64_t n;
    int32_t first, last, step;
} tr_axis;

/* For each pixel of a line of the result. */
typedef struct tr_taps {
    int32_t *first, *second; /* elements of memory */
    float *w0, *w1;
} tr_taps;

/* affine_taps.c: pixels 0 .. n-1 of a line of the result are at by i + other + shift of the axis;
 * in float32, from left to right. Weights of the nearest pixel say nothing. */
void tr_place_line(const tr_sampling *how, const tr_axis *on, float by, float other, float shift,
                   int64_t n, const tr_taps *to);

#endif
