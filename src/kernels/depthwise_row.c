/* depthwise_row.c -- the core of a depthwise convolution: blocks of pixels in a row, of one vector
 * of channels, whose sums stay in registers; see depthwise.c for the chain of a result.
 *
 * Neighbours see the same pixels through other taps, so a block loads each pixel once for all of
 * them. How many pixels make a block is no part of a result: rows are cut evenly.
 */
#include "depthwise.h"

enum { MAX_PIXELS = 8, MAX_SIZE = 7 };

/* ---- a block ---- */

/* `count` blocks side by side, of `last` channels, or of VL where they are `full`. */
TR_INLINE void block(const int pixels, const int size, const int stride, const bool full,
                     const tr_depthwise_run *run, int64_t count, const float *src,
                     const float *packed, vec bias, int64_t last, float *dst)
{
    const int64_t src_pixel = run->src_pixel, src_row = run->src_row, rows = run->rows,
                  packed_tap = run->packed_tap, packed_row = run->packed_row,
                  dst_pixel = run->dst_pixel;
    for (; count > 0; count--, src += pixels * stride * src_pixel, dst += pixels * dst_pixel) {
        vec sum[MAX_PIXELS];
        TR_UNROLL
        for (int i = 0; i < pixels; i++)
            sum[i] = bias;
        const float *row = src, *weights = packed;
        for (int64_t r = 0; r < rows; r++, row += src_row, weights += packed_row) {
            vec weight[MAX_SIZE];
            TR_UNROLL
            for (int k = 0; k < size; k++)
                weight[k] = v_load(weights + k * packed_tap);
            TR_UNROLL
            for (int j = 0; j < (pixels - 1) * stride + size; j++) {
                const vec x =
                    full ? v_load(row + j * src_pixel) : v_load_n(row + j * src_pixel, last);
                TR_UNROLL
                for (int k = 0; k < size; k++)
                    if (j >= k && (j - k) % stride == 0 && (j - k) / stride < pixels)
                        sum[(j - k) / stride] = v_fma(x, weight[k], sum[(j - k) / stride]);
            }
        }
        TR_UNROLL
        for (int i = 0; i < pixels; i++) {
            if (full)
                v_store(dst + i * dst_pixel, sum[i]);
            else
                v_store_n(dst + i * dst_pixel, sum[i], last);
        }
    }
}

/* ---- all of them ---- */

typedef void block_function(const tr_depthwise_run *run, int64_t count, const float *src,
                            const float *packed, vec bias, int64_t last, float *dst);

#define BLOCK(pixels, size, stride, full)                                                          \
    static void block_##pixels##_##size##_##stride##_##full(                                       \
        const tr_depthwise_run *run, int64_t count, const float *src, const float *packed,         \
        vec bias, int64_t last, float *dst)                                                        \
    {                                                                                              \
        block(pixels, size, stride, full, run, count, src, packed, bias, last, dst);               \
    }
#define NAME(pixels, size, stride, full) block_##pixels##_##size##_##stride##_##full,
#define UP_TO_6(DO, size, stride, full)                                                            \
    DO(1, size, stride, full)                                                                      \
    DO(2, size, stride, full)                                                                      \
    DO(3, size, stride, full)                                                                      \
    DO(4, size, stride, full) DO(5, size, stride, full) DO(6, size, stride, full)
#define UP_TO_8(DO, size, stride, full)                                                            \
    UP_TO_6(DO, size, stride, full) DO(7, size, stride, full) DO(8, size, stride, full)

UP_TO_8(BLOCK, 1, 1, 0)
UP_TO_8(BLOCK, 1, 1, 1)
UP_TO_8(BLOCK, 2, 1, 0)
UP_TO_8(BLOCK, 2, 1, 1)
UP_TO_8(BLOCK, 3, 1, 0)
UP_TO_8(BLOCK, 3, 1, 1)
UP_TO_8(BLOCK, 5, 1, 0)
UP_TO_8(BLOCK, 5, 1, 1)
UP_TO_6(BLOCK, 7, 1, 0)
UP_TO_6(BLOCK, 7, 1, 1)
UP_TO_6(BLOCK, 3, 2, 0)
UP_TO_6(BLOCK, 3, 2, 1)
UP_TO_6(BLOCK, 5, 2, 0)
UP_TO_6(BLOCK, 5, 2, 1)

typedef struct kind {
    int size, stride, most; /* pixels of a block: with the taps they fill the registers */
    block_function *functions[2][MAX_PIXELS];
} kind;

static const kind kinds[] = {
    {1, 1, 8, {{UP_TO_8(NAME, 1, 1, 0)}, {UP_TO_8(NAME, 1, 1, 1)}}},
    {2, 1, 8, {{UP_TO_8(NAME, 2, 1, 0)}, {UP_TO_8(NAME, 2, 1, 1)}}},
    {3, 1, 8, {{UP_TO_8(NAME, 3, 1, 0)}, {UP_TO_8(NAME, 3, 1, 1)}}},
    {5, 1, 8, {{UP_TO_8(NAME, 5, 1, 0)}, {UP_TO_8(NAME, 5, 1, 1)}}},
    {7, 1, 6, {{UP_TO_6(NAME, 7, 1, 0)}, {UP_TO_6(NAME, 7, 1, 1)}}},
    {3, 2, 6, {{UP_TO_6(NAME, 3, 2, 0)}, {UP_TO_6(NAME, 3, 2, 1)}}},
    {5, 2, 6, {{UP_TO_6(NAME, 5, 2, 0)}, {UP_TO_6(NAME, 5, 2, 1)}}},
};

static const kind *find(int64_t size, int64_t stride)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].size == size && kinds[i].stride == stride)
            return &kinds[i];
    return NULL;
}

/* ---- a row ---- */

bool TR_OF_SET(tr_depthwise_has)(int64_t size, int64_t stride)
{
    return find(size, stride) != NULL;
}

void TR_OF_SET(tr_depthwise_row)(const tr_depthwise_run *run, int64_t channels)
{
    const kind *of = find(run->size, run->stride);
    const int64_t n = (run->count + of->most - 1) / of->most, pixels = run->count / n,
                  longer = run->count % n;
    for (int64_t channel = 0; channel < channels; channel += VL) {
        const int64_t left = channels - channel, last = left < VL ? left : VL;
        block_function *const *f = &of->functions[last == VL][pixels - 1];
        const float *src = run->src + channel, *packed = run->packed + channel;
        const vec bias = run->bias == NULL ? v_set(0.0f) : v_load_n(run->bias + channel, last);
        float *dst = run->dst + channel;
        if (longer > 0)
            f[1](run, longer, src, packed, bias, last, dst);
        src += longer * (pixels + 1) * run->stride * run->src_pixel;
        dst += longer * (pixels + 1) * run->dst_pixel;
        f[0](run, n - longer, src, packed, bias, last, dst);
    }
}
