/* winograd_weights.c -- the gradient of the weights of a 3 x 3 convolution by Winograd's F(4, 3).
 *
 * The transpose of what winograd.c computes: tiles of the source and of the result's gradient go to
 * the points, are multiplied there, and their sums come back as 3 x 3 gradients. The chain of an
 * element:
 *   - Both tiles go to the points by columns, then by rows (winograd_transforms.h); results outside
 *     of the image are 0.
 *   - The tiles, as winograd_tiles.h counts them, are cut into blocks of TOGETHER. At each point
 * the products of a block are one running multiply-add from 0, over the tiles in the order in which
 *     the block sorts them; the sums of further blocks are added to the first's in order.
 *   - The sums come back by columns, then by rows.
 *   - The gradient of a bias: in each tile the running sum over its pixels, by columns, from 0; in
 *     each block the running sum of those from 0; the running sum of the blocks from 0.
 */
#include "set.h"
#include "vector.h"
#include "winograd_product.h"
#include "winograd_tiles.h"
#include "winograd_transforms.h"

enum { TOGETHER = 48 }; /* part of the result */

/* How the work is cut, which does not change the result: blocks whose matrices are held at the same
 * time, and the channels of the sums at the points that are. Either one block is held, and the sums
 * of all channels; or, where those are more memory, all blocks and the sums of a few channels. */
typedef struct cut {
    int64_t blocks, held; /* of tiles */
    int64_t inputs, outputs;
    int64_t rows; /* of the matrices of a block */
} cut;

static cut cut_of(const tr_window_sizes *s)
{
    const int64_t tiles = count_tiles(s), outputs = whole_vectors(s->oc);
    cut c = {.blocks = (tiles + TOGETHER - 1) / TOGETHER, .held = 1};
    c.rows = least(tiles, TOGETHER);
    c.inputs = s->ic;
    c.outputs = outputs;
    if (c.blocks == 1 || tiles * (s->ic + outputs) < s->ic * outputs) {
        c.held = c.blocks;
        c.inputs = least(s->ic, 24);
        c.outputs = least(outputs, 64);
    }
    return c;
}

/* Where things lie in the scratch memory, in floats. */
typedef struct layout {
    int64_t source, gradient;             /* matrices of the first block that is held */
    int64_t source_block, gradient_block; /* from a block to the next */
    int64_t sums, sums_point;             /* [point, input, output] */
    int64_t bias;                         /* gradients of a block */
    int64_t zeros, end;
} layout;

static layout layout_of(const tr_window_sizes *s, const cut *c)
{
    layout l = {.source_block = matrices_floats(c->rows, s->ic),
                .gradient_block = matrices_floats(c->rows, s->oc),
                .sums_point = c->inputs * c->outputs + 80};
    l.gradient = l.source + c->held * l.source_block;
    l.sums = l.gradient + c->held * l.gradient_block;
    l.bias = l.sums + ALL_POINTS * l.sums_point;
    l.zeros = l.bias + whole_vectors(s->oc);
    l.end = l.zeros + zero_line(s);
    return l;
}

size_t TR_OF_SET(tr_winograd_weights_scratch)(const tr_window_sizes *s)
{
    const cut c = cut_of(s);
    return (size_t)layout_of(s, &c).end * sizeof(float);
}

/* ---- the gradient of the result at the points ---- */

/* One vector of channels of a tile; returns the sum of its pixels. `whole`: none is outside of the
 * image, and n is VL. */
TR_INLINE vec gradient_of_tile(const bool few_rows, const bool few_columns, const bool whole,
                               const float *from, const tile_place *place, int64_t n, float *to,
                               int64_t point)
{
    const int rows = few_rows ? FEW : TILE, columns = few_columns ? FEW : TILE;
    vec lines[POINTS][TILE], sum = v_set(0.0f);
    TR_UNROLL
    for (int x = 0; x < columns; x++) {
        vec y[TILE], at[POINTS];
        TR_UNROLL
        for (int i = 0; i < rows; i++) {
            const float *pixel = from + i * place->row + x * place->column;
            if (whole)
                y[i] = v_load(pixel);
            else
                y[i] = i < place->rows && x < place->columns ? v_load_n(pixel, n) : v_set(0.0f);
            sum = v_add(sum, y[i]);
        }
        line_of_gradient(few_rows, y, at);
        TR_UNROLL
        for (int i = 0; i < POINTS; i++)
            if (!few_rows || !outer_point(i))
                lines[i][x] = at[i];
    }
    for (int i = 0; i < POINTS; i++) {
        if (few_rows && outer_point(i))
            continue;
        vec at[POINTS];
        line_of_gradient(few_columns, lines[i], at);
        TR_UNROLL
        for (int j = 0; j < POINTS; j++)
            if (!few_columns || !outer_point(j))
                v_store(to + (i * POINTS + j) * point, at[j]);
    }
    return sum;
}

TR_INLINE void gradient_by_kind(const bool few_rows, const bool few_columns,
                                const tr_window_sizes *s, const tile *t, const float *diff_dst,
                                const point_matrices *to, float *bias)
{
    const tile_place place = place_of(s, t);
    const float *from = diff_dst + place.first;
    float *out = to->at + t->row * to->row;
    for (int64_t c = 0; c < s->oc; c += VL) {
        const int64_t n = least(VL, s->oc - c);
        const vec sum = place.whole && n == VL
                            ? gradient_of_tile(few_rows, few_columns, true, from + c, &place, n,
                                               out + c, to->point)
                            : gradient_of_tile(few_rows, few_columns, false, from + c, &place, n,
                                               out + c, to->point);
        v_store(bias + c, v_add(v_load(bias + c), sum));
    }
}

/* The tiles of a block, in the order in which they are counted. */
static __attribute__((noinline)) void transform_gradient(const tr_window_sizes *s,
                                                         const tile_block *block,
                                                         const float *diff_dst,
                                                         const point_matrices *to, float *bias)
{
    for (int i = 0; i < block->n; i++) {
        const tile *t = &block->tiles[i];
        if (!t->few_rows && !t->few_columns)
            gradient_by_kind(false, false, s, t, diff_dst, to, bias);
        else if (!t->few_rows)
            gradient_by_kind(false, true, s, t, diff_dst, to, bias);
        else if (!t->few_columns)
            gradient_by_kind(true, false, s, t, diff_dst, to, bias);
        else
            gradient_by_kind(true, true, s, t, diff_dst, to, bias);
    }
}

/* ---- sums ---- */

typedef struct work {
    const tr_window_sizes *sizes;
    layout layout;
    float *scratch;
    point_matrices source, gradient; /* of the first block that is held */
} work;

/* The tiles of a block to the points; their bias gradients are added to those before. */
static void transform_block(const work *w, const tile_block *block, int64_t held, const float *src,
                            const float *diff_dst, float *diff_bias)
{
    const tr_window_sizes *s = w->sizes;
    point_matrices source = w->source, gradient = w->gradient;
    source.at += held * w->layout.source_block;
    gradient.at += held * w->layout.gradient_block;
    float *bias = w->scratch + w->layout.bias;
    const float *zeros = w->scratch + w->layout.zeros;
    memset(bias, 0, (size_t)whole_vectors(s->oc) * sizeof *bias);
    transform_source(s, block, src, zeros, &source);
    transform_gradient(s, block, diff_dst, &gradient, bias);
    for (int64_t o = 0; diff_bias != NULL && o < s->oc; o++)
        diff_bias[o] += bias[o];
}

/* Input channels from `input`, output channels from `output`. */
typedef struct channels {
    int64_t input, inputs, output, outputs;
} channels;

/* The products of a block at all points. */
static void multiply_block(const work *w, const tile_block *block, int64_t held,
                           const channels *part, bool add)
{
    for (int point = 0; point < ALL_POINTS; point++) {
        int from;
        const int terms = rows_of_point(block, point / POINTS, point % POINTS, &from);
        const float *a = w->source.at + held * w->layout.source_block + point * w->source.point +
                         from * w->source.row + part->input;
        const float *b = w->gradient.at + held * w->layout.gradient_block +
                         point * w->gradient.point + from * w->gradient.row + part->output;
        float *c = w->scratch + w->layout.sums + point * w->layout.sums_point;
        for (int64_t o = 0; o < part->outputs; o += PANEL)
            product_panel((int)part->inputs, (int)(least(PANEL, part->outputs - o) / VL), true,
                          (product){.terms = terms,
                                    .a = a,
                                    .a_stride = w->source.row,
                                    .b = b + o,
                                    .b_stride = w->gradient.row,
                                    .c = c + o,
                                    .c_stride = part->outputs,
                                    .add = add});
    }
}

/* The sums back to the gradients of taps. */
static void write_taps(const work *w, const channels *part, int64_t i, int64_t o,
                       float *diff_kernel)
{
    const tr_window_sizes *s = w->sizes;
    const float *sums = w->scratch + w->layout.sums + i * part->outputs + o;
    const int64_t n = least(VL, s->oc - part->output - o);
    vec lines[TAPS][POINTS];
    TR_UNROLL
    for (int x = 0; x < POINTS; x++) {
        vec at[POINTS], taps[TAPS];
        TR_UNROLL
        for (int y = 0; y < POINTS; y++)
            at[y] = v_load(sums + (y * POINTS + x) * w->layout.sums_point);
        line_of_filter_gradient(at, taps);
        TR_UNROLL
        for (int y = 0; y < TAPS; y++)
            lines[y][x] = taps[y];
    }
    for (int y = 0; y < TAPS; y++) {
        vec taps[TAPS];
        line_of_filter_gradient(lines[y], taps);
        TR_UNROLL
        for (int x = 0; x < TAPS; x++) {
            float *to =
                diff_kernel + ((y * TAPS + x) * s->ic + part->input + i) * s->oc + part->output + o;
            if (n == VL)
                v_store(to, taps[x]);
            else
                v_store_n(to, taps[x], n);
        }
    }
}

static tile_block block_at(const tr_window_sizes *s, int64_t k)
{
    tile_block block;
    block_of_tiles(&block, s, k * TOGETHER, least(TOGETHER, count_tiles(s) - k * TOGETHER));
    return block;
}

/* The blocks from `first` that are held: the sums at the points of some channels, and after the
 * last block their taps. */
static void sum_blocks(const work *w, const cut *c, int64_t first, const channels *part,
                       float *diff_kernel)
{
    for (int64_t k = 0; k < c->held; k++) {
        const tile_block block = block_at(w->sizes, first + k);
        multiply_block(w, &block, k, part, first + k > 0);
    }
    if (first + c->held < c->blocks)
        return;
    for (int64_t i = 0; i < part->inputs; i++)
        for (int64_t o = 0; o < part->outputs; o += VL)
            write_taps(w, part, i, o, diff_kernel);
}

void TR_OF_SET(tr_winograd_weights)(const tr_window_sizes *s, const float *src,
                                    const float *diff_dst, float *diff_kernel, float *diff_bias,
                                    void *scratch)
{
    const cut c = cut_of(s);
    const int64_t outputs = whole_vectors(s->oc);
    work w = {.sizes = s, .layout = layout_of(s, &c), .scratch = scratch};
    w.source = matrices_at(w.scratch + w.layout.source, c.rows, s->ic);
    w.gradient = matrices_at(w.scratch + w.layout.gradient, c.rows, s->oc);
    memset(w.scratch + w.layout.zeros, 0,
           (size_t)(w.layout.end - w.layout.zeros) * sizeof *w.scratch);
    if (diff_bias != NULL)
        memset(diff_bias, 0, (size_t)s->oc * sizeof *diff_bias);
    for (int64_t first = 0; first < c.blocks; first += c.held) {
        for (int64_t k = 0; k < c.held; k++) {
            const tile_block block = block_at(s, first + k);
            transform_block(&w, &block, k, src, diff_dst, diff_bias);
        }
        for (int64_t i = 0; i < s->ic; i += c.inputs) {
            for (int64_t o = 0; o < outputs; o += c.outputs) {
                const channels part = {i, least(c.inputs, s->ic - i), o,
                                       least(c.outputs, outputs - o)};
                sum_blocks(&w, &c, first, &part, diff_kernel);
            }
        }
    }
}
