/* own_convolution.c -- convolution by kernels of our own in its three directions; see own.h.
 *
 * Which algorithm is a rule of the sizes alone, as it is part of the numeric result: with a group
 * for each channel a depthwise one, with other groups or a dilated window several dense ones; else
 * Winograd's where it takes them ([engine] convolution = direct: nowhere), else the direct one.
 */
#include <string.h>

#include "mem.h"
#include "own.h"
#include "weighted.h"

typedef struct plan {
    tr_window_sizes sizes;
    const tr_conv_kernels *by;
    tr_epilogue epilogue;
    int bias, packed; /* numbers of arguments; -1: absent */
} plan;

static const tr_kernels *table_of(const tr_program *program, const tr_window_sizes *sizes,
                                  tr_direction direction)
{
    return tr_kernels_filled_by(tr_program_beside(program),
                                direction == TR_DIR_BACKWARD_DATA ? sizes->ic : sizes->oc);
}

static const tr_conv_kernels *algorithm(const tr_program *program, const tr_kernels *own,
                                        const tr_window_sizes *sizes)
{
    if (own->depthwise->takes(sizes))
        return own->depthwise;
    if (own->split->takes(sizes))
        return own->split;
    const bool winograd =
        tr_dnn_convolution(program->dnn) != TR_CONVOLUTION_DIRECT && own->winograd->takes(sizes);
    return winograd ? own->winograd : own->direct;
}

static plan *new_plan(const tr_program *program, const tr_window_sizes *sizes,
                      tr_direction direction)
{
    const tr_kernels *own = table_of(program, sizes, direction);
    plan *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    *self = (plan){.sizes = *sizes, .by = algorithm(program, own, sizes), .bias = -1, .packed = -1};
    return self;
}

/* The operation of a plan, still without what runs it. */
static tr_native native_of(const tr_program *program, plan *self, tr_direction direction)
{
    tr_native native = {.plan = self};
    if (self == NULL)
        return native;
    const tr_kernels *own = table_of(program, &self->sizes, direction);
    const tr_window_sizes *s = &self->sizes;
    native.is_winograd = self->by == own->winograd;
    native.flops =
        2.0 * (double)(s->n * s->oh * s->ow) * (double)(s->kh * s->kw * s->ic / s->groups * s->oc);
    tr_own_name(&native, self->by->name, own);
    return native;
}

static tr_meaning meaning_of(tr_direction direction, tr_activation fused,
                             const tr_geometry *geometry)
{
    return (tr_meaning){.kind = TR_KIND_CONVOLUTION,
                        .direction = direction,
                        .activation = fused,
                        .geometry = *geometry};
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

static tr_status pack(tr_program *program, const plan *self, tr_direction direction, tr_value param,
                      tr_value *packed, tr_error *err)
{
    const bool forward = direction == TR_DIR_FORWARD;
    plan *own = new_plan(program, &self->sizes, direction);
    tr_native native = native_of(program, own, direction);
    native.flops = 0.0;
    native.run = forward ? run_pack_forward : run_pack_backward_data;
    return tr_program_packed(program, param, &native,
                             forward ? self->by->forward_packed(&self->sizes)
                                     : self->by->backward_data_packed(&self->sizes),
                             packed, err);
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

tr_status tr_own_conv_forward(tr_program *program, const tr_geometry *geometry, tr_activation fused,
                              tr_param *kernel, tr_param *bias, tr_value src, tr_value *dst,
                              tr_error *err)
{
    const tr_window_sizes sizes = tr_conv_sizes(program, geometry, kernel, src);
    const tr_layout plain = tr_kernel_layout(program->dnn, &sizes);
    tr_value weights = tr_program_param(program, kernel, plain, plain);
    TR_TRY(tr_program_weights(program, weights, plain, &weights, err));
    TR_TRY(tr_program_own_order(program, &src, err));
    const tr_value out = tr_program_value(
        program, tr_layout_nhwc(program->dnn, sizes.n, sizes.oh, sizes.ow, sizes.oc));
    tr_arg args[5] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, out}, {DNNL_ARG_WEIGHTS, weights}};
    int n_args = 3;
    plan *self = new_plan(program, &sizes, TR_DIR_FORWARD);
    tr_native native = native_of(program, self, TR_DIR_FORWARD);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    native.run = run_forward;
    native.scratch_bytes = self->by->forward_scratch(&sizes);
    self->epilogue = tr_own_epilogue(fused);
    if (bias != NULL) {
        self->bias = n_args;
        args[n_args++] = (tr_arg){DNNL_ARG_BIAS, tr_program_vector_param(program, bias)};
    }
    self->packed = n_args;
    args[n_args].role = TR_ARG_PACKED;
    const tr_status status =
        pack(program, self, TR_DIR_FORWARD, weights, &args[n_args++].value, err);
    if (status != TR_OK) {
        tr_free(self);
        return status;
    }
    const tr_meaning meaning = meaning_of(TR_DIR_FORWARD, fused, geometry);
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

tr_status tr_own_conv_backward_data(tr_program *program, const tr_geometry *geometry,
                                    tr_param *kernel, tr_value src, tr_value diff_dst,
                                    tr_value *diff_src, tr_error *err)
{
    tr_value weights = tr_program_param(program, kernel, kernel->plain, kernel->packed);
    TR_TRY(tr_program_weights(program, weights, kernel->plain, &weights, err));
    TR_TRY(tr_program_own_order(program, &diff_dst, err));
    const tr_window_sizes sizes = tr_conv_sizes(program, geometry, kernel, src);
    const tr_value out = tr_program_value(
        program, tr_layout_nhwc(program->dnn, sizes.n, sizes.ih, sizes.iw, sizes.ic));
    tr_arg args[] = {{DNNL_ARG_DIFF_DST, diff_dst},
                     {DNNL_ARG_DIFF_SRC, out},
                     {DNNL_ARG_WEIGHTS, weights},
                     {TR_ARG_PACKED, TR_NO_VALUE}};
    plan *self = new_plan(program, &sizes, TR_DIR_BACKWARD_DATA);
    tr_native native = native_of(program, self, TR_DIR_BACKWARD_DATA);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    native.run = run_backward_data;
    native.scratch_bytes = self->by->backward_data_scratch(&sizes);
    self->packed = 3;
    const tr_status status =
        pack(program, self, TR_DIR_BACKWARD_DATA, weights, &args[3].value, err);
    if (status != TR_OK) {
        tr_free(self);
        return status;
    }
    const tr_meaning meaning = meaning_of(TR_DIR_BACKWARD_DATA, TR_NOTHING_FUSED, geometry);
    *diff_src = out;
    return tr_program_add_native(program, &native, &meaning, args, 4, err);
}

static void run_backward_weights(const void *plan_, const tr_draw *draw, void *const *data,
                                 void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    self->by->backward_weights(&self->sizes, data[0], data[1], data[2],
                               self->bias < 0 ? NULL : data[self->bias], scratch);
}

tr_status tr_own_conv_backward_weights(tr_program *program, const tr_geometry *geometry,
                                       const tr_param *kernel, const tr_param *bias, tr_value src,
                                       tr_value diff_dst, tr_error *err)
{
    TR_TRY(tr_program_own_order(program, &src, err));
    TR_TRY(tr_program_own_order(program, &diff_dst, err));
    const tr_window_sizes sizes = tr_conv_sizes(program, geometry, kernel, src);
    const tr_value gradient = tr_program_gradient(program, kernel);
    const bool direct = kernel->packed == kernel->plain;
    const tr_value written = direct ? gradient : tr_program_value(program, kernel->plain);
    tr_arg args[4] = {
        {DNNL_ARG_SRC, src}, {DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_DIFF_WEIGHTS, written}};
    int n_args = 3;
    plan *self = new_plan(program, &sizes, TR_DIR_BACKWARD_WEIGHTS);
    tr_native native = native_of(program, self, TR_DIR_BACKWARD_WEIGHTS);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    native.run = run_backward_weights;
    native.scratch_bytes = self->by->backward_weights_scratch(&sizes);
    if (bias != NULL) {
        self->bias = n_args;
        args[n_args++] = (tr_arg){DNNL_ARG_DIFF_BIAS, tr_program_gradient(program, bias)};
    }
    const tr_meaning meaning = meaning_of(TR_DIR_BACKWARD_WEIGHTS, TR_NOTHING_FUSED, geometry);
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, n_args, err));
    return direct ? TR_OK : tr_program_reorder_into(program, written, gradient, err);
}
