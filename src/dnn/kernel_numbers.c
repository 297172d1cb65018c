/* kernel_numbers.c -- see kernel_numbers.h. */
#include "kernel_numbers.h"

#include <math.h>

#include "normalization.h"
#include "unpack.h"
#include "verify_internal.h"

/* splitmix64 (Steele, Lea and Flood, 2014). */
uint64_t tr_noise_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

float tr_recipe_next(void *recipe_)
{
    tr_recipe *self = recipe_;
    const uint64_t bits = tr_noise_bits(&self->state);
    const float share = (float)(bits >> 40) * 0x1p-24f; /* [0, 1) */
    if (self->largest == 0)
        return self->low + (self->high - self->low) * share;
    if ((double)share >= self->density)
        return 0.0f;
    const float size = (float)(1 + ((bits & 0xffff) * (uint64_t)self->largest >> 16));
    return self->both_signs && (bits & 0x10000) != 0 ? -size : size;
}

/* ---- filling ---- */

/* Of gradients they may be any. */
static void fill_sums(tr_recipe *recipe, const tr_op *op, int role, double *sums, int64_t count)
{
    const int64_t n_groups = op->meaning.sharing.n_groups > 0 ? op->meaning.sharing.n_groups : 1;
    const int64_t period = count / n_groups, c = (period - 1) / 2;
    for (int64_t i = 0; i < count; i++) {
        const double value = (double)tr_recipe_next(recipe);
        const int64_t k = i % period;
        sums[i] = role != DNNL_ARG_SRC ? value : k == 0 ? 8.0 : k > c ? value + 2.0 : value;
    }
}

static void clear_padding(const tr_op *op, const tr_program *program, int role, float *factors,
                          int64_t count)
{
    const int64_t rows = role == DNNL_ARG_SRC_1 ? TR_N_FACTORS : TR_N_BACK_FACTORS;
    const int64_t padded = count / rows / op->meaning.sharing.n_groups;
    int64_t dims[4];
    tr_layout_dims(program->values[op->args[0].value].layout, dims);
    for (int64_t i = 0; i < count; i++)
        if (i % padded >= dims[1])
            factors[i] = 0.0f;
}

tr_status tr_recipe_fill(tr_recipe *recipe, const tr_program *program, const tr_op *op,
                         const tr_arg *arg, void *memory, tr_error *err)
{
    const tr_value_box *value = &program->values[arg->value];
    const bool factors = arg->role == DNNL_ARG_SRC_1 || arg->role == DNNL_ARG_SRC_2;
    if (value->n_doubles > 0) {
        fill_sums(recipe, op, arg->role, memory, value->n_doubles);
        return TR_OK;
    }
    if (arg->role == DNNL_ARG_VARIANCE)
        recipe->low = 0.1f;
    TR_TRY(tr_layout_fill(value->layout, memory, tr_recipe_next, recipe, err));
    if (factors && op->meaning.kind == TR_KIND_APPLICATION)
        clear_padding(op, program, arg->role, memory, tr_layout_elements(value->layout));
    return TR_OK;
}

/* ---- recipes ---- */

bool tr_is_weighted(const tr_op *op)
{
    return op->meaning.kind == TR_KIND_CONVOLUTION || op->meaning.kind == TR_KIND_INNER_PRODUCT;
}

double tr_count_terms(const tr_program *program, const tr_op *op)
{
    double terms = 1.0;
    const bool gradient = op->info.direction == TR_DIR_BACKWARD_WEIGHTS;
    const int summed = op->info.direction == TR_DIR_FORWARD ? 1 : 0; /* dimension of the kernel */
    for (int i = 0; i < op->n_args; i++) {
        int64_t d[4];
        const int n = tr_layout_dims(program->values[op->args[i].value].layout, d);
        if (op->args[i].role != (gradient ? DNNL_ARG_DIFF_DST : DNNL_ARG_WEIGHTS))
            continue;
        for (int k = 0; k < n; k++)
            terms *= k >= 2 || k == (gradient ? 0 : summed) ? (double)d[k] : 1.0;
    }
    return summed == 0 && !gradient ? terms / (double)tr_groups_of(&op->meaning.geometry) : terms;
}

tr_recipe tr_noise(const tr_program *program, const tr_op *op)
{
    const bool eltwise =
        op->meaning.kind == TR_KIND_ELTWISE && op->info.direction == TR_DIR_FORWARD;
    float high = eltwise ? 4.0f : 1.0f;
    if (tr_is_weighted(op) && op->info.direction == TR_DIR_FORWARD)
        high = (float)pow(9.0 / tr_count_terms(program, op), 0.25);
    return (tr_recipe){.low = -high, .high = high};
}

tr_recipe tr_whole_numbers(const tr_program *program, const tr_op *op, bool both_signs)
{
    double limit = 0x1p24;
    if (op->meaning.kind == TR_KIND_REORDER)
        return (tr_recipe){.largest = 255, .density = 1.0, .both_signs = both_signs};
    for (int i = 0; i < op->n_args; i++)
        if (tr_result_name(op->info.direction, op->args[i].role) != NULL &&
            tr_layout_type(program->values[op->args[i].value].layout) == TR_BFLOAT16)
            limit = 0x1p8;
    const double terms = tr_count_terms(program, op);
    tr_recipe made = {.largest = 1, .density = 1.0, .both_signs = both_signs};
    if (9.0 * terms < 0.5 * limit)
        made.largest = 3;
    else if (both_signs)
        made.density = fmin(1.0, 0.1 * limit / sqrt(terms));
    else
        made.density = fmin(1.0, sqrt(9.0 / 16.0 * limit / terms));
    return made;
}
