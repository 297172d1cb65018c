/* own_activation.c -- an elementary function of every element by kernels of our own; see own.h.
 * Also where oneDNN computes all else, but does not have the function: then on any layout, padding
 * of blocks included, and on bfloat16, which is made float32 and back, block after block.
 */
#include "bfloat16.h"
#include "instruction_set.h"
#include "mem.h"
#include "own.h"
#include "pixels.h"
#include "unpack.h"

enum { BLOCK = 512 }; /* elements of bfloat16 */

typedef struct plan {
    tr_function function;
    int64_t count; /* elements of the memory */
    tr_precision type;
    const tr_function_kernels *by;
} plan;

static void widen(const uint16_t *restrict from, int64_t n, float *restrict to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = tr_from_bfloat16(from[i]);
}

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    float *values = scratch;
    if (self->type == TR_FLOAT32) {
        self->by->forward(&self->function, self->count, data[0], data[1]);
        return;
    }
    for (int64_t at = 0; at < self->count; at += BLOCK) {
        const int64_t n = self->count - at < BLOCK ? self->count - at : BLOCK;
        widen((const uint16_t *)data[0] + at, n, values);
        self->by->forward(&self->function, n, values, values);
        tr_pixels_write(values, n, self->type, tr_element(data[1], self->type, at));
    }
}

/* data: src or dst, diff_dst, diff_src */
static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    float *from = scratch, *diff = from + BLOCK, *out = diff + BLOCK;
    if (self->type == TR_FLOAT32) {
        self->by->backward(&self->function, self->count, data[0], data[1], data[2]);
        return;
    }
    for (int64_t at = 0; at < self->count; at += BLOCK) {
        const int64_t n = self->count - at < BLOCK ? self->count - at : BLOCK;
        widen((const uint16_t *)data[0] + at, n, from);
        widen((const uint16_t *)data[1] + at, n, diff);
        self->by->backward(&self->function, n, from, diff, out);
        tr_pixels_write(out, n, self->type, tr_element(data[2], self->type, at));
    }
}

static tr_status add(tr_program *program, tr_activation activation, const tr_function *function,
                     tr_direction direction, const tr_arg *args, int n_args, tr_error *err)
{
    const tr_kernels *own = tr_program_own(program);
    own = own != NULL ? own : tr_program_beside(program);
    if (own == NULL)
        return tr_fail(err, TR_ERR_CONFIG,
                       "layer %s: the function %s wants a CPU with a fused multiply-add (AVX2 and "
                       "FMA); use another activation",
                       program->layer, tr_activation_names[activation.name]);
    plan *self = tr_alloc(1, sizeof *self);
    if (self != NULL && args[0].value != TR_NO_VALUE) {
        const tr_layout layout = tr_program_layout(program, args[0].value);
        self->function = *function;
        self->type = tr_layout_type(layout);
        self->count = (int64_t)tr_layout_bytes(layout) / (self->type == TR_FLOAT32 ? 4 : 2);
        self->by = own->function;
    }
    tr_native native = {.run = direction == TR_DIR_FORWARD ? run_forward : run_backward,
                        .plan = self,
                        .scratch_bytes = 3 * BLOCK * sizeof(float)};
    const tr_meaning meaning = {.kind = TR_KIND_ELTWISE,
                                .direction = direction,
                                .activation = activation,
                                .function = *function};
    tr_own_name(&native, "function", own);
    return tr_program_add_native(program, &native, &meaning, args, n_args, err);
}

/* Padding stays 0. */
static tr_status order(tr_program *program, const tr_function *function, tr_value *value,
                       tr_error *err)
{
    if (tr_program_own(program) != NULL)
        return tr_program_own_order(program, value, err);
    const tr_layout layout = tr_program_layout(program, *value);
    if (!tr_function_moves_zero(function) || !tr_layout_is_padded(layout))
        return TR_OK;
    return tr_program_reorder(program, *value, tr_layout_plain(program->dnn, layout), value, err);
}

tr_status tr_own_function_forward(tr_program *program, tr_activation activation,
                                  const tr_function *function, tr_value src, tr_value *dst,
                                  tr_error *err)
{
    TR_TRY(order(program, function, &src, err));
    *dst = tr_program_value(program, tr_program_layout(program, src));
    const tr_arg args[] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, *dst}};
    return add(program, activation, function, TR_DIR_FORWARD, args, 2, err);
}

tr_status tr_own_function_backward(tr_program *program, tr_activation activation,
                                   const tr_function *function, tr_value from, tr_value diff_dst,
                                   tr_value *diff_src, tr_error *err)
{
    TR_TRY(order(program, function, &from, err));
    const tr_layout layout = tr_program_layout(program, from);
    TR_TRY(tr_program_reorder(program, diff_dst, layout, &diff_dst, err));
    *diff_src = tr_program_value(program, layout);
    const bool of_result = tr_function_derivative(function) == TR_FROM_DST;
    const tr_arg args[] = {{of_result ? DNNL_ARG_DST : DNNL_ARG_SRC, from},
                           {DNNL_ARG_DIFF_DST, diff_dst},
                           {DNNL_ARG_DIFF_SRC, *diff_src}};
    return add(program, activation, function, TR_DIR_BACKWARD_DATA, args, 3, err);
}
