/* depthwise_weights.c -- convolution with a group for each channel, backward weights and bias.
 *
 * Pixels of diff_dst are summed in the parts of tr_direct_largest(), as in convolution_weights.c.
 * diff_kernel[kh,kw,c] = ((0 + sum of part 0) + sum of part 1) ..., where the sum of a part is the
 * chain: 0; then, image by image, row by row, column by column:
 * sum = fma(src[n,ih,iw,c / m], diff_dst[n,oh,ow,c], sum). What lies outside of src is 0 and
 * counts. diff_bias is that of convolution_weights.c.
 *
 * A block is some taps of one vector of channels, whose sums stay in registers over a part: a 3 x 3
 * window's all, else neighbours in a row of the kernel.
 */
#include "depthwise.h"
#include "direct.h"

enum { PIXELS = 128, MAX_TAPS = 9, MOST_IN_A_ROW = 7 };

/* What a block reads and adds to: from tap (row, column) of the kernel on. */
typedef struct places {
    const tr_window_sizes *s;
    const tr_direct_part *part;
    const float *src, *diff;
    int64_t row, column;
    float *sum;
} places;

/* ---- a block ---- */

/* A pixel of diff: `at` is what it sees through the first tap, which lies at (h, w) of the source.
 */
TR_INLINE void add_pixel(const bool inside, const int rows, const int columns, const bool full,
                         const tr_window_sizes *s, int64_t h, int64_t w, const float *at,
                         const float *diff, int64_t last, vec sum[MAX_TAPS])
{
    const int64_t pitch = s->oc, row_pitch = (s->dh + 1) * s->iw * pitch,
                  column_pitch = (s->dw + 1) * pitch;
    const vec d = full ? v_load(diff) : v_load_n(diff, last);
    TR_UNROLL
    for (int k = 0; k < rows * columns; k++) {
        const int64_t y = h + k / columns * (s->dh + 1), x = w + k % columns * (s->dw + 1);
        vec number = v_set(0.0f);
        if (inside || (y >= 0 && y < s->ih && x >= 0 && x < s->iw)) {
            const float *from = at + k / columns * row_pitch + k % columns * column_pitch;
            number = full ? v_load(from) : v_load_n(from, last);
        }
        sum[k] = v_fma(number, d, sum[k]);
    }
}

static int64_t clamp(int64_t at, int64_t low, int64_t high)
{
    return at < low ? low : at > high ? high : at;
}

TR_INLINE void block(const int rows, const int columns, const bool full, const places *p,
                     int64_t last)
{
    const tr_window_sizes *s = p->s;
    const tr_direct_part *part = p->part;
    const tr_columns all = tr_columns_within(s->iw, s->ow, columns, s->sw, s->dw + 1,
                                             s->left - p->column * (s->dw + 1));
    vec sum[MAX_TAPS];
    TR_UNROLL
    for (int k = 0; k < rows * columns; k++)
        sum[k] = v_set(0.0f);
    for (int64_t n = part->image; n < part->image + part->images; n++)
        for (int64_t oh = part->row; oh < part->row + part->rows; oh++) {
            const int64_t h = oh * s->sh - s->top + p->row * (s->dh + 1);
            const bool there = h >= 0 && h + (rows - 1) * (s->dh + 1) < s->ih;
            const int64_t w = p->column * (s->dw + 1) - s->left, end = part->column + part->columns;
            const int64_t inside = there ? clamp(all.first, part->column, end) : end,
                          behind = there ? clamp(all.end, inside, end) : end;
            const float *at = p->src + ((n * s->ih + h) * s->iw + w) * s->oc;
            const float *diff = p->diff + (n * s->oh + oh) * s->ow * s->oc;
            for (int64_t i = part->column; i < inside; i++)
                add_pixel(false, rows, columns, full, s, h, w + i * s->sw, at + i * s->sw * s->oc,
                          diff + i * s->oc, last, sum);
            for (int64_t i = inside; i < behind; i++)
                add_pixel(true, rows, columns, full, s, h, w + i * s->sw, at + i * s->sw * s->oc,
                          diff + i * s->oc, last, sum);
            for (int64_t i = behind; i < end; i++)
                add_pixel(false, rows, columns, full, s, h, w + i * s->sw, at + i * s->sw * s->oc,
                          diff + i * s->oc, last, sum);
        }
    const bool first = part->image + part->row + part->column == 0;
    TR_UNROLL
    for (int k = 0; k < rows * columns; k++) {
        float *to = p->sum + (k / columns * s->kw + k % columns) * s->oc;
        const vec others = first ? v_set(0.0f) : v_load_n(to, last);
        v_store_n(to, v_add(others, sum[k]), last);
    }
}

/* ---- all of them ---- */

typedef void block_function(const places *p, int64_t last);

#define BLOCK(rows, columns, full)                                                                 \
    static void block_##rows##_##columns##_##full(const places *p, int64_t last)                   \
    {                                                                                              \
        block(rows, columns, full, p, last);                                                       \
    }
#define NAME(rows, columns, full) block_##rows##_##columns##_##full,
#define IN_A_ROW(DO, full)                                                                         \
    DO(1, 1, full)                                                                                 \
    DO(1, 2, full)                                                                                 \
    DO(1, 3, full) DO(1, 4, full) DO(1, 5, full) DO(1, 6, full) DO(1, 7, full)

IN_A_ROW(BLOCK, 0)
IN_A_ROW(BLOCK, 1)
BLOCK(3, 3, 0)
BLOCK(3, 3, 1)
static block_function *const of_a_row[2][MOST_IN_A_ROW] = {{IN_A_ROW(NAME, 0)},
                                                           {IN_A_ROW(NAME, 1)}};
static block_function *const of_three_rows[2] = {NAME(3, 3, 0) NAME(3, 3, 1)};

/* Adds the sums over a part, of one vector of channels. */
static void add_taps(places *p, float *diff_kernel, int64_t last)
{
    const tr_window_sizes *s = p->s;
    const int64_t n = (s->kw + MOST_IN_A_ROW - 1) / MOST_IN_A_ROW;
    if (s->kh == 3 && s->kw == 3) {
        p->sum = diff_kernel;
        of_three_rows[last == VL](p, last);
        return;
    }
    for (p->row = 0; p->row < s->kh; p->row++) {
        p->column = 0;
        for (int64_t i = 0; i < n; i++) {
            const int64_t taps = s->kw / n + (i < s->kw % n);
            p->sum = diff_kernel + (p->row * s->kw + p->column) * s->oc;
            of_a_row[last == VL][taps - 1](p, last);
            p->column += taps;
        }
    }
}

/* ---- results ---- */

size_t TR_OF_SET(tr_depthwise_weights_scratch)(const tr_window_sizes *s)
{
    return s->oc == s->ic ? 0 : (size_t)(s->n * s->ih * s->iw * s->oc) * sizeof(float);
}

void TR_OF_SET(tr_depthwise_weights)(const tr_window_sizes *s, const float *src,
                                     const float *diff_dst, float *diff_kernel, float *diff_bias,
                                     void *scratch)
{
    const tr_direct_part largest = tr_direct_largest(s->n, s->oh, s->ow, PIXELS);
    if (s->oc > s->ic) {
        tr_depthwise_repeat(src, s->n * s->ih * s->iw * s->ic, s->oc / s->ic, scratch);
        src = scratch;
    }
    if (diff_bias != NULL)
        memset(diff_bias, 0, (size_t)s->oc * sizeof *diff_bias);
    for (tr_direct_part part = largest; part.image < s->n;
         part = tr_direct_next(part, largest, s->n, s->oh, s->ow)) {
        for (int64_t channel = 0; channel < s->oc; channel += VL) {
            const int64_t left = s->oc - channel;
            places p = {.s = s, .part = &part, .src = src + channel, .diff = diff_dst + channel};
            add_taps(&p, diff_kernel + channel, left < VL ? left : VL);
        }
        if (diff_bias != NULL)
            TR_OF_SET(tr_direct_add_bias)(s, &part, diff_dst, diff_bias);
    }
}
