/* test_max_pooling.c -- our max pooling against its definition, over odd shapes, on every
 * instruction set; what a NaN does.
 */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_sets.h"

/* n; image; channels; windows; kernel; strides; padding above and left of the image;
 * what only convolutions have */
static const tr_window_sizes cases[] = {
    {2, 8, 6, 8, 4, 3, 8, 2, 2, 2, 2, 0, 0, 0, 0, 0},   /* side by side */
    {3, 7, 9, 5, 3, 4, 5, 2, 2, 2, 2, 0, 0, 0, 0, 0},   /* what is left over behind, odd channels */
    {1, 2, 2, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0, 0},   /* the least */
    {2, 7, 5, 3, 4, 3, 3, 2, 2, 2, 2, 0, 0, 0, 0, 0},   /* "same": sticks out behind */
    {1, 5, 5, 17, 4, 4, 17, 2, 2, 1, 1, 0, 0, 0, 0, 0}, /* 2 x 2, overlapping */
    {2, 9, 8, 16, 4, 4, 16, 3, 3, 2, 2, 0, 1, 0, 0,
     0}, /* overlapping, padding on all sides but one */
    {2, 6, 7, 13, 6, 7, 13, 3, 3, 1, 1, 1, 1, 0, 0, 0}, /* stride 1 */
    {1, 1, 1, 7, 1, 1, 7, 1, 1, 1, 1, 0, 0, 0, 0, 0},   /* nothing to choose from */
    {1, 4, 5, 33, 2, 2, 33, 1, 2, 3, 4, 0, 0, 0, 0, 0}, /* stride over kernel: seen by no window */
    {2, 3, 2, 9, 2, 1, 9, 4, 5, 2, 3, 1, 2, 0, 0, 0},   /* kernel larger than the image */
    {1, 10, 11, 2, 4, 2, 2, 1, 4, 3, 5, 1, 1, 0, 0, 0}, /* windows on padding alone */
    {1, 20, 21, 3, 2, 3, 3, 16, 16, 4, 3, 0, 2, 0, 0, 0},   /* 256 places: a byte is just enough */
    {1, 21, 20, 11, 3, 2, 11, 17, 19, 2, 3, 1, 1, 0, 0, 0}, /* more */
    {8, 14, 14, 64, 7, 7, 64, 2, 2, 2, 2, 0, 0, 0, 0, 0},
};
enum { N_CASES = sizeof cases / sizeof *cases };

static int64_t src_count(const tr_window_sizes *s)
{
    return s->n * s->ih * s->iw * s->ic;
}

static int64_t dst_count(const tr_window_sizes *s)
{
    return s->n * s->oh * s->ow * s->ic;
}

/* Where in src the window's place is; -1: in the padding. */
static int64_t position(const tr_window_sizes *s, int64_t window, int64_t place)
{
    const int64_t c = window % s->ic, x = window / s->ic % s->ow;
    const int64_t y = window / s->ic / s->ow % s->oh, image = window / s->ic / s->ow / s->oh;
    const int64_t h = y * s->sh - s->top + place / s->kw, w = x * s->sw - s->left + place % s->kw;
    if (h < 0 || h >= s->ih || w < 0 || w >= s->iw)
        return -1;
    return ((image * s->ih + h) * s->iw + w) * s->ic + c;
}

/* By definition, a window after the other: which also is the order of backward's sums. */
static void define(const tr_window_sizes *s, const float *src, const float *diff_dst, float *dst,
                   float *diff_src)
{
    for (int64_t i = 0; i < src_count(s); i++)
        diff_src[i] = 0.0f;
    for (int64_t window = 0; window < dst_count(s); window++) {
        int64_t winner = -1;
        for (int64_t place = 0; place < s->kh * s->kw; place++) {
            const int64_t at = position(s, window, place);
            if (at >= 0 && (winner < 0 || src[at] > src[winner]))
                winner = at;
        }
        dst[window] = winner < 0 ? -FLT_MAX : src[winner];
        if (winner >= 0)
            diff_src[winner] += diff_dst[window];
    }
}

/* Numbers of which many are equal. */
static float *new_coarse(int64_t count, uint64_t seed)
{
    float *values = new_floats(count, seed);
    for (int64_t i = 0; i < count; i++)
        values[i] = roundf(4.0f * values[i]);
    return values;
}

static bool equal(const float *a, const float *b, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!(a[i] == b[i])) /* of -0 and 0, any */
            return false;
    return true;
}

static void check(const tr_window_sizes *s, const tr_kernels *kernels, const float *src,
                  const float *diff_dst, const float *want, const float *want_diff)
{
    void *winners = malloc(kernels->max_pool->winners(s)); /* to the byte, for AddressSanitizer */
    float *dst = new_floats(dst_count(s), 0), *diff_src = new_floats(src_count(s), 0);
    kernels->max_pool->forward(s, src, dst, NULL);
    cr_assert(equal(dst, want, dst_count(s)), "%s, %lld x %lld", kernels->name, (long long)s->kh,
              (long long)s->kw);
    memset(dst, 0xff, (size_t)dst_count(s) * sizeof *dst);
    memset(winners, 0xee, kernels->max_pool->winners(s));
    kernels->max_pool->forward(s, src, dst, winners);
    cr_assert(equal(dst, want, dst_count(s)), "%s, %lld x %lld, with winners", kernels->name,
              (long long)s->kh, (long long)s->kw);
    kernels->max_pool->backward(s, diff_dst, winners, diff_src);
    cr_assert(equal(diff_src, want_diff, src_count(s)), "%s, %lld x %lld, backward", kernels->name,
              (long long)s->kh, (long long)s->kw);
    free(winners);
    free(dst);
    free(diff_src);
}

Test(max_pooling, is_what_it_is_defined_to_be)
{
    for (int i = 0; i < N_CASES; i++)
        for (uint64_t seed = 1; seed <= 2; seed++) {
            const tr_window_sizes *s = &cases[i];
            float *src =
                seed == 1 ? new_coarse(src_count(s), seed) : new_floats(src_count(s), seed);
            float *diff_dst = new_floats(dst_count(s), seed + 7);
            float *dst = new_floats(dst_count(s), 0), *diff_src = new_floats(src_count(s), 0);
            define(s, src, diff_dst, dst, diff_src);
            for (int set = 0; kernel_set(set) != NULL; set++)
                check(s, kernel_set(set), src, diff_dst, dst, diff_src);
            free(src);
            free(diff_dst);
            free(dst);
            free(diff_src);
        }
}

/* As in oneDNN 2.6.3: a NaN is passed over, and the least number is where everything begins. */
Test(max_pooling, passes_over_nan)
{
    const tr_window_sizes s = {1, 2, 8, 3, 1, 4, 3, 2, 2, 2, 2, 0, 0, 0, 0, 0};
    const float windows[4][4] = {{NAN, 1.0f, NAN, 2.0f},
                                 {3.0f, NAN, 1.0f, INFINITY},
                                 {NAN, NAN, NAN, NAN},
                                 {-INFINITY, -INFINITY, -INFINITY, -INFINITY}};
    const float want[4] = {2.0f, INFINITY, -FLT_MAX, -FLT_MAX};
    const int winner[4] = {3, 3, 0, 0};
    float src[2][8][3], dst[4][3], diff_dst[4][3], diff_src[2][8][3];
    for (int x = 0; x < 4; x++)
        for (int c = 0; c < 3; c++) {
            for (int place = 0; place < 4; place++)
                src[place / 2][2 * x + place % 2][c] = windows[x][place];
            diff_dst[x][c] = x == 1 ? NAN : 1.0f;
        }
    for (int set = 0; kernel_set(set) != NULL; set++) {
        uint8_t winners[64];
        kernel_set(set)->max_pool->forward(&s, &src[0][0][0], &dst[0][0], winners);
        kernel_set(set)->max_pool->backward(&s, &diff_dst[0][0], winners, &diff_src[0][0][0]);
        for (int x = 0; x < 4; x++)
            for (int place = 0; place < 4; place++) {
                const float diff = diff_src[place / 2][2 * x + place % 2][1];
                cr_assert(dst[x][1] == want[x]);
                cr_assert(place == winner[x] ? diff == 1.0f || (x == 1 && isnan(diff))
                                             : diff == 0.0f);
            }
    }
}
