/* direct.c -- the core of the direct convolutions: blocks of pixels of a row times vectors of
 * channels, whose sums stay in registers; see direct.h for the chain of a result.
 *
 * How many pixels and vectors make a block is no part of a result, so every block that may be
 * useful is compiled, and the rows are cut evenly: 14 pixels are 5, 5 and 4, not 6, 6 and 2.
 */
#include "direct.h"
#include "elementary.h"

/* ---- a block ---- */

/* `count` blocks, side by side in a row: `rows` rows of the kernel from `src` and `packed` on;
 * `last` channels of the last vector. */
TR_INLINE void block(const int pixels, const int vectors, const tr_direct_pass *pass, int64_t count,
                     const float *src, int64_t rows, const float *packed, const float *bias,
                     int64_t last, float *dst)
{
    const int64_t src_row = pass->src_row, src_pixel = pass->src_pixel, run = pass->run,
                  dst_pixel = pass->dst_pixel;
    const tr_function *relu = pass->relu;
    for (; count > 0; count--, src += pixels * src_pixel, dst += pixels * dst_pixel) {
        vec sum[TR_DIRECT_MOST][TR_DIRECT_VECTORS];
        TR_UNROLL
        for (int p = 0; p < pixels; p++) {
            TR_UNROLL
            for (int v = 0; v < vectors; v++)
                sum[p][v] = v_load(bias + v * VL);
        }
        const float *row = src, *weight = packed;
        for (int64_t r = 0; r < rows; r++, row += src_row) {
            const float *number = row;
            for (int64_t i = 0; i < run; i++, number++, weight += vectors * VL) {
                vec w[TR_DIRECT_VECTORS];
                TR_UNROLL
                for (int v = 0; v < vectors; v++)
                    w[v] = v_load(weight + v * VL);
                TR_UNROLL
                for (int p = 0; p < pixels; p++) {
                    const vec x = v_set(number[p * src_pixel]);
                    TR_UNROLL
                    for (int v = 0; v < vectors; v++)
                        sum[p][v] = v_fma(x, w[v], sum[p][v]);
                }
            }
        }
        if (relu != NULL) {
            TR_UNROLL
            for (int p = 0; p < pixels; p++) {
                TR_UNROLL
                for (int v = 0; v < vectors; v++)
                    sum[p][v] = v_relu(sum[p][v], relu->alpha);
            }
        }
        TR_UNROLL
        for (int p = 0; p < pixels; p++) {
            float *to = dst + p * dst_pixel;
            TR_UNROLL
            for (int v = 0; v < vectors - 1; v++, to += VL)
                v_store(to, sum[p][v]);
            if (last == VL)
                v_store(to, sum[p][vectors - 1]);
            else
                v_store_n(to, sum[p][vectors - 1], last);
        }
    }
}

/* ---- all of them ---- */

typedef void block_function(const tr_direct_pass *pass, int64_t count, const float *src,
                            int64_t rows, const float *packed, const float *bias, int64_t last,
                            float *dst);

#define BLOCK(pixels, vectors)                                                                     \
    static void block_##pixels##_##vectors(const tr_direct_pass *pass, int64_t count,              \
                                           const float *src, int64_t rows, const float *packed,    \
                                           const float *bias, int64_t last, float *dst)            \
    {                                                                                              \
        block(pixels, vectors, pass, count, src, rows, packed, bias, last, dst);                   \
    }
#define UP_TO_3(DO, vectors) DO(1, vectors) DO(2, vectors) DO(3, vectors)
#define UP_TO_4(DO, vectors) UP_TO_3(DO, vectors) DO(4, vectors)
#define UP_TO_6(DO, vectors) UP_TO_4(DO, vectors) DO(5, vectors) DO(6, vectors)
#define UP_TO_8(DO, vectors) UP_TO_6(DO, vectors) DO(7, vectors) DO(8, vectors)
#define UP_TO_12(DO, vectors)                                                                      \
    UP_TO_8(DO, vectors) DO(9, vectors) DO(10, vectors) DO(11, vectors) DO(12, vectors)
#define UP_TO_14(DO, vectors) UP_TO_12(DO, vectors) DO(13, vectors) DO(14, vectors)
#define NAME(pixels, vectors) block_##pixels##_##vectors,

/* As tr_direct_most has it. */
#if TR_REGISTERS == 32
UP_TO_14(BLOCK, 1)
UP_TO_14(BLOCK, 2)
UP_TO_8(BLOCK, 3)
UP_TO_6(BLOCK, 4)
static block_function *const blocks[][TR_DIRECT_MOST] = {
    {0}, {UP_TO_14(NAME, 1)}, {UP_TO_14(NAME, 2)}, {UP_TO_8(NAME, 3)}, {UP_TO_6(NAME, 4)}};
#else
UP_TO_12(BLOCK, 1)
UP_TO_6(BLOCK, 2)
UP_TO_4(BLOCK, 3)
UP_TO_3(BLOCK, 4)
static block_function *const blocks[][TR_DIRECT_MOST] = {
    {0}, {UP_TO_12(NAME, 1)}, {UP_TO_6(NAME, 2)}, {UP_TO_4(NAME, 3)}, {UP_TO_3(NAME, 4)}};
#endif

/* ---- a pass ---- */

/* Half cycles that a tap takes: two multiply-adds, two loads a cycle, less of weights, which come
 * from the second level of caches, and four cycles until a sum can be added to again. */
static int64_t cost(int64_t pixels, int64_t vectors)
{
    const int64_t loads = pixels + vectors < 3 * vectors ? 3 * vectors : pixels + vectors;
    const int64_t products = pixels * vectors < 8 ? 8 : pixels * vectors;
    return products < loads ? loads : products;
}

/* With what a pixel takes for itself: lines of a cache that are written in several blocks. */
static int64_t cost_of_row(int64_t columns, int64_t vectors, int64_t taps)
{
    const int64_t n = (columns + tr_direct_most[vectors] - 1) / tr_direct_most[vectors],
                  of_tap = columns % n * cost(columns / n + 1, vectors) +
                           (n - columns % n) * cost(columns / n, vectors);
    return taps * of_tap + columns * 8;
}

int TR_OF_SET(tr_direct_vectors)(int64_t columns, int64_t channels, int64_t taps)
{
    int best = 1;
    int64_t lowest = INT64_MAX;
    const int64_t all = (channels + VL - 1) / VL;
    for (int vectors = 1; vectors <= TR_DIRECT_VECTORS && vectors <= all; vectors++) {
        const int64_t last = all % vectors,
                      sum = all / vectors * cost_of_row(columns, vectors, taps) +
                            (last > 0 ? cost_of_row(columns, last, taps) : 0);
        if (sum < lowest) {
            lowest = sum;
            best = vectors;
        }
    }
    return best;
}

/* One row of a result, of the channels of one block. */
static void row_of_blocks(const tr_direct_pass *pass, int vectors, const float *src, int64_t rows,
                          const float *packed, const float *bias, int64_t last, float *dst)
{
    const int64_t n = (pass->columns + tr_direct_most[vectors] - 1) / tr_direct_most[vectors],
                  pixels = pass->columns / n, longer = pass->columns % n;
    block_function *const *f = &blocks[vectors][pixels - 1];
    if (longer > 0)
        f[1](pass, longer, src, rows, packed, bias, last, dst);
    src += longer * (pixels + 1) * pass->src_pixel;
    dst += longer * (pixels + 1) * pass->dst_pixel;
    f[0](pass, n - longer, src, rows, packed, bias, last, dst);
}

/* The channels of one block. */
static void compute_channels(const tr_direct_pass *pass, int64_t channel)
{
    int64_t pitch;
    const float *packed =
        pass->packed + tr_direct_packed_at(channel, pass->channels, pass->kernel_rows * pass->run,
                                           pass->vectors, &pitch);
    const int64_t left = pass->channels - channel, last = left - pitch + VL;
    float bias[TR_DIRECT_VECTORS * VL] = {0.0f};
    if (pass->bias != NULL)
        memcpy(bias, pass->bias + channel, (size_t)(left < pitch ? left : pitch) * sizeof *bias);
    for (int64_t image = 0; image < pass->images; image++)
        for (int64_t row = 0; row < pass->rows; row++) {
            const int64_t first = row * pass->step - pass->top; /* of the source */
            int64_t begin = first < 0 ? -first : 0, end = pass->src_rows - first;
            end = end < pass->kernel_rows ? end : pass->kernel_rows;
            if (begin >= end)
                begin = end = 0;
            const float *src = pass->src + image * pass->src_image;
            row_of_blocks(pass, (int)(pitch / VL),
                          end > begin ? src + (first + begin) * pass->src_row : src, end - begin,
                          packed + begin * pass->run * pitch, bias, last < VL ? last : VL,
                          pass->dst + image * pass->dst_image + row * pass->dst_row + channel);
        }
}

void TR_OF_SET(tr_direct_compute)(const tr_direct_pass *pass)
{
    for (int64_t channel = 0; channel < pass->channels; channel += pass->vectors * VL)
        compute_channels(pass, channel);
}
