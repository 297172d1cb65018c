/* own_activation.c -- an elementary function of every element by kernels of our own; see own.h. */
#include "mem.h"
#include "own.h"
#include "unpack.h"

typedef struct plan {
    tr_function function;
    int64_t count;
    const tr_function_kernels *by;
} plan;

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    self->by->forward(&self->function, self->count, data[0], data[1]);
}

/* data: src or dst, diff_dst, diff_src */
static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    self->by->backward(&self->function, self->count, data[0], data[1], data[2]);
}

static tr_status add(tr_program *program, tr_activation activation, const tr_function *function,
                     tr_direction direction, const tr_arg *args, int n_args, tr_error *err)
{
    const tr_kernels *own = tr_program_own(program);
    plan *self = tr_alloc(1, sizeof *self);
    if (self != NULL && args[0].value != TR_NO_VALUE)
        *self = (plan){.function = *function,
                       .count = tr_layout_elements(tr_program_layout(program, args[0].value)),
                       .by = own->function};
    tr_native native = {.run = direction == TR_DIR_FORWARD ? run_forward : run_backward,
                        .plan = self};
    const tr_meaning meaning = {.kind = TR_KIND_ELTWISE,
                                .direction = direction,
                                .activation = activation,
                                .function = *function};
    tr_own_name(&native, "function", own);
    return tr_program_add_native(program, &native, &meaning, args, n_args, err);
}

tr_status tr_own_function_forward(tr_program *program, tr_activation activation,
                                  const tr_function *function, tr_value src, tr_value *dst,
                                  tr_error *err)
{
    TR_TRY(tr_program_own_order(program, &src, err));
    *dst = tr_program_value(program, tr_program_layout(program, src));
    const tr_arg args[] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, *dst}};
    return add(program, activation, function, TR_DIR_FORWARD, args, 2, err);
}

tr_status tr_own_function_backward(tr_program *program, tr_activation activation,
                                   const tr_function *function, tr_value from, tr_value diff_dst,
                                   tr_value *diff_src, tr_error *err)
{
    TR_TRY(tr_program_own_order(program, &from, err));
    const tr_layout layout = tr_program_layout(program, from);
    TR_TRY(tr_program_reorder(program, diff_dst, layout, &diff_dst, err));
    *diff_src = tr_program_value(program, layout);
    const bool of_result = tr_function_derivative(function) == TR_FROM_DST;
    const tr_arg args[] = {{of_result ? DNNL_ARG_DST : DNNL_ARG_SRC, from},
                           {DNNL_ARG_DIFF_DST, diff_dst},
                           {DNNL_ARG_DIFF_SRC, *diff_src}};
    return add(program, activation, function, TR_DIR_BACKWARD_DATA, args, 3, err);
}
