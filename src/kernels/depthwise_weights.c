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

/* What a row of diff sees through the taps of `rows` rows of the kernel, that are all there. */
typedef struct seen {
    const float *src, *diff; /* of column 0 */
    int64_t src_row, src_tap, src_pixel, diff_pixel;
    int64_t width, column, step; /* columns of src; the one that column 0 sees first; tap to tap */
} seen;

/* Columns [first, end), where every tap lies within src. */
TR_INLINE void add_within(const int rows, const int columns, const bool full, const seen *at,
                          int64_t first, int64_t end, int64_t last, vec *sum)
{
    const int64_t src_row = at->src_row, src_tap = at->src_tap, src_pixel = at->src_pixel,
                  diff_pixel = at->diff_pixel;
    const float *src = at->src + first * src_pixel, *diff = at->diff + first * diff_pixel;
    for (int64_t i = first; i < end; i++, src += src_pixel, diff += diff_pixel) {
        const vec d = full ? v_load(diff) : v_load_n(diff, last);
        TR_UNROLL
        for (int k = 0; k < rows * columns; k++) {
            const float *x = src + k / columns * src_row + k % columns * src_tap;
            sum[k] = v_fma(full ? v_load(x) : v_load_n(x, last), d, sum[k]);
        }
    }
}

/* Columns where some do not. */
TR_INLINE void add_beside(const int rows, const int columns, const bool full, const seen *at,
                          int64_t first, int64_t end, int64_t last, vec *sum)
{
    for (int64_t i = first; i < end; i++) {
        const float *src = at->src + i * at->src_pixel, *diff = at->diff + i * at->diff_pixel;
        const int64_t column = at->column + i * (at->src_pixel / at->diff_pixel);
        const vec d = full ? v_load(diff) : v_load_n(diff, last);
        TR_UNROLL
        for (int k = 0; k < columns; k++) {
            const int64_t x = column + k * at->step;
            if (x < 0 || x >= at->width)
                continue;
            TR_UNROLL
            for (int r = 0; r < rows; r++) {
                const float *from = src + r * at->src_row + k * at->src_tap;
                const vec number = full ? v_load(from) : v_load_n(from, last);
                sum[r * columns + k] = v_fma(number, d, sum[r * columns + k]);
            }
        }
    }
}

TR_INLINE void add_row(const int rows, const int columns, const bool full, const seen *at,
                       tr_columns within, const tr_direct_part *part, int64_t last, vec *sum)
{
    const int64_t begin = part->column, end = begin + part->columns;
    int64_t first = within.first > begin ? within.first : begin;
    first = first < end ? first : end;
    int64_t behind = within.end < end ? within.end : end;
    behind = behind > first ? behind : first;
    add_beside(rows, columns, full, at, begin, first, last, sum);
    add_within(rows, columns, full, at, first, behind, last, sum);
    add_beside(rows, columns, full, at, behind, end, last, sum);
}

TR_INLINE void block(const int rows, const int columns, const bool full, const places *p,
                     int64_t last)
{
    const tr_window_sizes *s = p->s;
    const tr_direct_part *part = p->part;
    const int64_t row_step = s->dh + 1, step = s->dw + 1;
    const tr_columns within =
        tr_columns_within(s->iw, s->ow, columns, s->sw, step, s->left - p->column * step);
    seen at = {.src_row = row_step * s->iw * s->oc,
               .src_tap = step * s->oc,
               .src_pixel = s->sw * s->oc,
               .diff_pixel = s->oc,
               .width = s->iw,
               .column = p->column * step - s->left,
               .step = step};
    vec sum[MAX_TAPS];
    TR_UNROLL
    for (int k = 0; k < rows * columns; k++)
        sum[k] = v_set(0.0f);
    for (int64_t n = part->image; n < part->image + part->images; n++)
        for (int64_t oh = part->row; oh < part->row + part->rows; oh++) {
            const int64_t h = oh * s->sh - s->top + p->row * row_step;
            at.src = p->src + ((n * s->ih + h) * s->iw + at.column) * s->oc;
            at.diff = p->diff + (n * s->oh + oh) * s->ow * s->oc;
            if (h >= 0 && h + (rows - 1) * row_step < s->ih) {
                add_row(rows, columns, full, &at, within, part, last, sum);
                continue;
            }
            TR_UNROLL
            for (int r = 0; r < rows; r++, at.src += at.src_row)
                if (h + r * row_step >= 0 && h + r * row_step < s->ih)
                    add_row(1, columns, full, &at, within, part, last, sum + r * columns);
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
