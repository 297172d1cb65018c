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
 * of as many vectors as are left. */
static size_t packed_floats(int64_t inputs, int64_t outputs)
{
    return (size_t)(ALL_POINTS * inputs * whole_vectors(outputs));
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

/* Where the VL columns from `output` of the row of an input channel lie in the matrix of a point.
 */
TR_INLINE int64_t place(int64_t inputs, int64_t outputs, int64_t input, int64_t output)
{
    const int64_t panel = output / PANEL * PANEL;
    const int64_t width = least(PANEL, whole_vectors(outputs) - panel);
    return panel * inputs + input * width + output - panel;
}

static size_t forward_packed(const tr_window_sizes *s)
{
    return packed_floats(s->ic, s->oc);
}

static void pack_forward(const tr_window_sizes *s, const float *kernel, float *packed)
{
    const int64_t point = s->ic * whole_vectors(s->oc);
    for (int64_t o = 0; o < s->oc; o += VL) {
        for (int64_t i = 0; i < s->ic; i++) {
            vec w[TAPS][TAPS];
            for (int y = 0; y < TAPS; y++)
                for (int x = 0; x < TAPS; x++)
                    w[y][x] = v_load_n(kernel + ((y * TAPS + x) * s->ic + i) * s->oc + o,
                                       least(VL, s->oc - o));
            transform_filters(w, packed + place(s->ic, s->oc, i, o), point);
        }
    }
}

static size_t backward_data_packed(const tr_window_sizes *s)
{
    return packed_floats(s->oc, s->ic);
}

static void pack_backward_data(const tr_window_sizes *s, const float *kernel, float *packed)
{
    const int64_t point = s->oc * whole_vectors(s->ic);
    for (int64_t i = 0; i < s->ic; i += VL) {
        const int64_t n = least(VL, s->ic - i);
        for (int64_t o = 0; o < s->oc; o++) {
            vec w[TAPS][TAPS];
            for (int y = 0; y < TAPS; y++) {
                for (int x = 0; x < TAPS; x++) {
                    const int64_t turned = (TAPS - 1 - y) * TAPS + TAPS - 1 - x;
                    float column[VL];
                    for (int64_t c = 0; c < n; c++)
                        column[c] = kernel[(turned * s->ic + i + c) * s->oc + o];
                    w[y][x] = v_load_n(column, n);
                }
            }
            transform_filters(w, packed + place(s->oc, s->ic, o, i), point);
        }
    }
}

/* ---- results ---- */

typedef struct ending {
    const float *bias;
    bool relu;
    float alpha;
} ending;

TR_INLINE void result_of_tile(const bool few_rows, const bool few_columns, const bool relu,
                              const tr_window_sizes *s, const tile *t, const point_matrices *from,
                              const ending *end, float *dst)
{
    const int most_rows = few_rows ? FEW : TILE, most_columns = few_columns ? FEW : TILE;
    const int rows = (int)least(most_rows, s->oh - t->y);
    const int columns = (int)least(most_columns, s->ow - t->x);
    float *corner = dst + ((t->image * s->oh + t->y) * s->ow + t->x) * s->oc;
    for (int64_t c = 0; c < s->oc; c += VL) {
        const float *products = from->at + t->row * from->row + c;
        const int64_t n = least(VL, s->oc - c);
        const vec bias = end->bias != NULL ? v_load_n(end->bias + c, n) : v_set(0.0f);
        vec lines[TILE][POINTS];
        TR_UNROLL
        for (int j = 0; j < POINTS; j++) {
            if (few_columns && outer_point(j))
                continue;
            vec at[POINTS], y[TILE];
            TR_UNROLL
            for (int i = 0; i < POINTS; i++)
                if (!few_rows || !outer_point(i))
                    at[i] = v_load(products + (i * POINTS + j) * from->point);
            line_of_result(few_rows, at, y);
            TR_UNROLL
            for (int i = 0; i < most_rows; i++)
                lines[i][j] = y[i];
        }
        for (int i = 0; i < rows; i++) {
            vec y[TILE];
            line_of_result(few_columns, lines[i], y);
            TR_UNROLL
            for (int j = 0; j < most_columns; j++) {
                if (j >= columns)
                    break;
                vec result = v_add(y[j], bias);
                if (relu)
                    result = v_relu(result, end->alpha);
                float *out = corner + (i * s->ow + j) * s->oc + c;
                if (n == VL)
                    v_store(out, result);
                else
                    v_store_n(out, result, n);
            }
        }
    }
}

TR_INLINE void result_by_kind(const bool relu, const tr_window_sizes *s, const tile *t,
                              const point_matrices *from, const ending *end, float *dst)
{
    if (!t->few_rows && !t->few_columns)
        result_of_tile(false, false, relu, s, t, from, end, dst);
    else if (!t->few_rows)
        result_of_tile(false, true, relu, s, t, from, end, dst);
    else if (!t->few_columns)
        result_of_tile(true, false, relu, s, t, from, end, dst);
    else
        result_of_tile(true, true, relu, s, t, from, end, dst);
}

/* ---- both directions ---- */

/* Tiles that are worked on together: their matrices stay in the second-level cache. */
static int64_t tiles_together(const tr_window_sizes *s)
{
    return least(32, count_tiles(s));
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
                product_panel(rows, (int)(width / VL), false,
                              (product){.terms = least(CHAIN, s->ic - k),
                                        .a = a + k,
                                        .a_stride = source->row,
                                        .b = packed + (i * all + o) * s->ic + k * width,
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
        for (int t = 0; t < block.n; t++) {
            if (end->relu)
                result_by_kind(true, s, &block.tiles[t], &result, end, dst);
            else
                result_by_kind(false, s, &block.tiles[t], &result, end, dst);
        }
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

/* By shape alone, as it decides about bits: few channels leave the transforms as dear as what they
 * save, and of small images most of a tile is padding. */
static bool takes(const tr_window_sizes *s)
{
    return s->kh == TAPS && s->kw == TAPS && s->sh == 1 && s->sw == 1 && s->top >= 0 &&
           s->top < TAPS && s->left >= 0 && s->left < TAPS && s->ic >= 16 && s->oc >= 16 &&
           s->oh > TILE && s->ow > TILE;
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
