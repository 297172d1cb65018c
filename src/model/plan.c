/* plan.c -- from a graph of layers to a program: forward in the file's order, backward in reverse.
 *
 * Rules that live here, so that no layer needs to know its neighbours:
 *
 *  1. A layer's activation is differentiated at the boundary behind it. Where the layer cannot
 *     apply it while writing its result, it is applied here, and what its derivative needs is kept.
 *     Where the only reader selects by maximum (pooling) and the activation commutes with that
 *     (ReLU), the derivative moves behind that layer: a quarter of the elements, identical values.
 *  2. A result before which nothing is trained gets no gradient, and is computed as in inference.
 *     Gradients of a result with several readers are added in the order in which backward meets
 *     them.
 *  3. Layers without weights behind them write float32 at any precision, for softmax and loss.
 */
#include "mem.h"
#include "model_internal.h"

/* Everything known about the tensor behind one layer. */
typedef struct boundary {
    tr_node node;
    tr_tape tape;             /* of the layer before it */
    bool fused;               /* the layer applies its activation itself */
    tr_value raw;             /* result of the layer, before an activation that plan.c applies */
    tr_activation pending;    /* its derivative is to be taken at this boundary */
    tr_activation_tape steps; /* from these values */
    tr_value diff;            /* gradient of the result, of the readers met so far */
} boundary;

/* A program being planned. */
typedef struct planning {
    tr_plan *plan;
    tr_program *program;
    const tr_model *model;
    int n_layers;         /* of them, from the first on */
    boundary *boundaries; /* [n_layers] */
    tr_value *srcs;       /* of all layers, one after the other */
} planning;

/* The boundary where the result of a layer lies; NULL: the images. */
static boundary *boundary_of(const planning *self, int layer)
{
    return layer == TR_IMAGES ? NULL : &self->boundaries[self->boundaries[layer].node.result];
}

/* ---- forward ---- */

/* Over the vector where the result is one, whatever it lies in. */
static tr_status plan_softmax(tr_program *program, const tr_layer *layer, boundary *at,
                              tr_error *err)
{
    tr_value src = at->raw;
    if (layer->dst.flat)
        TR_TRY(tr_program_vector(program, src, &src, err));
    return tr_activation_forward(program, at->node.activation, src, &at->steps, &at->tape.dst, err);
}

/* The layer's activation, where the layer did not apply it, and what is owed for it. */
static tr_status plan_activation(tr_program *program, const tr_layer *layer, boundary *at,
                                 tr_error *err)
{
    const tr_activation activation = at->node.activation;
    at->pending = at->tape.differentiates ? TR_NOTHING_FUSED : activation;
    at->tape.dst = at->raw;
    at->steps = tr_activation_fused_tape(activation, at->raw);
    if (at->fused)
        return TR_OK;
    if (tr_activation_is_over_channels(activation))
        return plan_softmax(program, layer, at, err);
    return tr_activation_forward(program, activation, at->raw, &at->steps, &at->tape.dst, err);
}

static bool costs(const boundary *at)
{
    return at->node.activity.l1 != 0.0f || at->node.activity.l2 != 0.0f;
}

/* What the result costs by itself. */
static tr_status plan_cost(const planning *self, const boundary *at, tr_error *err)
{
    tr_plan *plan = self->plan;
    return costs(at) ? tr_activity_forward(self->program, at->node.activity, at->tape.dst,
                                           &plan->costs[plan->n_costs++], err)
                     : TR_OK;
}

/* Rule 1: the derivative owed before a layer that selects moves behind it. */
static void move_pending(boundary *before, boundary *behind)
{
    if (before == NULL || before->node.n_readers > 1 ||
        !tr_activation_commutes_with_max(before->pending))
        return;
    behind->pending = before->pending;
    behind->steps = tr_activation_fused_tape(behind->pending, behind->tape.dst);
    before->pending = TR_NOTHING_FUSED;
}

static tr_status plan_layer(const planning *self, int i, tr_error *err)
{
    tr_layer *layer = self->model->layers[i];
    tr_program *program = self->program;
    boundary *at = &self->boundaries[i];
    const tr_activation activation = at->node.activation;
    if (at->node.result != i)
        return TR_OK; /* the layer before it does its work */
    tr_program_begin(program, layer->name, TR_FORWARD);
    tr_program_results_in_float32(program, at->node.is_output); /* rule 3 */
    tr_program_backward_follows(program, tr_program_training(program) && at->node.learns);
    at->tape.src = at->tape.srcs[0];
    at->fused = layer->ops->fuses != NULL && layer->ops->fuses(activation);
    at->tape.activation = at->fused ? activation : TR_NOTHING_FUSED;
    TR_TRY(layer->ops->forward(layer, program, &at->tape, &at->raw, err));
    TR_TRY(plan_activation(program, layer, at, err));
    TR_TRY(plan_cost(self, at, err));
    if (layer->ops->selects)
        move_pending(boundary_of(self, layer->sources[0]), at);
    return TR_OK;
}

static tr_status plan_forward(const planning *self, tr_error *err)
{
    tr_value *srcs = self->srcs, last = self->plan->input;
    for (int i = 0; i < self->n_layers; i++) {
        const tr_layer *layer = self->model->layers[i];
        self->boundaries[i].tape.srcs = srcs;
        for (int k = 0; k < layer->n_srcs; k++) {
            const boundary *source = boundary_of(self, layer->sources[k]);
            *srcs++ = source == NULL ? self->plan->input : source->tape.dst;
        }
        TR_TRY(plan_layer(self, i, err));
        last = boundary_of(self, i)->tape.dst;
    }
    TR_TRY(tr_program_vector(self->program, last, &self->plan->output, err));
    tr_program_touch(self->program, self->plan->output); /* the loss reads it behind the last
                                                          * operation; costs join it there */
    for (int i = 0; i < self->plan->n_costs; i++)
        tr_program_touch(self->program, self->plan->costs[i]);
    return TR_OK;
}

/* ---- backward ---- */

/* The derivative that is owed at a boundary, applied to the gradient there. */
static tr_status plan_pending(tr_program *program, const boundary *at, tr_value diff, tr_value *out,
                              tr_error *err)
{
    if (!tr_activation_is_over_channels(at->pending))
        return tr_activation_backward(program, at->pending, &at->steps, diff, out, err);
    int64_t d[4];
    if (tr_layout_dims(tr_program_layout(program, at->tape.dst), d) == 2)
        TR_TRY(tr_program_vector(program, diff, &diff, err));
    TR_TRY(tr_activation_backward(program, at->pending, &at->steps, diff, &diff, err));
    return tr_program_unvector(program, diff, at->raw, out, err);
}

/* Where a source's gradient is collected; NULL: nobody needs it. */
static tr_value *collected(const planning *self, int source)
{
    boundary *at = boundary_of(self, source);
    if (at == NULL)
        return self->plan->wants_diff_input ? &self->plan->diff_input : NULL;
    return at->node.learns ? &at->diff : NULL;
}

/* One more reader's gradient (rule 2). */
static tr_status collect(tr_program *program, tr_value *sum, tr_value diff, tr_error *err)
{
    if (*sum != TR_NO_VALUE)
        return tr_add(program, *sum, diff, sum, err);
    *sum = diff;
    return TR_OK;
}

static tr_status plan_layer_backward(const planning *self, int i, tr_error *err)
{
    tr_layer *layer = self->model->layers[i];
    tr_program *program = self->program;
    boundary *at = &self->boundaries[i];
    tr_value diff, diff_srcs[TR_MAX_SOURCES];
    bool wanted[TR_MAX_SOURCES], any = false;
    if (at->node.result != i || !at->node.learns)
        return TR_OK;
    for (int k = 0; k < layer->n_srcs; k++) {
        wanted[k] = collected(self, layer->sources[k]) != NULL;
        any = any || wanted[k];
        diff_srcs[k] = TR_NO_VALUE;
    }
    at->tape.wanted = wanted;
    tr_program_begin(program, layer->name, TR_BACKWARD);
    if (costs(at))
        TR_TRY(tr_activity_backward(program, at->node.activity, at->tape.dst, at->diff, &at->diff,
                                    err));
    TR_TRY(plan_pending(program, at, at->diff, &diff, err));
    TR_TRY(layer->ops->backward(layer, program, &at->tape, diff, any ? diff_srcs : NULL, err));
    for (int k = 0; k < layer->n_srcs; k++)
        if (wanted[k])
            TR_TRY(collect(program, collected(self, layer->sources[k]), diff_srcs[k], err));
    return TR_OK;
}

static tr_status plan_backward(const planning *self, tr_error *err)
{
    tr_plan *plan = self->plan;
    const int n_layers = self->model->n_layers;
    boundary *last = boundary_of(self, n_layers - 1);
    tr_program_backward_follows(self->program, true);
    plan->diff_output =
        tr_program_value(self->program, tr_program_layout(self->program, plan->output));
    if (plan->diff_output == TR_NO_VALUE)
        return tr_out_of_memory(err, NULL);
    TR_TRY(tr_program_unvector(self->program, plan->diff_output, last->tape.dst, &last->diff, err));
    for (int i = n_layers - 1; i >= 0; i--)
        TR_TRY(plan_layer_backward(self, i, err));
    if (plan->wants_diff_input)
        tr_program_touch(self->program, plan->diff_input); /* read behind the last operation */
    return TR_OK;
}

/* ---- the whole ---- */

static tr_status prepare(planning *self, tr_error *err)
{
    const tr_model *model = self->model;
    const size_t n_layers = (size_t)model->n_layers;
    size_t n_srcs = 0;
    for (size_t i = 0; i < n_layers; i++)
        n_srcs += (size_t)model->layers[i]->n_srcs;
    self->boundaries = tr_alloc(n_layers, sizeof *self->boundaries);
    self->srcs = tr_alloc(n_srcs, sizeof *self->srcs);
    self->plan->costs = tr_alloc(n_layers, sizeof *self->plan->costs);
    tr_node *nodes = tr_alloc(n_layers, sizeof *nodes);
    const bool complete = self->boundaries != NULL && self->srcs != NULL && nodes != NULL &&
                          self->plan->costs != NULL;
    if (complete)
        tr_flow(model, self->plan->wants_diff_input, nodes);
    for (size_t i = 0; complete && i < n_layers; i++)
        self->boundaries[i] = (boundary){.node = nodes[i], .diff = TR_NO_VALUE};
    tr_free(nodes);
    return complete ? TR_OK : tr_out_of_memory(err, NULL);
}

void tr_plan_release(tr_plan *plan)
{
    tr_program_free(plan->program);
    tr_free(plan->costs);
    *plan = (tr_plan){.wants_diff_input = plan->wants_diff_input};
}

static tr_status make(tr_plan *plan, tr_model *model, int n_layers, bool training, bool backward,
                      tr_error *err)
{
    const tr_config *config = model->config;
    const int64_t *shape = config->input_shape;
    const int64_t n = config->engine.micro_batch;
    TR_TRY(tr_program_new(&plan->program, model->dnn, n, training, &model->extents, err));
    plan->input = tr_program_value(plan->program,
                                   tr_layout_nhwc(model->dnn, n, shape[0], shape[1], shape[2]));
    plan->diff_output = plan->diff_input = TR_NO_VALUE;
    planning self = {.plan = plan, .program = plan->program, .model = model, .n_layers = n_layers};
    tr_status status =
        plan->input == TR_NO_VALUE ? tr_out_of_memory(err, NULL) : prepare(&self, err);
    if (status == TR_OK)
        status = plan_forward(&self, err);
    if (status == TR_OK && backward)
        status = plan_backward(&self, err);
    tr_free(self.boundaries);
    tr_free(self.srcs);
    return status == TR_OK ? tr_program_finish(plan->program, err) : status;
}

tr_status tr_plan_make(tr_plan *plan, tr_model *model, bool training, tr_error *err)
{
    return make(plan, model, model->n_layers, training, training, err);
}

tr_status tr_plan_make_until(tr_plan *plan, tr_model *model, int layer, bool training,
                             tr_error *err)
{
    return make(plan, model, layer + 1, training, false, err); /* TR_IMAGES: no layer */
}
