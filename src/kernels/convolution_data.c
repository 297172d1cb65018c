/* convolution_data.c -- direct convolution, backward data.
 *
 * diff_src[n,ih,iw,ic] is the chain: 0; then, for kh and for kw, each in descending order, where
 * oh = (ih + top - kh) / sh and ow = (iw + left - kw) / sw are whole, for oc in ascending order:
 * sum = fma(diff_dst[n,oh,ow,oc], kernel[kh,kw,ic,oc], sum). A row outside of diff_dst is left out,
 * a column outside is 0 and counts.
 *
 * The pixels whose ih + top and iw + left have the same remainders by the strides are a phase: they
 * see the same taps of the kernel, and neighbours among them see neighbours of diff_dst. So each
 * phase is a convolution with stride 1 of diff_dst with its taps, in reverse, which direct.h
 * computes; without strides there is one.
 */
#include "direct.h"

/* Of one dimension: the taps of a kernel that a phase sees. */
static int64_t taps_of(int64_t phase, int64_t kernel, int64_t stride)
{
    return phase < kernel ? (kernel - phase + stride - 1) / stride : 0;
}

/* Of one dimension: the first pixel of a phase at or behind `at`, counted in strides. */
static int64_t first_of(int64_t phase, int64_t at, int64_t stride)
{
    return (at - phase + stride - 1) / stride;
}

/* Of one dimension: what pixels, padding included, see of diff_dst; of the phase with most taps. */
typedef struct reach {
    int64_t first, count;
} reach;

static reach reach_of(int64_t at, int64_t pixels, int64_t kernel, int64_t stride)
{
    const int64_t first = at / stride - taps_of(0, kernel, stride) + 1;
    return (reach){first, (at + pixels - 1) / stride - first + 1};
}

/* The same wherever they begin. */
static int64_t most_reached(int64_t pixels, int64_t kernel, int64_t stride)
{
    return (pixels + stride - 2) / stride + taps_of(0, kernel, stride);
}

static tr_direct_part largest_part(const tr_window_sizes *s)
{
    const int64_t bytes = (s->oc + s->sh * s->sw * s->ic) * (int64_t)sizeof(float);
    return tr_direct_largest(s->n, s->ih, s->iw, tr_direct_pixels(bytes) * s->sh * s->sw);
}

static bool has_columns(const tr_window_sizes *s)
{
    const reach r = reach_of(s->left, s->iw, s->kw, s->sw);
    return r.first >= 0 && r.first + r.count <= s->ow;
}

static int vectors_of(const tr_window_sizes *s)
{
    return TR_OF_SET(tr_direct_vectors)(
        tr_direct_is_row(s) ? TR_DIRECT_LONG_ROW : (s->iw + s->sw - 1) / s->sw, s->ic,
        taps_of(0, s->kh, s->sh) * taps_of(0, s->kw, s->sw) * s->oc);
}

/* ---- weights ---- */

size_t TR_OF_SET(tr_direct_data_packed)(const tr_window_sizes *s)
{
    return (size_t)tr_direct_packed_size(s->ic, s->kh * s->kw * s->oc);
}

/* The taps of a phase, which ends with row kh and column kw of the kernel; returns their end. */
static float *pack_phase(const tr_window_sizes *s, int64_t row, int64_t column, const float *kernel,
                         float *packed)
{
    const int64_t rows = taps_of(row, s->kh, s->sh), columns = taps_of(column, s->kw, s->sw);
    const int vectors = vectors_of(s);
    for (int64_t i = 0; i < (s->ic + VL - 1) / VL * VL; i++) {
        int64_t pitch;
        float *to = packed + tr_direct_packed_at(i, s->ic, rows * columns * s->oc, vectors, &pitch);
        for (int64_t h = rows - 1; h >= 0; h--)
            for (int64_t w = columns - 1; w >= 0; w--) {
                const int64_t tap = (row + h * s->sh) * s->kw + column + w * s->sw;
                for (int64_t o = 0; o < s->oc; o++, to += pitch)
                    *to = i < s->ic ? kernel[(tap * s->ic + i) * s->oc + o] : 0.0f;
            }
    }
    return packed + tr_direct_packed_size(s->ic, rows * columns * s->oc);
}

void TR_OF_SET(tr_direct_pack_data)(const tr_window_sizes *s, const float *kernel, float *packed)
{
    for (int64_t row = 0; row < s->sh; row++)
        for (int64_t column = 0; column < s->sw; column++)
            packed = pack_phase(s, row, column, kernel, packed);
}

/* ---- results ---- */

size_t TR_OF_SET(tr_direct_data_scratch)(const tr_window_sizes *sizes)
{
    const tr_window_sizes s = tr_direct_as_row(*sizes);
    const tr_direct_part part = largest_part(&s);
    const int64_t rows = most_reached(part.rows, s.kh, s.sh),
                  columns = most_reached(part.columns, s.kw, s.sw);
    return has_columns(&s) ? 0 : (size_t)(part.images * rows * columns * s.oc) * sizeof(float);
}

/* Rows and columns of diff_dst, in place or with their columns of padding. */
typedef struct source {
    const float *at; /* the first row and column */
    int64_t row, rows, column, columns;
    int64_t image_pitch, row_pitch;
} source;

static source source_of(const tr_window_sizes *s, const tr_direct_part *part, const float *diff_dst,
                        float *scratch)
{
    const float *image = diff_dst + part->image * s->oh * s->ow * s->oc;
    if (has_columns(s))
        return (source){image, 0, s->oh, 0, s->ow, s->oh * s->ow * s->oc, s->ow * s->oc};
    const reach r = reach_of(part->row + s->top, part->rows, s->kh, s->sh),
                c = reach_of(part->column + s->left, part->columns, s->kw, s->sw);
    const int64_t first = r.first > 0 ? r.first : 0,
                  end = r.first + r.count < s->oh ? r.first + r.count : s->oh,
                  rows = end > first ? end - first : 0;
    tr_direct_copy(image, part->images, s->oh, s->ow, s->oc, first, rows, c.first, c.count,
                   scratch);
    return (source){scratch,        first, rows, c.first, c.count, rows * c.count * s->oc,
                    c.count * s->oc};
}

/* The pixels of one phase in a part. */
static void compute_phase(const tr_window_sizes *s, const tr_direct_part *part, const source *from,
                          int64_t row, int64_t column, const float *packed, float *diff_src)
{
    const int64_t h = first_of(row, part->row + s->top, s->sh),
                  w = first_of(column, part->column + s->left, s->sw);
    const int64_t taps_h = taps_of(row, s->kh, s->sh), taps_w = taps_of(column, s->kw, s->sw);
    const int64_t ih = row + h * s->sh - s->top, iw = column + w * s->sw - s->left;
    const int64_t begin = taps_w > 0 ? w - taps_w + 1 - from->column : 0;
    const tr_direct_pass pass = {
        .src = from->at + begin * s->oc,
        .src_image = from->image_pitch,
        .src_row = from->row_pitch,
        .src_pixel = s->oc,
        .src_rows = from->rows,
        .top = taps_h - 1 - h + from->row,
        .step = 1,
        .kernel_rows = taps_h,
        .run = taps_w * s->oc,
        .dst = diff_src + ((part->image * s->ih + ih) * s->iw + iw) * s->ic,
        .dst_image = s->ih * s->iw * s->ic,
        .dst_row = s->sh * s->iw * s->ic,
        .dst_pixel = s->sw * s->ic,
        .images = part->images,
        .rows = first_of(row, part->row + part->rows + s->top, s->sh) - h,
        .columns = first_of(column, part->column + part->columns + s->left, s->sw) - w,
        .channels = s->ic,
        .packed = packed,
        .vectors = vectors_of(s),
    };
    if (pass.rows > 0 && pass.columns > 0 && pass.kernel_rows > 0 && pass.run > 0)
        TR_OF_SET(tr_direct_compute)(&pass);
}

void TR_OF_SET(tr_direct_data)(const tr_window_sizes *sizes, const float *diff_dst,
                               const float *packed, float *diff_src, void *scratch)
{
    const tr_window_sizes s = tr_direct_as_row(*sizes);
    const tr_direct_part largest = largest_part(&s);
    for (tr_direct_part part = largest; part.image < s.n;
         part = tr_direct_next(part, largest, s.n, s.ih, s.iw)) {
        const source from = source_of(&s, &part, diff_dst, scratch);
        const float *weights = packed;
        if (s.kh < s.sh || s.kw < s.sw) /* there are pixels that see no tap */
            memset(diff_src + ((part.image * s.ih + part.row) * s.iw + part.column) * s.ic, 0,
                   (size_t)(part.images * part.rows * part.columns * s.ic) * sizeof *diff_src);
        for (int64_t row = 0; row < s.sh; row++)
            for (int64_t column = 0; column < s.sw; column++) {
                compute_phase(&s, &part, &from, row, column, weights, diff_src);
                weights += tr_direct_packed_size(s.ic, taps_of(row, s.kh, s.sh) *
                                                           taps_of(column, s.kw, s.sw) * s.oc);
            }
    }
}
