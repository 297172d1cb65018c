/* reference_tinting.c -- images tinted and erased, by definition; see reference.h. What was cut off
 * is decided in float32, as it is part of what is computed.
 */
#include <math.h>
#include <string.h>

#include "erasing.h"
#include "mem.h"
#include "reference.h"
#include "tinting.h"

/* One image, channel by channel, and the same as the operation has it. */
typedef struct image {
    int64_t c, h, w;
    const double *values; /* [c, h, w] */
} image;

static double value_at(const image *of, int64_t k, int64_t y, int64_t x)
{
    return y < 0 || y >= of->h || x < 0 || x >= of->w ? 0.0
                                                      : of->values[(k * of->h + y) * of->w + x];
}

static double mean_of(const image *of, int64_t k)
{
    double sum = 0.0;
    for (int64_t i = 0; i < of->h * of->w; i++)
        sum += of->values[k * of->h * of->w + i];
    return sum / (double)(of->h * of->w);
}

/* The base of an element; backward what all bases' gradients give to it, or its grey's to its
 * colour. `mean`: of its channel. */
static double based(tr_tint_base base, const image *of, const int64_t at[3], double mean,
                    bool forward)
{
    double sum = 0.0;
    switch (base) {
    case TR_TINT_MEAN:
        return mean;
    case TR_TINT_GREY:
        for (int64_t k = 0; k < 3; k++)
            sum += tr_grey_shares[forward ? k : at[0]] * value_at(of, k, at[1], at[2]);
        return sum;
    case TR_TINT_SMOOTH:
        for (int64_t i = 0; i < 9; i++)
            sum += (i == 4 ? 5.0 : 1.0) / 13.0 *
                   value_at(of, at[0], at[1] + i / 3 - 1, at[2] + i % 3 - 1);
        return sum;
    default:
        return 0.0;
    }
}

static void mask(const tr_tinting *how, tr_tint tint, const image *src, const double *diff,
                 float *room, double *passed)
{
    const int64_t n = src->c * src->h * src->w, pixels = src->h * src->w;
    float *plain = room, *base = room + n;
    for (int64_t i = 0; i < n; i++)
        plain[i % pixels * src->c + i / pixels] = (float)src->values[i];
    tr_tint_base_of(how->base, plain, src->h, src->w, src->c, base);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = i % pixels * src->c + i / pixels;
        passed[i] = tr_tint_passes(how, tint, plain[at], base[at]) ? diff[i] : 0.0;
    }
}

/* One image; diff NULL: forward. */
static void tint_image(const tr_tinting *how, tr_tint tint, const image *of, bool forward,
                       double *to, double *scale)
{
    const double factor = (double)tint.factor, shift = forward ? (double)tint.shift : 0.0;
    const int64_t pixels = of->h * of->w;
    double mean = 0.0;
    for (int64_t i = 0; i < of->c * pixels; i++) {
        const int64_t at[3] = {i / pixels, i / of->w % of->h, i % of->w};
        if (i % pixels == 0)
            mean = mean_of(of, at[0]);
        const double base = based(how->base, of, at, mean, forward);
        to[i] = factor * of->values[i] + (1.0 - factor) * base + shift;
        scale[i] = (1.0 + fabs(factor)) * (fabs(of->values[i]) + fabs(base)) + fabs(shift);
        if (forward)
            to[i] = fmin(fmax(to[i], (double)(float)how->low), (double)(float)how->high);
    }
}

int64_t tr_reference_tint(const tr_tinting *how, const tr_draw *draw, const tr_tensor *src,
                          const tr_tensor *diff_dst, tr_tensor *to)
{
    const int64_t n = src->dims[1] * src->dims[2] * src->dims[3];
    double *passed = tr_alloc((size_t)n, sizeof *passed);
    float *room = tr_alloc((size_t)(2 * n), sizeof *room);
    for (int64_t i = 0; passed != NULL && room != NULL && i < src->dims[0]; i++) {
        const bool padding = i >= draw->n;
        float chances[TR_N_CHANCES];
        image of = {src->dims[1], src->dims[2], src->dims[3], src->values + i * n};
        memset(to->values + i * n, 0, (size_t)n * sizeof(double));
        memset(to->scale + i * n, 0, (size_t)n * sizeof(double));
        if (padding)
            continue;
        tr_chances_of(draw, how->layer, i, chances);
        const tr_tint tint = how->tint(how->settings, chances);
        if (diff_dst != NULL) {
            mask(how, tint, &of, diff_dst->values + i * n, room, passed);
            of.values = passed;
        }
        tint_image(how, tint, &of, diff_dst == NULL, to->values + i * n, to->scale + i * n);
    }
    tr_free(passed);
    tr_free(room);
    return 64; /* bases are added in double and rounded once */
}

int64_t tr_reference_erase(const tr_erasing *how, bool forward, const tr_draw *draw,
                           const tr_tensor *from, tr_tensor *to)
{
    const int64_t c = from->dims[1], h = from->dims[2], w = from->dims[3];
    for (int64_t i = 0; i < tr_tensor_elements(to); i++) {
        const int64_t n = i / (c * h * w), y = i / w % h, x = i % w, k = i / (h * w) % c;
        float fill = 0.0f;
        tr_rectangle hole = {0};
        if (n < draw->n)
            hole = tr_erasing_rectangle(how, draw, n);
        if (forward && tr_rectangle_has(&hole, y, x))
            tr_erasing_fill(how, draw, n, (y * w + x) * c + k, 1, c, &fill);
        to->values[i] = tr_rectangle_has(&hole, y, x) ? (double)fill : from->values[i];
        to->scale[i] = 0.0;
    }
    return 1;
}
