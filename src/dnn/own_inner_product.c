/* own_inner_product.c -- the dense product by kernels of our own in its three directions; see
 * own.h. An image is seen as the vector that Keras's Flatten makes of it: with channels last, the
 * same memory.
 */
#include "mem.h"
#include "own.h"
#include "weighted.h"

typedef struct plan {
    tr_inner_sizes sizes;
    const tr_inner_kernels *by;
    tr_epilogue epilogue;
    int bias, packed; /* numbers of arguments; -1: absent */
} plan;

static plan *new_plan(const tr_program *program, const tr_param *kernel)
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self != NULL)
        *self =
            (plan){.sizes = {.n = program->n, .inputs = kernel->dims[0], .units = kernel->dims[1]},
                   .by = tr_program_own(program)->inner,
                   .bias = -1,
                   .packed = -1};
    return self;
}

/* The operation of a plan, still without what runs it. */
static tr_native native_of(const tr_program *program, plan *self)
{
    tr_native native = {.plan = self};
    if (self == NULL)
        return native;
    const tr_inner_sizes *s = &self->sizes;
    native.flops = 2.0 * (double)s->n * (double)(s->inputs * s->units);
    tr_own_name(&native, "dense", tr_program_own(program));
    return native;
}

static tr_meaning meaning_of(tr_direction direction, tr_activation fused)
{
    return (tr_meaning){.kind = TR_KIND_INNER_PRODUCT, .direction = direction, .activation = fused};
}

/* ---- weights, once a step ---- */

static void run_pack_forward(const void *plan_, const tr_draw *draw, void *const *data,
                             void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    self->by->pack_forward(&self->sizes, data[0], data[1]);
}

static void run_pack_backward_data(const void *plan_, const tr_draw *draw, void *const *data,
                                   void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    self->by->pack_backward_data(&self->sizes, data[0], data[1]);
}

/* *packed = the parameter itself where the kernel reads it as it is. */
static tr_status pack(tr_program *program, const tr_param *kernel, tr_direction direction,
                      tr_value param, tr_arg *packed, tr_error *err)
{
    const bool forward = direction == TR_DIR_FORWARD;
    plan *self = new_plan(program, kernel);
    tr_native native = native_of(program, self);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    const size_t n_floats = forward ? self->by->forward_packed(&self->sizes)
                                    : self->by->backward_data_packed(&self->sizes);
    native.flops = 0.0;
    native.run = forward ? run_pack_forward : run_pack_backward_data;
    packed->role = TR_ARG_PACKED;
    if (n_floats > 0)
        return tr_program_packed(program, param, &native, n_floats, &packed->value, err);
    tr_free(self);
    packed->value = param;
    return TR_OK;
}

/* ---- forward ---- */

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    tr_epilogue epilogue = self->epilogue;
    epilogue.bias = self->bias < 0 ? NULL : data[self->bias];
    self->by->forward(&self->sizes, data[0], data[self->packed], &epilogue, data[1], scratch);
}

tr_status tr_own_inner_forward(tr_program *program, tr_activation fused, tr_param *kernel,
                               tr_param *bias, tr_value src, tr_value *dst, tr_error *err)
{
    const tr_layout plain = tr_layout_io(program->dnn, kernel->dims[0], kernel->dims[1]);
    const tr_value weights = tr_program_param(program, kernel, plain, plain);
    TR_TRY(tr_program_vector(program, src, &src, err));
    const tr_value out =
        tr_program_value(program, tr_layout_nc(program->dnn, program->n, kernel->dims[1]));
    tr_arg args[5] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, out}, {DNNL_ARG_WEIGHTS, weights}};
    int n_args = 3;
    plan *self = new_plan(program, kernel);
    tr_native native = native_of(program, self);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    native.run = run_forward;
    native.scratch_bytes = self->by->forward_scratch(&self->sizes);
    self->epilogue = tr_own_epilogue(fused);
    if (bias != NULL) {
        self->bias = n_args;
        args[n_args++] = (tr_arg){DNNL_ARG_BIAS, tr_program_vector_param(program, bias)};
    }
    self->packed = n_args;
    const tr_status status = pack(program, kernel, TR_DIR_FORWARD, weights, &args[n_args++], err);
    if (status != TR_OK) {
        tr_free(self);
        return status;
    }
    const tr_meaning meaning = meaning_of(TR_DIR_FORWARD, fused);
    *dst = out;
    return tr_program_add_native(program, &native, &meaning, args, n_args, err);
}

/* ---- backward ---- */

static void run_backward_data(const void *plan_, const tr_draw *draw, void *const *data,
                              void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    self->by->backward_data(&self->sizes, data[0], data[self->packed], data[1], scratch);
}

tr_status tr_own_inner_backward_data(tr_program *program, tr_param *kernel, tr_value src,
                                     tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    const tr_value weights = tr_program_param(program, kernel, kernel->plain, kernel->packed);
    TR_TRY(tr_program_vector(program, diff_dst, &diff_dst, err));
    const tr_value out =
        tr_program_value(program, tr_layout_nc(program->dnn, program->n, kernel->dims[0]));
    tr_arg args[] = {{DNNL_ARG_DIFF_DST, diff_dst},
                     {DNNL_ARG_DIFF_SRC, out},
                     {DNNL_ARG_WEIGHTS, weights},
                     {TR_ARG_PACKED, TR_NO_VALUE}};
    plan *self = new_plan(program, kernel);
    tr_native native = native_of(program, self);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    native.run = run_backward_data;
    native.scratch_bytes = self->by->backward_data_scratch(&self->sizes);
    self->packed = 3;
    const tr_status status = pack(program, kernel, TR_DIR_BACKWARD_DATA, weights, &args[3], err);
    if (status != TR_OK) {
        tr_free(self);
        return status;
    }
    const tr_meaning meaning = meaning_of(TR_DIR_BACKWARD_DATA, TR_NOTHING_FUSED);
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 4, err));
    return tr_program_unvector(program, out, src, diff_src, err);
}

static void run_backward_weights(const void *plan_, const tr_draw *draw, void *const *data,
                                 void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    self->by->backward_weights(&self->sizes, data[0], data[1], data[2],
                               self->bias < 0 ? NULL : data[self->bias], scratch);
}

tr_status tr_own_inner_backward_weights(tr_program *program, const tr_param *kernel,
                                        const tr_param *bias, tr_value src, tr_value diff_dst,
                                        tr_error *err)
{
    TR_TRY(tr_program_vector(program, src, &src, err));
    TR_TRY(tr_program_vector(program, diff_dst, &diff_dst, err));
    tr_arg args[4] = {{DNNL_ARG_SRC, src},
                      {DNNL_ARG_DIFF_DST, diff_dst},
                      {DNNL_ARG_DIFF_WEIGHTS, tr_program_gradient(program, kernel)}};
    int n_args = 3;
    plan *self = new_plan(program, kernel);
    tr_native native = native_of(program, self);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    native.run = run_backward_weights;
    native.scratch_bytes = self->by->backward_weights_scratch(&self->sizes);
    if (bias != NULL) {
        self->bias = n_args;
        args[n_args++] = (tr_arg){DNNL_ARG_DIFF_BIAS, tr_program_gradient(program, bias)};
    }
    const tr_meaning meaning = meaning_of(TR_DIR_BACKWARD_WEIGHTS, TR_NOTHING_FUSED);
    return tr_program_add_native(program, &native, &meaning, args, n_args, err);
}
