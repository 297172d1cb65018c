/* direct.c -- the core of the direct convolutions: blocks of pixels of a row times vectors of
 * channels, whose sums stay in registers; see direct.h for the chain of a result.
 *
 * How many pixels and vectors make a block is no part of a result, so every block that may be
 * useful is compiled, and the rows are cut evenly: 14 pixels are 5, 5 and 4, not 6, 6 and 2.
 */
#include "direct.h"
#include "elementary.h"

/* ---- a block ---- */

/* `rows` rows of the kernel from `src` and `packed` on; `left` channels are left, of which this
 * block computes as many as it can. */
TR_INLINE void block(const int pixels, const int vectors, const tr_direct_pass *pass,
                     const float *src, int64_t rows, const float *packed, const float *bias,
                     int64_t left, float *dst)
{
    const int64_t src_row = pass->src_row, src_pixel = pass->src_pixel, run = pass->run,
                  dst_pixel = pass->dst_pixel;
    const int64_t tail = left < vectors * VL ? left - (vectors - 1) * VL : VL;
    vec sum[TR_DIRECT_MOST][TR_DIRECT_VECTORS];
    TR_UNROLL for (int v = 0; v < vectors; v++)
    {
        vec start = v_set(0.0f);
        if (bias != NULL)
            start = v == vectors - 1 ? v_load_n(bias + v * VL, tail) : v_load(bias + v * VL);
        TR_UNROLL for (int p = 0; p < pixels; p++) sum[p][v] = start;
    }
    for (int64_t row = 0; row < rows; row++, src += src_row) {
        const float *number = src;
        for (int64_t i = 0; i < run; i++, number++, packed += vectors * VL) {
            vec weight[TR_DIRECT_VECTORS];
            TR_UNROLL for (int v = 0; v < vectors; v++) weight[v] = v_load(packed + v * VL);
            TR_UNROLL for (int p = 0; p < pixels; p++)
            {
                const vec x = v_set(number[p * src_pixel]);
                TR_UNROLL for (int v = 0; v < vectors; v++) sum[p][v] =
                    v_fma(x, weight[v], sum[p][v]);
            }
        }
    }
    if (pass->relu != NULL)
        TR_UNROLL for (int p = 0; p < pixels; p++) TR_UNROLL for (int v = 0; v < vectors; v++)
            sum[p][v] = v_relu(sum[p][v], pass->relu->alpha);
    TR_UNROLL for (int p = 0; p < pixels; p++)
    {
        TR_UNROLL for (int v = 0; v < vectors - 1; v++)
            v_store(dst + p * dst_pixel + v * VL, sum[p][v]);
        if (tail == VL)
            v_store(dst + p * dst_pixel + (vectors - 1) * VL, sum[p][vectors - 1]);
        else
            v_store_n(dst + p * dst_pixel + (vectors - 1) * VL, sum[p][vectors - 1], tail);
    }
}

/* ---- all of them ---- */

typedef void block_function(const tr_direct_pass *pass, const float *src, int64_t rows,
                            const float *packed, const float *bias, int64_t left, float *dst);

#define BLOCK(pixels, vectors)                                                                     \
    static void block_##pixels##_##vectors(const tr_direct_pass *pass, const float *src,           \
                                           int64_t rows, const float *packed, const float *bias,   \
                                           int64_t left, float *dst)                               \
    {                                                                                              \
        block(pixels, vectors, pass, src, rows, packed, bias, left, dst);                          \
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

/* Half cycles that a tap takes: two multiply-adds, two loads a cycle, and four cycles until a sum
 * can be added to again. */
static int64_t cost(int64_t pixels, int64_t vectors)
{
    const int64_t loads = pixels + vectors, products = pixels * vectors;
    return products < 8 ? 8 : products < loads ? loads : products;
}

static int64_t cost_of_row(int64_t columns, int64_t vectors)
{
    const int64_t n = (columns + tr_direct_most[vectors] - 1) / tr_direct_most[vectors];
    return columns % n * cost(columns / n + 1, vectors) +
           (n - columns % n) * cost(columns / n, vectors);
}

int TR_OF_SET(tr_direct_vectors)(int64_t columns, int64_t channels)
{
    int best = 1;
    int64_t lowest = INT64_MAX;
    const int64_t all = (channels + VL - 1) / VL;
    for (int vectors = 1; vectors <= TR_DIRECT_VECTORS && vectors <= all; vectors++) {
        const int64_t last = all % vectors, sum = all / vectors * cost_of_row(columns, vectors) +
                                                  (last > 0 ? cost_of_row(columns, last) : 0);
        if (sum < lowest) {
            lowest = sum;
            best = vectors;
        }
    }
    return best;
}

/* One row of a result, of the channels of one block. */
static void row_of_blocks(const tr_direct_pass *pass, int vectors, const float *src, int64_t rows,
                          const float *packed, int64_t channel, float *dst)
{
    const int64_t n = (pass->columns + tr_direct_most[vectors] - 1) / tr_direct_most[vectors],
                  left = pass->channels - channel, longer = pass->columns % n;
    const float *bias = pass->bias != NULL ? pass->bias + channel : NULL;
    for (int64_t i = 0, pixels = pass->columns / n + 1; i < n; i++) {
        if (i == longer)
            pixels--;
        blocks[vectors][pixels - 1](pass, src, rows, packed, bias, left, dst);
        src += pixels * pass->src_pixel;
        dst += pixels * pass->dst_pixel;
    }
}

void TR_OF_SET(tr_direct_compute)(const tr_direct_pass *pass)
{
    const int64_t width = pass->vectors * VL;
    for (int64_t channel = 0; channel < pass->channels; channel += width) {
        int64_t pitch;
        const float *packed = pass->packed + tr_direct_packed_at(channel, pass->channels,
                                                                 pass->kernel_rows * pass->run,
                                                                 pass->vectors, &pitch);
        for (int64_t image = 0; image < pass->images; image++)
            for (int64_t row = 0; row < pass->rows; row++) {
                const int64_t first = row * pass->step - pass->top; /* of the source */
                int64_t begin = first < 0 ? -first : 0, end = pass->src_rows - first;
                end = end < pass->kernel_rows ? end : pass->kernel_rows;
                if (begin >= end)
                    begin = end = 0;
                const float *src = pass->src + image * pass->src_image;
                row_of_blocks(pass, (int)(pitch / VL),
                              end > begin ? src + (first + begin) * pass->src_row : src,
                              end - begin, packed + begin * pass->run * pitch, channel,
                              pass->dst + image * pass->dst_image + row * pass->dst_row + channel);
            }
    }
}
