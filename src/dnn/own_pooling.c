/* own_pooling.c -- max pooling by kernels of our own; see own.h. */
#include "mem.h"
#include "own.h"

typedef struct plan {
    tr_window_sizes sizes;
    const tr_max_pool_kernels *by;
    bool remembers; /* the winners, for backward */
} plan;

static plan *new_plan(const tr_program *program, const tr_geometry *geometry, tr_value src,
                      bool remembers)
{
    int64_t d[4];
    plan *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    tr_layout_dims(tr_program_layout(program, src), d);
    self->by = tr_program_own(program)->max_pool;
    self->remembers = remembers;
    self->sizes = (tr_window_sizes){.n = d[0],
                                    .ih = d[2],
                                    .iw = d[3],
                                    .ic = d[1],
                                    .oh = geometry->out[0],
                                    .ow = geometry->out[1],
                                    .oc = d[1],
                                    .kh = geometry->kernel[0],
                                    .kw = geometry->kernel[1],
                                    .sh = geometry->strides[0],
                                    .sw = geometry->strides[1],
                                    .top = geometry->pad_before[0],
                                    .left = geometry->pad_before[1]};
    return self;
}

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    self->by->forward(&self->sizes, data[0], data[1], self->remembers ? data[2] : NULL);
}

static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    self->by->backward(&self->sizes, data[0], data[2], data[1]);
}

static tr_status add(tr_program *program, plan *self, const tr_geometry *geometry,
                     tr_direction direction, const tr_arg *args, int n_args, tr_error *err)
{
    tr_native native = {.run = direction == TR_DIR_FORWARD ? run_forward : run_backward,
                        .plan = self};
    const tr_meaning meaning = {
        .kind = TR_KIND_MAX_POOLING, .direction = direction, .geometry = *geometry};
    tr_own_name(&native, "max", tr_program_own(program));
    return tr_program_add_native(program, &native, &meaning, args, n_args, err);
}

tr_status tr_own_max_pool_forward(tr_program *program, const tr_geometry *geometry,
                                  tr_pool_tape *tape, tr_error *err)
{
    tr_value src = tape->src;
    TR_TRY(tr_program_own_order(program, &src, err));
    plan *self = new_plan(program, geometry, src, program->backward_follows);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    const tr_window_sizes *s = &self->sizes;
    tape->dst = tr_program_value(program, tr_layout_nhwc(program->dnn, s->n, s->oh, s->ow, s->oc));
    tr_arg args[3] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, tape->dst}};
    int n_args = 2;
    if (self->remembers) {
        const size_t n_floats = (self->by->winners(s) + sizeof(float) - 1) / sizeof(float);
        tape->workspace = tr_program_value(program, tr_layout_x(program->dnn, (int64_t)n_floats));
        args[n_args++] = (tr_arg){DNNL_ARG_WORKSPACE, tape->workspace};
    }
    return add(program, self, geometry, TR_DIR_FORWARD, args, n_args, err);
}

tr_status tr_own_max_pool_backward(tr_program *program, const tr_geometry *geometry,
                                   const tr_pool_tape *tape, tr_value diff_dst, tr_value *diff_src,
                                   tr_error *err)
{
    TR_TRY(tr_program_own_order(program, &diff_dst, err));
    plan *self = new_plan(program, geometry, tape->src, true);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    const tr_window_sizes *s = &self->sizes;
    *diff_src = tr_program_value(program, tr_layout_nhwc(program->dnn, s->n, s->ih, s->iw, s->ic));
    const tr_arg args[] = {{DNNL_ARG_DIFF_DST, diff_dst},
                           {DNNL_ARG_DIFF_SRC, *diff_src},
                           {DNNL_ARG_WORKSPACE, tape->workspace}};
    return add(program, self, geometry, TR_DIR_BACKWARD_DATA, args, 3, err);
}
