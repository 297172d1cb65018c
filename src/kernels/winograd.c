/* winograd.c -- convolution of 3 x 3 with stride 1 by Winograd's F(4 x 4, 3 x 3): 36 products where
 * the definition has 144. Forward and backward data; winograd_weights.c has the weights' gradient.
 *
 * What happens to an element, whatever the set and the blocking:
 *   - A tile of the source goes to the points by columns, then by rows, one channel by itself
 *     (winograd_transforms.h). Lines of source that lie in the padding are 0 and are transformed as
 *     others; columns that do become 0. The kernel goes to the points by columns, then by rows.
 *   - At each point: the products over the input channels, in order. CHAIN of them are one running
 *     multiply-add from 0; the sums of further ones are added to the first in order.
 *   - The tile of results comes back by columns, then by rows; + bias (0: none); then the
 * functions.
 *   - Backward data is the same for the gradient of the result, with the kernel turned by half a
 *     turn, its channels exchanged, and 2 - top, 2 - left rows and columns of padding.
 *
 * A tile is one computation: a NaN or an infinity in its 6 x 6 of the source makes results that the
 * definition makes so, and others of the tile, NaN or infinite. Numbers from about 1e37 up may
 * overflow on the way.
 */
#include "elementary.h"
#include "set.h"
#include "vector.h"
#include "winograd_product.h"
#include "winograd_tiles.h"
#include "winograd_transforms.h"

enum { CHAIN = 64 };

/* ---- weights ---- */

/* The matrix of a point, [input channel, output channel], lies in panels of PANEL columns, the last
 * of as many vectors as are left. From a point to the next it is no power of 2, for caches. */
static int64_t point_stride(int64_t inputs, int64_t outputs)
{
    return inputs * whole_vectors(outputs) + 80;
}

/* One vector of filters to the points, each VL wide in its matrix. */
TR_INLINE void transform_filters(vec (*w)[TAPS], float *to, int64_t point)
{
    vec columns[TAPS][POINTS];
    TR_UNROLL
    for (int x = 0; x < TAPS; x++) {
        const vec line[TAPS] = {w[0][x], w[1][x], w[2][x]};
        line_of_filter(line, columns[x]);
    }
    TR_UNROLL
    for (int i = 0; i < POINTS; i++) {
        const vec line[TAPS] = {columns[0][i], columns[1][i], columns[2][i]};
        vec at[POINTS];
        line_of_filter(line, at);
        TR_UNROLL
        for (int j = 0; j < POINTS; j++)
            v_store(to + (i * POINTS + j) * point, at[j]);
    }
}

/* The filters of VL output channels from `o`, of which there are n, and an input channel. */
TR_INLINE void load_filters(const tr_window_sizes *s, const float *kernel, int64_t i, int64_t o,
                            int64_t n, vec (*w)[TAPS])
{
    for (int y = 0; y < TAPS; y++)
        for (int x = 0; x < TAPS; x++)
            w[y][x] = v_load_n(kernel + ((y * TAPS + x) * s->ic + i) * s->oc + o, n);
}

/* The same for backward data, turned and with channels exchanged. */
TR_INLINE void load_turned(const tr_window_sizes *s, const float *kernel, int64_t o, int64_t i,
                           int64_t n, vec (*w)[TAPS])
{
    for (int y = 0; y < TAPS; y++) {
        for (int x = 0; x < TAPS; x++) {
            const int64_t tap = (TAPS - 1 - y) * TAPS + TAPS - 1 - x;
            float column[VL];
            for (int64_t c = 0; c < n; c++)
                column[c] = kernel[(tap * s->ic + i + c) * s->oc + o];
            w[y][x] = v_load_n(column, n);
        }
    }
}

/* In the order in which they lie. */
TR_INLINE void pack(const bool turned, const tr_window_sizes *s, const float *kernel,
                    int64_t inputs, int64_t outputs, float *packed)
{
    const int64_t all = whole_vectors(outputs), point = point_stride(inputs, outputs);
    for (int64_t panel = 0; panel < all; panel += PANEL) {
        const int64_t width = least(PANEL, all - panel);
        for (int64_t i = 0; i < inputs; i++) {
            for (int64_t o = panel; o < panel + width; o += VL) {
                vec w[TAPS][TAPS];
                if (turned)
                    load_turned(s, kernel, i, o, least(VL, outputs - o), w);
                else
                    load_filters(s, kernel, i, o, least(VL, outputs - o), w);
                transform_filters(w, packed + panel * inputs + i * width + o - panel, point);
            }
        }
    }
}

static size_t forward_packed(const tr_window_sizes *s)
{
    return (size_t)(ALL_POINTS * point_stride(s->ic, s->oc));
}

static void pack_forward(const tr_window_sizes *s, const float *kernel, float *packed)
{
    pack(false, s, kernel, s->ic, s->oc, packed);
}

static size_t backward_data_packed(const tr_window_sizes *s)
{
    return (size_t)(ALL_POINTS * point_stride(s->oc, s->ic));
}

static void pack_backward_data(const tr_window_sizes *s, const float *kernel, float *packed)
{
    pack(true, s, kernel, s->oc, s->ic, packed);
}

/* ---- results ---- */

/* What happens to results as they are written. */
typedef struct ending {
    const float *bias;
    bool relu;
    float alpha;
} ending;

/* One vector of channels of a tile; `whole`: all that its kind has are inside of the image, and n
 * is VL. */
TR_INLINE void result_of_tile(const bool few_rows, const bool few_columns, const bool whole,
                              const bool relu, const float alpha, vec bias, const float *products,
                              int64_t point, const tile_place *to, float *dst, int64_t n)
{
    const int n_rows = few_rows ? FEW : TILE, n_columns = few_columns ? FEW : TILE;
    vec lines[TILE][POINTS];
    TR_UNROLL
    for (int j = 0; j < POINTS; j++) {
        if (few_columns && outer_point(j))
            continue;
        vec at[POINTS], y[TILE];
        TR_UNROLL
        for (int i = 0; i < POINTS; i++)
            if (!few_rows || !outer_point(i))
                at[i] = v_load(products + (i * POINTS + j) * point);
        line_of_result(few_rows, at, y);
        TR_UNROLL
        for (int i = 0; i < n_rows; i++)
            lines[i][j] = y[i];
    }
    TR_UNROLL
    for (int i = 0; i < n_rows; i++) {
        vec y[TILE];
        line_of_result(few_columns, lines[i], y);
        TR_UNROLL
        for (int j = 0; j < n_columns; j++) {
            vec result = v_add(y[j], bias);
            if (relu)
                result = v_relu(result, alpha);
            float *out = dst + i * to->row + j * to->column;
            if (whole)
                v_store(out, result);
            else if (i < to->rows && j < to->columns)
                v_store_n(out, result, n);
        }
    }
}

TR_INLINE void result_of_channels(const bool few_rows, const bool few_columns, const bool relu,
                                  const float alpha, const float *biases, const float *products,
                                  int64_t point, const tile_place *to, float *dst, int64_t channels)
{
    int64_t c = 0;
    for (; to->whole && c + VL <= channels; c += VL)
        result_of_tile(few_rows, few_columns, true, relu, alpha,
                       biases != NULL ? v_load(biases + c) : v_set(0.0f), products + c, point, to,
                       dst + c, VL);
    for (; c < channels; c += VL) {
        const int64_t n = least(VL, channels - c);
        result_of_tile(few_rows, few_columns, false, relu, alpha,
                       biases != NULL ? v_load_n(biases + c, n) : v_set(0.0f), products + c, point,
                       to, dst + c, n);
    }
}

TR_INLINE void result_by_kind(const bool relu, const float alpha, const tr_window_sizes *s,
                              const tile *t, const point_matrices *from, const float *biases,
                              float *dst)
{
    const float *products = from->at + t->row * from->row;
    const tile_place to = place_of(s, t);
    float *first = dst + to.first;
    if (!t->few_rows && !t->few_columns)
        result_of_channels(false, false, relu, alpha, biases, products, from->point, &to, first,
                           s->oc);
    else if (!t->few_rows)
        result_of_channels(false, true, relu, alpha, biases, products, from->point, &to, first,
                           s->oc);
    else if (!t->few_columns)
        result_of_channels(true, false, relu, alpha, biases, products, from->point, &to, first,
                           s->oc);
    else
        result_of_channels(true, true, relu, alpha, biases, products, from->point, &to, first,
                           s->oc);
}

static __attribute__((noinline)) void write_results(const tr_window_sizes *s,
                                                    const tile_block *block,
                                                    const point_matrices *from, const ending *end,
                                                    float *dst)
{
    for (int i = 0; i < block->n; i++) {
        const tile *t = &block->tiles[i];
        if (!end->relu)
            result_by_kind(false, 0.0f, s, t, from, end->bias, dst);
        else if (end->alpha == 0.0f)
            result_by_kind(true, 0.0f, s, t, from, end->bias, dst);
        else
            result_by_kind(true, end->alpha, s, t, from, end->bias, dst);
    }
}

/* ---- both directions ---- */

/* Tiles that are worked on together, of which there are equally many each time: so few that their
 * matrices stay in the second-level cache, so many that the weights, which may not, are worth
 * reading. */
static int64_t tiles_together(const tr_window_sizes *s)
{
    const int64_t tiles = count_tiles(s), most = tiles <= MAX_TILES ? MAX_TILES : 36;
    const int64_t times = (tiles + most - 1) / most;
    return (tiles + times - 1) / times;
}

static size_t scratch_bytes(const tr_window_sizes *s)
{
    const int64_t tiles = tiles_together(s);
    return sizeof(float) *
           (size_t)(matrices_floats(tiles, s->ic) + matrices_floats(tiles, s->oc) + zero_line(s));
}

static void multiply_points(const tr_window_sizes *s, const tile_block *block,
                            const point_matrices *source, const float *packed,
                            const point_matrices *result)
{
    const int64_t all = whole_vectors(s->oc);
    for (int i = 0; i < ALL_POINTS; i++) {
        int from;
        const int rows = rows_of_point(block, i / POINTS, i % POINTS, &from);
        const float *a = source->at + i * source->point + from * source->row;
        float *c = result->at + i * result->point + from * result->row;
        for (int64_t o = 0; o < all; o += PANEL) {
            const int64_t width = least(PANEL, all - o);
            for (int64_t k = 0; k < s->ic; k += CHAIN)
                product_panel(
                    rows, (int)(width / VL), false,
                    (product){.terms = least(CHAIN, s->ic - k),
                              .a = a + k,
                              .a_stride = source->row,
                              .b = packed + i * point_stride(s->ic, s->oc) + o * s->ic + k * width,
                              .b_stride = width,
                              .c = c + o,
                              .c_stride = result->row,
                              .add = k > 0});
        }
    }
}

static void convolve(const tr_window_sizes *s, const float *src, const float *packed,
                     const ending *end, float *dst, void *scratch)
{
    const int64_t tiles = count_tiles(s), together = tiles_together(s);
    const point_matrices source = matrices_at(scratch, together, s->ic);
    const point_matrices result =
        matrices_at(source.at + ALL_POINTS * source.point, together, s->oc);
    float *zeros = result.at + ALL_POINTS * result.point;
    memset(zeros, 0, (size_t)zero_line(s) * sizeof *zeros);
    for (int64_t first = 0; first < tiles; first += together) {
        tile_block block;
        block_of_tiles(&block, s, first, least(together, tiles - first));
        transform_source(s, &block, src, zeros, &source);
        multiply_points(s, &block, &source, packed, &result);
        write_results(s, &block, &result, end, dst);
    }
}

static void forward(const tr_window_sizes *s, const float *src, const float *packed,
                    const tr_epilogue *epilogue, float *dst, void *scratch)
{
    const bool relu = epilogue->n_functions > 0 && epilogue->functions[0].kind == TR_FN_RELU;
    const ending end = {epilogue->bias, relu, relu ? epilogue->functions[0].alpha : 0.0f};
    convolve(s, src, packed, &end, dst, scratch);
    for (int i = relu; i < epilogue->n_functions; i++)
        TR_OF_SET(tr_functions)
            .forward(&epilogue->functions[i], s->n * s->oh * s->ow * s->oc, dst, dst);
}

/* The convolution that takes the gradient of a result to that of its source. */
static tr_window_sizes mirrored(const tr_window_sizes *s)
{
    return (tr_window_sizes){.n = s->n,
                             .ih = s->oh,
                             .iw = s->ow,
                             .ic = s->oc,
                             .oh = s->ih,
                             .ow = s->iw,
                             .oc = s->ic,
                             .kh = TAPS,
                             .kw = TAPS,
                             .sh = 1,
                             .sw = 1,
                             .top = TAPS - 1 - s->top,
                             .left = TAPS - 1 - s->left};
}

static size_t backward_data_scratch(const tr_window_sizes *s)
{
    const tr_window_sizes back = mirrored(s);
    return scratch_bytes(&back);
}

static void backward_data(const tr_window_sizes *s, const float *diff_dst, const float *packed,
                          float *diff_src, void *scratch)
{
    const tr_window_sizes back = mirrored(s);
    convolve(&back, diff_dst, packed, &(ending){0}, diff_src, scratch);
}

/* ---- which convolutions ---- */

static int64_t points_of_line(int64_t results)
{
    const int64_t left = results % TILE;
    return results / TILE * POINTS + (left == 0 ? 0 : left <= FEW ? FEW + TAPS - 1 : POINTS);
}

/* Where it is the faster one: by shape alone, as that decides about bits. The products of a point
 * count as many as they are, its transforms as much as 6 products with each channel, and two thirds
 * of the definition's products is what they may be together. Measured with AVX2 (Zen 3, 8 images,
 * the three directions together, as a share of the speed of the direct kernels of this folder):
 *
 *     14 x 14 x 32 -> 64: 2.2    16 x 16 x 128: 2.9    4 x 4 x 256: 1.7    16 x 16 x 16: 1.8
 *      3 x  3 x 64:       1.1     5 x  5 x 64:  1.4    4 x 4 x 16:  1.3    16 x 16 x 8:  1.3
 *     not taken:
 *      2 x  2 x 64:       1.0     2 x  2 x 256: 0.9    5 x 5 x 16:  0.9    28 x 28 x 1 -> 32: 1.0
 */
static bool takes(const tr_window_sizes *s)
{
    const bool dense = s->groups <= 1 && s->dh == 0 && s->dw == 0;
    const bool possible = dense && s->kh == TAPS && s->kw == TAPS && s->sh == 1 && s->sw == 1 &&
                          s->top >= 0 && s->top < TAPS && s->left >= 0 && s->left < TAPS;
    const int64_t points = points_of_line(s->oh) * points_of_line(s->ow);
    const int64_t products = s->ic * s->oc, transforms = 6 * (s->ic + s->oc);
    return possible && s->oh > FEW && s->ow > FEW &&
           points * (products + transforms) <= 6 * s->oh * s->ow * products;
}

const tr_conv_kernels TR_OF_SET(tr_winograd) = {
    .name = "winograd",
    .takes = takes,
    .forward_packed = forward_packed,
    .pack_forward = pack_forward,
    .forward_scratch = scratch_bytes,
    .forward = forward,
    .backward_data_packed = backward_data_packed,
    .pack_backward_data = pack_backward_data,
    .backward_data_scratch = backward_data_scratch,
    .backward_data = backward_data,
    .backward_weights_scratch = TR_OF_SET(tr_winograd_weights_scratch),
    .backward_weights = TR_OF_SET(tr_winograd_weights),
};
