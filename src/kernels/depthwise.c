/* depthwise.c -- convolution with a group for each channel, forward and backward data.
 *
 * dst[n,oh,ow,c] = functions(sum), where the chain of sum is: bias[c], or 0; then, for kh, for kw,
 * each in ascending order, sum = fma(src[n,ih,iw,c / m], kernel[kh,kw,c], sum), with m results of
 * each channel. diff_src[n,ih,iw,c]: 0; then, for kh, for kw, each in descending order, the same of
 * diff_dst and kernel; with m > 1 that of each result by itself, which are added in ascending
 * order. What lies outside of an image is left out, in both.
 *
 * Vectors lie along the channels. Of a row, the columns whose window sticks out are computed pixel
 * by pixel; between them are blocks of pixels, whose windows overlap and share what they load. The
 * gradient of a source with stride 1 is such a convolution too, with the kernel reversed.
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
    int64_t channel = 0;
    for (; channel + AT_ONCE * VL <= p->channels; channel += AT_ONCE * VL)
        pixel_block(AT_ONCE, p, h, w, src, channel, VL, dst);
    for (; channel < p->channels; channel += VL) {
        const int64_t left = p->channels - channel;
        pixel_block(1, p, h, w, src, channel, left < VL ? left : VL, dst);
    }
}

/* ---- a block of pixels ---- */

enum { MAX_PIXELS = 8, MAX_SIZE = 5 };

/* Of one vector of channels, `last` of them, or VL where it is `full`; `src` is what the first
 * pixel sees through the first tap. */
TR_INLINE void block(const int pixels, const int size, const int stride, const bool full,
                     const pass *p, const taps *h, const float *src, const float *packed, vec bias,
                     int64_t last, float *dst)
{
    const int64_t pitch = p->channels, src_row = h->pixel_step * p->w.in * pitch,
                  packed_row = h->tap_step * size * p->padded;
    vec sum[MAX_PIXELS];
    TR_UNROLL
    for (int i = 0; i < pixels; i++)
        sum[i] = bias;
    for (int64_t r = 0; r < h->n; r++, src += src_row, packed += packed_row) {
        vec weight[MAX_SIZE];
        TR_UNROLL
        for (int k = 0; k < size; k++)
            weight[k] = v_load(packed + k * p->padded);
        TR_UNROLL
        for (int j = 0; j < (pixels - 1) * stride + size; j++) {
            const vec x = full ? v_load(src + j * pitch) : v_load_n(src + j * pitch, last);
            TR_UNROLL
            for (int k = 0; k < size; k++)
                if (j >= k && (j - k) % stride == 0 && (j - k) / stride < pixels)
                    sum[(j - k) / stride] = v_fma(x, weight[k], sum[(j - k) / stride]);
        }
    }
    TR_UNROLL
    for (int i = 0; i < pixels; i++) {
        if (full)
            v_store(dst + i * pitch, sum[i]);
        else
            v_store_n(dst + i * pitch, sum[i], last);
    }
}

typedef void block_function(const pass *p, const taps *h, const float *src, const float *packed,
                            vec bias, int64_t last, float *dst);

#define BLOCK(pixels, size, stride, full)                                                          \
    static void block_##pixels##_##size##_##stride##_##full(const pass *p, const taps *h,          \
                                                            const float *src, const float *packed, \
                                                            vec bias, int64_t last, float *dst)    \
    {                                                                                              \
        block(pixels, size, stride, full, p, h, src, packed, bias, last, dst);                     \
    }
#define NAME(pixels, size, stride, full) block_##pixels##_##size##_##stride##_##full,
#define UP_TO_6(DO, size, stride, full)                                                            \
    DO(1, size, stride, full)                                                                      \
    DO(2, size, stride, full)                                                                      \
    DO(3, size, stride, full)                                                                      \
    DO(4, size, stride, full) DO(5, size, stride, full) DO(6, size, stride, full)
#define UP_TO_8(DO, size, stride, full)                                                            \
    UP_TO_6(DO, size, stride, full) DO(7, size, stride, full) DO(8, size, stride, full)

UP_TO_8(BLOCK, 3, 1, 0)
UP_TO_8(BLOCK, 3, 1, 1)
UP_TO_6(BLOCK, 3, 2, 0)
UP_TO_6(BLOCK, 3, 2, 1)
UP_TO_8(BLOCK, 5, 1, 0)
UP_TO_8(BLOCK, 5, 1, 1)
UP_TO_6(BLOCK, 5, 2, 0)
UP_TO_6(BLOCK, 5, 2, 1)

/* By size, stride, whether full, pixels. */
static block_function *const blocks[2][2][2][MAX_PIXELS] = {
    {{{UP_TO_8(NAME, 3, 1, 0)}, {UP_TO_8(NAME, 3, 1, 1)}},
     {{UP_TO_6(NAME, 3, 2, 0)}, {UP_TO_6(NAME, 3, 2, 1)}}},
    {{{UP_TO_8(NAME, 5, 1, 0)}, {UP_TO_8(NAME, 5, 1, 1)}},
     {{UP_TO_6(NAME, 5, 2, 0)}, {UP_TO_6(NAME, 5, 2, 1)}}}};
static const int most_pixels[] = {0, 8, 6}; /* by stride */

static bool has_blocks(const axis *w)
{
    return w->strided == 0 && w->step == 1 && w->stride <= 2 && (w->size == 3 || w->size == 5);
}

/* The columns of a row whose windows lie within the image, cut evenly. */
static void blocks_of_row(const pass *p, const taps *h, tr_columns columns, const float *src,
                          float *dst)
{
    const int64_t count = columns.end - columns.first;
    if (count <= 0)
        return;
    const int64_t n = up(count, most_pixels[p->w.stride]), pixels = count / n, longer = count % n;
    const float *first =
        src + (h->pixel * p->w.in + columns.first * p->w.stride - p->w.before) * p->channels;
    for (int64_t channel = 0; channel < p->channels; channel += VL) {
        const int64_t left = p->channels - channel, last = left < VL ? left : VL;
        block_function *const *f =
            &blocks[p->w.size == 5][p->w.stride == 2][last == VL][pixels - 1];
        const float *packed = p->packed + h->tap * p->w.size * p->padded + channel;
        const vec bias = p->bias == NULL ? v_set(0.0f) : v_load_n(p->bias + channel, last);
        const float *from = first + channel;
        float *to = dst + columns.first * p->channels + channel;
        for (int64_t i = 0; i < n; i++) {
            const int64_t more = i < longer;
            f[more](p, h, from, packed, bias, last, to);
            from += (pixels + more) * p->w.stride * p->channels;
            to += (pixels + more) * p->channels;
        }
    }
}

/* ---- an image ---- */

static void compute_row(const pass *p, int64_t row, tr_columns within, const float *src, float *dst)
{
    const taps h = taps_of(&p->h, row);
    for (int64_t column = 0; column < p->columns; column++) {
        if (column == within.first)
            column = within.end;
        if (column == p->columns)
            break;
        const taps w = taps_of(&p->w, column);
        pixel(p, &h, &w, src, dst + column * p->channels);
    }
    blocks_of_row(p, &h, within, src, dst);
}

static void compute(const pass *p, const float *src, float *dst)
{
    const axis *w = &p->w;
    const tr_columns none = {p->columns, p->columns};
    const tr_columns within =
        has_blocks(w) ? tr_columns_within(w->in, w->out, w->size, w->stride, w->step, w->before)
                      : none;
    const int64_t pitch = p->columns * p->channels;
    for (int64_t row = 0; row < p->rows; row++, dst += pitch) {
        compute_row(p, row, within.first < within.end ? within : none, src, dst);
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
