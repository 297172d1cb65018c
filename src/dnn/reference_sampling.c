/* reference_sampling.c -- images at the places of a map, by definition; see reference.h.
 *
 * Places are float32, as they are part of what is computed; weights and sums are not.
 */
#include <math.h>
#include <string.h>

#include "affine.h"
#include "reference.h"

/* A pixel beyond the rim has a number of its own. */
typedef struct tap {
    int64_t y, x;
    double weight;
} tap;

static int corners(const tr_sampling *how, const tr_affine *map, const int64_t size[2], int64_t y,
                   int64_t x, tap taps[4])
{
    const float column = map->a * (float)x + map->b * (float)y + map->c;
    const float row = map->d * (float)x + map->e * (float)y + map->f;
    const float at[2] = {tr_axis_place(how->fill_mode, row, size[0]),
                         tr_axis_place(how->fill_mode, column, size[1])};
    if (!how->bilinear) {
        taps[0] = (tap){(int64_t)roundf(at[0]), (int64_t)roundf(at[1]), 1.0};
        return 1;
    }
    for (int k = 0; k < 4; k++) {
        const double low[2] = {floor((double)at[0]), floor((double)at[1])};
        const double down = (double)at[0] - low[0], right = (double)at[1] - low[1];
        taps[k] = (tap){(int64_t)low[0] + k / 2, (int64_t)low[1] + k % 2,
                        (k / 2 ? down : 1.0 - down) * (k % 2 ? right : 1.0 - right)};
    }
    return 4;
}

int64_t tr_reference_sample(const tr_sampling *how, bool forward, const tr_draw *draw,
                            const tr_tensor *from, tr_tensor *to)
{
    const tr_tensor *src = forward ? from : to, *dst = forward ? to : from;
    const int64_t h = dst->dims[2], w = dst->dims[3], size[2] = {src->dims[2], src->dims[3]};
    memset(to->values, 0, (size_t)tr_tensor_elements(to) * sizeof(double));
    memset(to->scale, 0, (size_t)tr_tensor_elements(to) * sizeof(double));
    for (int64_t i = 0; i < tr_tensor_elements(dst); i++) {
        const int64_t n = i / (dst->dims[1] * h * w);
        tap taps[4];
        if (how->random && n >= draw->n)
            continue;
        const tr_affine map = tr_sampling_map(how, draw, n);
        const int count = corners(how, &map, size, i / w % h, i % w, taps);
        for (int k = 0; k < count; k++) {
            const bool inside =
                taps[k].y >= 0 && taps[k].y < size[0] && taps[k].x >= 0 && taps[k].x < size[1];
            const int64_t at = (i / (h * w) * size[0] + taps[k].y) * size[1] + taps[k].x;
            if (!inside && !forward)
                continue;
            const double value = inside ? from->values[forward ? at : i] : (float)how->fill_value;
            const double term = taps[k].weight * value;
            to->values[forward ? i : at] += term;
            to->scale[forward ? i : at] += how->bilinear || !forward ? fabs(term) : 0.0;
        }
    }
    return 8;
}
