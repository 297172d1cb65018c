/* depthwise.c -- convolution with a group for each channel, forward and backward data.
 *
 * dst[n,oh,ow,c] = functions(sum), where the chain of sum is: bias[c], or 0; then, for kh, for kw,
 * each in ascending order, sum = fma(src[n,ih,iw,c / m], kernel[kh,kw,c], sum), with m results of
 * each channel. diff_src[n,ih,iw,c]: 0; then, for kh, for kw, each in descending order, the same of
 * diff_dst and kernel; with m > 1 that of each result by itself, which are added in ascending
 * order. What lies outside of an image is left out, in both.
 *
 * Vectors lie along the channels. Of a row, the columns whose window sticks out are computed pixel
 * by pixel; between them are blocks of pixels (depthwise_row.c). The gradient of a source with
 * stride 1 is such a convolution too, with the kernel reversed.
 */
#include "depthwise.h"

#include <string.h>

/* ---- along one axis ---- */

/* A result sees the pixels first + k * step, first = i * stride - before, through tap k: with
 * `strided` set, pixels (i + before - k) / strided where that is whole, through tap size - 1 - k.
 */
typedef struct axis {
    int64_t in, out, size, stride, step, before, strided;
} axis;

/* What one result sees: n taps from `tap` on, by pixels from `pixel` on. */
typedef struct taps {
    int64_t n, tap, tap_step, pixel, pixel_step;
} taps;

static int64_t up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static taps taps_of(const axis *a, int64_t i)
{
    if (a->strided > 0) {
        const int64_t at = i + a->before;
        int64_t last = at % a->strided; /* taps last, last + strided ... see a pixel */
        if (at - last > (a->out - 1) * a->strided)
            last = at - (a->out - 1) * a->strided;
        const int64_t most = at < a->size - 1 ? at : a->size - 1;
        if (most < last)
            return (taps){0};
        const int64_t n = (most - last) / a->strided, first = last + n * a->strided;
        return (taps){n + 1, a->size - 1 - first, a->strided, (at - first) / a->strided, 1};
    }
    const int64_t first = i * a->stride - a->before;
    const int64_t begin = first < 0 ? up(-first, a->step) : 0;
    int64_t end = a->in > first ? up(a->in - first, a->step) : 0;
    end = end < a->size ? end : a->size;
    if (end <= begin)
        return (taps){0};
    return (taps){end - begin, begin, 1, first + begin * a->step, a->step};
}

/* A convolution of images of `channels`; of a strided one h.out, w.out are the source's. */
typedef struct pass {
    axis h, w;
    int64_t rows, columns; /* of the result */
    int64_t channels, padded;
    const float *packed, *bias;
    const tr_epilogue *epilogue;
} pass;

/* ---- a pixel ---- */

enum { AT_ONCE = 4 };

TR_INLINE void pixel_block(const int vectors, const pass *p, const taps *h, const taps *w,
                           const float *src, int64_t channel, int64_t last, float *dst)
{
    vec sum[AT_ONCE];
    TR_UNROLL
    for (int v = 0; v < vectors; v++) {
        const int64_t n = v < vectors - 1 ? VL : last;
        sum[v] = p->bias == NULL ? v_set(0.0f) : v_load_n(p->bias + channel + v * VL, n);
    }
    const int64_t row_pitch = (p->w.strided > 0 ? p->w.out : p->w.in) * p->channels;
    for (int64_t i = 0; i < h->n; i++) {
        const float *row = src + (h->pixel + i * h->pixel_step) * row_pitch + channel;
        const float *weights =
            p->packed + (h->tap + i * h->tap_step) * p->w.size * p->padded + channel;
        for (int64_t j = 0; j < w->n; j++) {
            const float *x = row + (w->pixel + j * w->pixel_step) * p->channels;
            const float *weight = weights + (w->tap + j * w->tap_step) * p->padded;
            TR_UNROLL
            for (int v = 0; v < vectors - 1; v++)
                sum[v] = v_fma(v_load(x + v * VL), v_load(weight + v * VL), sum[v]);
            const int v = vectors - 1;
            const vec number = last == VL ? v_load(x + v * VL) : v_load_n(x + v * VL, last);
            sum[v] = v_fma(number, v_load(weight + v * VL), sum[v]);
        }
    }
    TR_UNROLL
    for (int v = 0; v < vectors - 1; v++)
        v_store(dst + channel + v * VL, sum[v]);
    if (last == VL)
        v_store(dst + channel + (vectors - 1) * VL, sum[vectors - 1]);
    else
        v_store_n(dst + channel + (vectors - 1) * VL, sum[vectors - 1], last);
}

/* All channels of one. */
static void pixel(const pass *p, const taps *h, const taps *w, const float *src, float *dst)
{
    for (int64_t channel = 0; channel < p->channels; channel += AT_ONCE * VL) {
        const int64_t left = p->channels - channel, vectors = up(left, VL);
        const int64_t last = left - (vectors - 1) * VL;
        if (vectors >= AT_ONCE)
            pixel_block(AT_ONCE, p, h, w, src, channel, vectors > AT_ONCE ? VL : last, dst);
        else if (vectors == 3)
            pixel_block(3, p, h, w, src, channel, last, dst);
        else if (vectors == 2)
            pixel_block(2, p, h, w, src, channel, last, dst);
        else
            pixel_block(1, p, h, w, src, channel, last, dst);
    }
}

/* ---- an image ---- */

static int64_t phases_of(const pass *p)
{
    return p->w.strided > 0 ? p->w.strided : 1;
}

/* The columns that are computed in blocks: those whose taps all see a pixel. With strides in
 * diff_src, every second one, say, has the same taps. */
static tr_columns in_blocks(const pass *p)
{
    const axis *w = &p->w;
    if (w->strided == 0 && w->step == 1 && TR_OF_SET(tr_depthwise_has)(w->size, w->stride))
        return tr_columns_within(w->in, w->out, w->size, w->stride, 1, w->before);
    if (w->strided == 0 || !TR_OF_SET(tr_depthwise_has)(w->size / w->strided, 1) ||
        !TR_OF_SET(tr_depthwise_has)(up(w->size, w->strided), 1))
        return (tr_columns){0, 0};
    tr_columns c = {w->size - 1 - w->before, w->out * w->strided - w->before};
    c.first = c.first > 0 ? c.first : 0;
    c.end = c.end < p->columns ? c.end : p->columns;
    return c;
}

static void compute_blocks(const pass *p, const taps *h, tr_columns columns, const float *src,
                           float *dst)
{
    const int64_t phases = phases_of(p), width = p->w.strided > 0 ? p->w.out : p->w.in;
    for (int64_t first = columns.first; first < columns.first + phases; first++) {
        if (first >= columns.end)
            break;
        const taps w = taps_of(&p->w, first);
        const tr_depthwise_run run = {
            .count = up(columns.end - first, phases),
            .size = w.n,
            .stride = p->w.stride,
            .rows = h->n,
            .src = src + (h->pixel * width + w.pixel) * p->channels,
            .src_pixel = p->channels,
            .src_row = h->pixel_step * width * p->channels,
            .packed = p->packed + (h->tap * p->w.size + w.tap) * p->padded,
            .packed_tap = w.tap_step * p->padded,
            .packed_row = h->tap_step * p->w.size * p->padded,
            .bias = p->bias,
            .dst = dst + first * p->channels,
            .dst_pixel = phases * p->channels,
        };
        TR_OF_SET(tr_depthwise_row)(&run, p->channels);
    }
}

static void compute_row(const pass *p, int64_t row, tr_columns blocks, const float *src, float *dst)
{
    const taps h = taps_of(&p->h, row);
    for (int64_t column = 0; column < p->columns; column++) {
        if (column >= blocks.first && column < blocks.end)
            continue;
        const taps w = taps_of(&p->w, column);
        pixel(p, &h, &w, src, dst + column * p->channels);
    }
    compute_blocks(p, &h, blocks, src, dst);
}

static void compute(const pass *p, const float *src, float *dst)
{
    const tr_columns blocks = in_blocks(p);
    const int64_t pitch = p->columns * p->channels;
    for (int64_t row = 0; row < p->rows; row++, dst += pitch) {
        compute_row(p, row, blocks, src, dst);
        for (int f = 0; p->epilogue != NULL && f < p->epilogue->n_functions; f++)
            TR_OF_SET(tr_functions).forward(&p->epilogue->functions[f], pitch, dst, dst);
    }
}

/* ---- weights ---- */

static bool takes(const tr_window_sizes *s)
{
    const bool strided = s->sh > 1 || s->sw > 1;
    return s->groups > 1 && s->groups == s->ic && !(strided && (s->dh > 0 || s->dw > 0));
}

static int64_t padded(int64_t channels)
{
    return (channels + VL - 1) / VL * VL;
}

static size_t packed_size(const tr_window_sizes *s)
{
    return (size_t)(s->kh * s->kw * padded(s->oc));
}

static void pack_forward(const tr_window_sizes *s, const float *kernel, float *packed)
{
    const int64_t width = padded(s->oc);
    for (int64_t tap = 0; tap < s->kh * s->kw; tap++, kernel += s->oc, packed += width) {
        memcpy(packed, kernel, (size_t)s->oc * sizeof *packed);
        memset(packed + s->oc, 0, (size_t)(width - s->oc) * sizeof *packed);
    }
}

static void pack_backward_data(const tr_window_sizes *s, const float *kernel, float *packed)
{
    const int64_t all = s->kh * s->kw, width = padded(s->oc);
    pack_forward(s, kernel, packed);
    for (int64_t tap = 0; tap < all / 2; tap++) /* reversed */
        for (int64_t c = 0; c < width; c++) {
            float *a = packed + tap * width + c, *b = packed + (all - 1 - tap) * width + c;
            const float weight = *a;
            *a = *b;
            *b = weight;
        }
}

/* ---- results ---- */

/* An image with each channel as often as it has results. */
static size_t scratch(const tr_window_sizes *s)
{
    return s->oc == s->ic ? 0 : (size_t)(s->ih * s->iw * s->oc) * sizeof(float);
}

static void forward(const tr_window_sizes *s, const float *src, const float *packed,
                    const tr_epilogue *epilogue, float *dst, void *scratch)
{
    const pass p = {.h = {s->ih, s->oh, s->kh, s->sh, s->dh + 1, s->top, 0},
                    .w = {s->iw, s->ow, s->kw, s->sw, s->dw + 1, s->left, 0},
                    .rows = s->oh,
                    .columns = s->ow,
                    .channels = s->oc,
                    .padded = padded(s->oc),
                    .packed = packed,
                    .bias = epilogue->bias,
                    .epilogue = epilogue};
    const int64_t image = s->ih * s->iw * s->ic;
    for (int64_t n = 0; n < s->n; n++, src += image, dst += s->oh * s->ow * s->oc) {
        if (s->oc > s->ic)
            tr_depthwise_repeat(src, image, s->oc / s->ic, scratch);
        compute(&p, s->oc > s->ic ? scratch : src, dst);
    }
}

/* The gradient along an axis: that of an image of `in` whose results are `out`. */
static axis back(int64_t in, int64_t out, int64_t size, int64_t stride, int64_t step,
                 int64_t before)
{
    if (stride > 1)
        return (axis){in, out, size, 1, 1, before, stride};
    return (axis){out, in, size, 1, step, (size - 1) * step - before, 0};
}

static void add_results(const float *diffs, int64_t count, int64_t multiplier, float *diff_src)
{
    for (int64_t i = 0; i < count; i++, diffs += multiplier) {
        float sum = diffs[0];
        for (int64_t k = 1; k < multiplier; k++)
            sum += diffs[k];
        diff_src[i] = sum;
    }
}

static void backward_data(const tr_window_sizes *s, const float *diff_dst, const float *packed,
                          float *diff_src, void *scratch)
{
    const pass p = {.h = back(s->ih, s->oh, s->kh, s->sh, s->dh + 1, s->top),
                    .w = back(s->iw, s->ow, s->kw, s->sw, s->dw + 1, s->left),
                    .rows = s->ih,
                    .columns = s->iw,
                    .channels = s->oc,
                    .padded = padded(s->oc),
                    .packed = packed};
    const int64_t image = s->ih * s->iw * s->ic;
    for (int64_t n = 0; n < s->n; n++, diff_src += image, diff_dst += s->oh * s->ow * s->oc) {
        compute(&p, diff_dst, s->oc > s->ic ? scratch : diff_src);
        if (s->oc > s->ic)
            add_results(scratch, image, s->oc / s->ic, diff_src);
    }
}

const tr_conv_kernels TR_OF_SET(tr_depthwise) = {
    .name = "depthwise",
    .takes = takes,
    .forward_packed = packed_size,
    .pack_forward = pack_forward,
    .forward_scratch = scratch,
    .forward = forward,
    .backward_data_packed = packed_size,
    .pack_backward_data = pack_backward_data,
    .backward_data_scratch = scratch,
    .backward_data = backward_data,
    .backward_weights_scratch = TR_OF_SET(tr_depthwise_weights_scratch),
    .backward_weights = TR_OF_SET(tr_depthwise_weights),
};
