/* affine_taps.c -- which pixels of an axis a line of places lies between, and their weights; see
 * affine.h. One loop for each way to fill and to interpolate, so that each is vectorised.
 */
#include <math.h>

#include "affine.h"
#include "simd.h"

static inline __attribute__((always_inline)) void place_line_in(int mode, bool bilinear,
                                                                const tr_axis *on, float by,
                                                                float other, float shift, int64_t n,
                                                                const tr_taps *to)
{
    int32_t *restrict first = to->first, *restrict second = to->second;
    float *restrict w0 = to->w0, *restrict w1 = to->w1;
    const int32_t origin = on->first, last = on->last, step = on->step;
    for (int64_t i = 0; i < n; i++) {
        const float place = tr_axis_place(mode, by * (float)(int32_t)i + other + shift, on->n);
        const float low = bilinear ? floorf(place) : tr_axis_nearest(place);
        const int32_t pixel = (int32_t)low + origin;
        first[i] = pixel * step;
        second[i] = (pixel < last ? pixel + 1 : last) * step;
        w0[i] = low + 1.0f - place;
        w1[i] = place - low;
    }
}

TR_SIMD_CLONES
void tr_place_line(const tr_sampling *how, const tr_axis *on, float by, float other, float shift,
                   int64_t n, const tr_taps *to)
{
    switch (how->fill_mode * 2 + how->bilinear) {
    case TR_FILL_REFLECT * 2:
        place_line_in(TR_FILL_REFLECT, false, on, by, other, shift, n, to);
        break;
    case TR_FILL_REFLECT * 2 + 1:
        place_line_in(TR_FILL_REFLECT, true, on, by, other, shift, n, to);
        break;
    case TR_FILL_WRAP * 2:
        place_line_in(TR_FILL_WRAP, false, on, by, other, shift, n, to);
        break;
    case TR_FILL_WRAP * 2 + 1:
        place_line_in(TR_FILL_WRAP, true, on, by, other, shift, n, to);
        break;
    case TR_FILL_CONSTANT * 2:
        place_line_in(TR_FILL_CONSTANT, false, on, by, other, shift, n, to);
        break;
    case TR_FILL_CONSTANT * 2 + 1:
        place_line_in(TR_FILL_CONSTANT, true, on, by, other, shift, n, to);
        break;
    case TR_FILL_NEAREST * 2:
        place_line_in(TR_FILL_NEAREST, false, on, by, other, shift, n, to);
        break;
    default:
        place_line_in(TR_FILL_NEAREST, true, on, by, other, shift, n, to);
    }
}
