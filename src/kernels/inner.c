/* inner.c -- the dense product in its three directions.
 *
 * A result is a sum over inputs (forward), units (backward data) or images (weights), in one of the
 * two orders of inner_blocks.h, by the shape alone:
 *     forward            by dots up to FEW_UNITS units, on transposed weights; else by columns
 *     backward data      by columns up to SOME_UNITS units, on transposed weights; else by dots
 *     backward weights   by columns
 * Then the bias is added, and the functions follow. The gradient of the bias: chains of additions
 * over CHAIN images, whose sums are added in order.
 *
 * Weights that are read in the order of the parameter are not packed: their copy, once a step,
 * would cost as much as a product with a few images.
 */
#include "inner_blocks.h"
#include "set.h"

enum {
    FEW_UNITS = 16,    /* that fill no vectors */
    SOME_UNITS = CHAIN /* more of them outweigh the tree at the end of a dot product */
};

/* packed[units, inputs] in tiles, of which each line in the cache is used up. */
static void transpose(const tr_inner_sizes *s, const float *kernel, float *packed)
{
    enum { TILE = 16 };
    for (int64_t i = 0; i < s->inputs; i += TILE)
        for (int64_t u = 0; u < s->units; u += TILE) {
            const int64_t end_i = least(i + TILE, s->inputs), end_u = least(u + TILE, s->units);
            for (int64_t unit = u; unit < end_u; unit++)
                for (int64_t input = i; input < end_i; input++)
                    packed[unit * s->inputs + input] = kernel[input * s->units + unit];
        }
}

/* ---- forward ---- */

static size_t forward_packed(const tr_inner_sizes *s)
{
    return s->units <= FEW_UNITS ? (size_t)(s->inputs * s->units) : 0;
}

static size_t forward_scratch(const tr_inner_sizes *s)
{
    return s->units <= FEW_UNITS
               ? 0
               : (size_t)columns_scratch(s->n, s->units, s->inputs) * sizeof(float);
}

static void forward(const tr_inner_sizes *s, const float *src, const float *packed,
                    const tr_epilogue *epilogue, float *dst, void *scratch)
{
    if (s->units <= FEW_UNITS)
        product_by_dots(s->n, s->units, s->inputs, src, packed, dst);
    else
        product_by_columns(s->n, s->units, s->inputs, (matrix){src, s->inputs, 1}, packed, dst,
                           scratch);
    for (int64_t row = 0; epilogue->bias != NULL && row < s->n; row++)
        add_to(dst + row * s->units, epilogue->bias, s->units);
    for (int i = 0; i < epilogue->n_functions; i++)
        TR_OF_SET(tr_functions).forward(&epilogue->functions[i], s->n * s->units, dst, dst);
}

/* ---- backward ---- */

static size_t backward_data_packed(const tr_inner_sizes *s)
{
    return s->units <= SOME_UNITS ? (size_t)(s->inputs * s->units) : 0;
}

/* By columns there are few units, and one chain. */
static size_t backward_data_scratch(const tr_inner_sizes *s)
{
    (void)s;
    return 0;
}

static void backward_data(const tr_inner_sizes *s, const float *diff_dst, const float *packed,
                          float *diff_src, void *scratch)
{
    (void)scratch;
    if (s->units <= SOME_UNITS)
        product_by_columns(s->n, s->inputs, s->units, (matrix){diff_dst, s->units, 1}, packed,
                           diff_src, NULL);
    else
        product_by_dots(s->n, s->inputs, s->units, diff_dst, packed, diff_src);
}

/* Of up to VL units. */
TR_INLINE vec bias_gradient(const tr_inner_sizes *s, const float *diff_dst, int64_t n)
{
    vec sum = v_set(0.0f);
    for (int64_t from = 0; from < s->n; from += CHAIN) {
        vec chain = v_set(0.0f);
        for (int64_t row = from; row < least(from + CHAIN, s->n); row++) {
            const float *at = diff_dst + row * s->units;
            chain = v_add(chain, n < VL ? v_load_n(at, n) : v_load(at));
        }
        sum = from == 0 ? chain : v_add(sum, chain);
    }
    return sum;
}

static size_t backward_weights_scratch(const tr_inner_sizes *s)
{
    return (size_t)columns_scratch(s->inputs, s->units, s->n) * sizeof(float);
}

static void backward_weights(const tr_inner_sizes *s, const float *src, const float *diff_dst,
                             float *diff_kernel, float *diff_bias, void *scratch)
{
    product_by_columns(s->inputs, s->units, s->n, (matrix){src, 1, s->inputs}, diff_dst,
                       diff_kernel, scratch);
    if (diff_bias == NULL)
        return;
    int64_t u = 0;
    for (; u + VL <= s->units; u += VL)
        v_store(diff_bias + u, bias_gradient(s, diff_dst + u, VL));
    if (u < s->units)
        v_store_n(diff_bias + u, bias_gradient(s, diff_dst + u, s->units - u), s->units - u);
}

const tr_inner_kernels TR_OF_SET(tr_inner) = {
    .forward_packed = forward_packed,
    .pack_forward = transpose,
    .forward_scratch = forward_scratch,
    .forward = forward,
    .backward_data_packed = backward_data_packed,
    .pack_backward_data = transpose,
    .backward_data_scratch = backward_data_scratch,
    .backward_data = backward_data,
    .backward_weights_scratch = backward_weights_scratch,
    .backward_weights = backward_weights,
};
