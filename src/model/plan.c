/* plan.c -- from a sequence of layers to a program: forward in order, backward in reverse.
 *
 * Three rules live here, so that no layer needs to know its neighbours:
 *
 *  1. A layer's activation is differentiated at the boundary behind it. Where the layer cannot
 *     apply it while writing its result, it is applied here, and what its derivative needs is kept.
 *     Where the next layer selects by maximum (pooling) and the activation commutes with that
 *     (ReLU), the derivative moves behind that layer: a quarter of the elements, identical values.
 *  2. Layers before the first parameter that is trained get no gradient.
 *  3. The last layer with parameters writes float32 at any precision, for softmax and loss.
 */
#include "mem.h"
#include "model_internal.h"

/* Everything known about the tensor behind one layer. */
typedef struct boundary {
    tr_tape tape;             /* of the layer before it */
    tr_value raw;             /* result of the layer, before an activation that plan.c applies */
    tr_activation pending;    /* its derivative is to be taken at this boundary */
    tr_activation_tape steps; /* from these values */
} boundary;

/* ---- forward ---- */

/* Over the vector where the result is one, whatever it lies in. */
static tr_status plan_softmax(tr_program *program, const tr_layer *layer, boundary *at,
                              tr_error *err)
{
    tr_value src = at->raw;
    if (layer->dst.flat)
        TR_TRY(tr_program_vector(program, src, &src, err));
    return tr_activation_forward(program, TR_SOFTMAX, src, &at->steps, &at->tape.dst, err);
}

static int last_trainable(const tr_model *model)
{
    int i = model->n_layers - 1;
    while (i > 0 && model->layers[i]->n_params == 0)
        i--;
    return i;
}

/* The layer's activation, where the layer did not apply it, and what is owed for it. */
static tr_status plan_activation(tr_program *program, const tr_layer *layer, boundary *at,
                                 tr_error *err)
{
    at->pending = at->tape.activation;
    at->tape.dst = at->raw;
    at->steps = tr_activation_fused_tape(at->pending, at->raw);
    if (at->pending == TR_LINEAR || tr_activation_fuses(at->pending))
        return TR_OK;
    if (at->pending == TR_SOFTMAX)
        return plan_softmax(program, layer, at, err);
    return tr_activation_forward(program, at->pending, at->raw, &at->steps, &at->tape.dst, err);
}

/* Rule 1: the derivative owed before a layer that selects moves behind it. */
static void move_pending(boundary *before, boundary *behind)
{
    behind->pending = before->pending;
    behind->steps = tr_activation_fused_tape(behind->pending, behind->tape.dst);
    before->pending = TR_LINEAR;
}

static tr_status plan_forward(tr_plan *plan, tr_model *model, boundary *boundaries, tr_error *err)
{
    tr_program *program = plan->program;
    tr_value value = plan->input;
    for (int i = 0; i < model->n_layers; i++) {
        tr_layer *layer = model->layers[i];
        boundary *at = &boundaries[i];
        tr_program_begin(program, layer->name, TR_FORWARD);
        if (i == last_trainable(model))
            tr_program_results_in_float32(program); /* rule 3 */
        at->tape.src = value;
        at->tape.srcs = &at->tape.src;
        at->tape.activation = (tr_activation)layer->activation;
        TR_TRY(layer->ops->forward(layer, program, &at->tape, &at->raw, err));
        TR_TRY(plan_activation(program, layer, at, err));
        if (layer->ops->selects && i > 0 &&
            tr_activation_commutes_with_max(boundaries[i - 1].pending))
            move_pending(&boundaries[i - 1], at);
        value = at->tape.dst;
    }
    TR_TRY(tr_program_vector(program, value, &plan->output, err));
    tr_program_touch(program, plan->output); /* the loss reads it after the last operation */
    return TR_OK;
}

/* ---- backward ---- */

/* The derivative that is owed at a boundary, applied to the gradient there. */
static tr_status plan_pending(tr_program *program, const boundary *at, tr_value diff, tr_value *out,
                              tr_error *err)
{
    if (at->pending != TR_SOFTMAX)
        return tr_activation_backward(program, at->pending, &at->steps, diff, out, err);
    int64_t d[4];
    if (tr_layout_dims(tr_program_layout(program, at->tape.dst), d) == 2)
        TR_TRY(tr_program_vector(program, diff, &diff, err));
    TR_TRY(tr_activation_backward(program, TR_SOFTMAX, &at->steps, diff, &diff, err));
    return tr_program_unvector(program, diff, at->raw, out, err);
}

static bool is_trained(const tr_layer *layer)
{
    for (int k = 0; k < layer->n_params; k++)
        if (layer->params[k].range == TR_TRAINED)
            return true;
    return false;
}

static int first_trained(const tr_model *model)
{
    int i = 0;
    while (i < model->n_layers && !is_trained(model->layers[i]))
        i++;
    return i;
}

static tr_status plan_backward(tr_plan *plan, tr_model *model, const boundary *boundaries,
                               tr_error *err)
{
    tr_program *program = plan->program;
    const int first = plan->wants_diff_input ? 0 : first_trained(model); /* rule 2 */
    plan->diff_output = tr_program_value(program, tr_program_layout(program, plan->output));
    if (plan->diff_output == TR_NO_VALUE)
        return tr_out_of_memory(err, NULL);
    tr_value diff;
    TR_TRY(tr_program_unvector(program, plan->diff_output, boundaries[model->n_layers - 1].tape.dst,
                               &diff, err));
    for (int i = model->n_layers - 1; i >= first; i--) {
        tr_layer *layer = model->layers[i];
        tr_program_begin(program, layer->name, TR_BACKWARD);
        TR_TRY(plan_pending(program, &boundaries[i], diff, &diff, err));
        tr_value diff_src = TR_NO_VALUE;
        TR_TRY(layer->ops->backward(layer, program, &boundaries[i].tape, diff,
                                    i > first || plan->wants_diff_input ? &diff_src : NULL, err));
        diff = diff_src;
    }
    plan->diff_input = diff;
    if (plan->wants_diff_input)
        tr_program_touch(program, diff); /* read after the last operation */
    return TR_OK;
}

tr_status tr_plan_make(tr_plan *plan, tr_model *model, bool training, tr_error *err)
{
    const tr_config *config = model->config;
    const int64_t *shape = config->input_shape;
    const int64_t n = config->engine.micro_batch;
    TR_TRY(tr_program_new(&plan->program, model->dnn, n, training, &model->extents, err));
    plan->input = tr_program_value(plan->program,
                                   tr_layout_nhwc(model->dnn, n, shape[0], shape[1], shape[2]));
    plan->diff_output = TR_NO_VALUE;
    boundary *boundaries = tr_alloc(model->n_layers, sizeof *boundaries);
    tr_status status = plan->input == TR_NO_VALUE || boundaries == NULL
                           ? tr_out_of_memory(err, NULL)
                           : plan_forward(plan, model, boundaries, err);
    if (status == TR_OK && training)
        status = plan_backward(plan, model, boundaries, err);
    tr_free(boundaries);
    return status == TR_OK ? tr_program_finish(plan->program, err) : status;
}
