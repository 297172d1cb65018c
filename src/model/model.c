/* model.c -- from sections of the configuration to layers that fit together.
 *
 * Only parsing and life; graph.c connects the layers, shapes.c follows the shapes, plan.c makes the
 * programs, params.c fills the parameters, summary.c describes.
 */
#include <stdio.h>
#include <string.h>

#include "ini_file.h"
#include "mem.h"
#include "model_internal.h"

/* ---- parsing ---- */

/* The table's row of a layer section, or NULL with a problem recorded. */
static const tr_layer_ops *find_ops(const tr_section *section, tr_problems *problems)
{
    const char *types[TR_MAX_LAYER_TYPES];
    char list[TR_NAMES_MAX];
    const tr_entry *type = tr_section_find(section, "type");
    const tr_layer_ops *ops = type == NULL ? NULL : tr_layer_find(type->value);
    tr_layer_types(types);
    if (type == NULL)
        tr_problems_add(problems, section->line, "[%s] type is missing; allowed: %s", section->name,
                        tr_join_names(types, list, sizeof list));
    else if (ops == NULL)
        tr_section_unknown(section, "type", "layer", types, problems);
    return ops;
}

static tr_status parse_layers(tr_model *model, tr_error *err)
{
    const tr_ini *ini = model->config->ini;
    model->layers = tr_alloc(ini->n_sections, sizeof *model->layers);
    if (model->layers == NULL)
        return tr_out_of_memory(err, NULL);
    for (size_t i = 0; i < ini->n_sections; i++) {
        tr_section *section = &ini->sections[i];
        if (strncmp(section->name, "layer.", 6) != 0)
            continue;
        const tr_layer_ops *ops = find_ops(section, model->config->problems);
        if (ops == NULL)
            continue;
        tr_layer *layer = tr_layer_new(ops, section, model->config->problems);
        if (layer == NULL)
            return tr_out_of_memory(err, NULL);
        layer->number = model->n_layers;
        model->layers[model->n_layers++] = layer;
    }
    return tr_graph_connect(model, err);
}

/* Loss and metrics, for the network as it came out. Where the loss takes the final activation over,
 * the last layer goes without. */
static void parse_compile(tr_model *model)
{
    tr_layer *last = model->layers[model->n_layers - 1];
    const int64_t width = last->dst.c;
    const size_t problems_before = tr_problems_count(model->config->problems);
    model->final_activation = last->activation;
    tr_loss_fit_network(&model->loss, model->config, tr_activation_names[last->activation], width);
    if (model->loss.takes_over && last->activity.function != TR_REGULARIZER_NONE) {
        model->loss.takes_over = false; /* the regularizer wants to see what it makes */
        model->loss.logits = model->loss.from_logits;
    }
    if (model->loss.takes_over)
        last->activation = TR_LINEAR;
    if (tr_problems_count(model->config->problems) > problems_before)
        return; /* metrics chosen for a loss that does not fit would only be noise */
    tr_metrics_parse(&model->metrics, model->config, &model->loss, width);
    tr_class_weight_parse(&model->class_weight, model->config, &model->loss, width);
    if (tr_problems_count(model->config->problems) == problems_before)
        tr_callbacks_parse(&model->callbacks, model->config, &model->metrics);
}

/* An optimizer of its own has no effect on a layer without weights. */
static void check_group(const tr_model *model, const tr_optimizer *group)
{
    const tr_config *config = model->config;
    char name[TR_LAYER_NAME_MAX], section[sizeof "optimizer." + TR_LAYER_NAME_MAX];
    snprintf(section, sizeof section, "optimizer.%s", group->group);
    for (int k = 0; tr_optimizer_layer(group, k, name); k++)
        for (int i = 0; i < model->n_layers; i++)
            if (strcmp(model->layers[i]->name, name) == 0 && model->layers[i]->n_params == 0)
                tr_problems_add(config->problems,
                                tr_section_line(tr_ini_find(config->ini, section), "layers"),
                                "[%s] layers: %s has no weights; remove it", section, name);
}

static void check_groups(const tr_model *model)
{
    for (int g = 1; g < model->optimizers.n; g++)
        check_group(model, model->optimizers.items[g]);
}

/* As in Keras, where a schedule does not let itself be told the rate. */
static void check_plateau(const tr_model *model)
{
    const tr_config *config = model->config;
    for (int i = 0; config->plateau.on && i < model->optimizers.n; i++)
        if (model->optimizers.items[i]->schedule.ops != NULL) {
            tr_problems_add(config->problems,
                            tr_section_line(tr_ini_find(config->ini, "reduce_lr_on_plateau"), ""),
                            "[reduce_lr_on_plateau] and the schedule of [learning_rate] both say "
                            "what the learning rate is; keep one");
            return;
        }
}

/* ---- the whole ---- */

tr_status tr_model_parse(tr_model **out, tr_config *config, tr_error *err)
{
    tr_model *model = tr_alloc(1, sizeof *model);
    if (model == NULL)
        return tr_out_of_memory(err, NULL);
    model->config = config;
    const size_t problems_before = tr_problems_count(config->problems);
    tr_status status = parse_layers(model, err);
    if (status == TR_OK)
        status = tr_loss_parse(&model->loss, config, err);
    if (status != TR_OK)
        goto fail;
    /* A shape computed from a value that was refused would only be noise. */
    if (tr_problems_count(config->problems) == problems_before && config->input_shape[0] > 0)
        tr_shapes_infer(model);
    if (tr_problems_count(config->problems) == problems_before && model->n_layers > 0 &&
        config->input_shape[0] > 0 && model->loss.ops != NULL)
        parse_compile(model);
    status = tr_optimizers_make(&model->optimizers, config, err);
    if (status != TR_OK)
        goto fail;
    if (tr_problems_count(config->problems) == problems_before)
        check_groups(model);
    check_plateau(model);
    *out = model;
    return TR_OK;

fail:
    tr_model_free(model);
    return status;
}

/* ---- life ---- */

/* A key that changes nothing is an error: winograd where not one layer has such a kernel. */
static tr_status check_winograd(const tr_model *model, tr_error *err)
{
    const tr_program *program = model->training.program;
    if (model->config->engine.convolution != TR_CONVOLUTION_WINOGRAD)
        return TR_OK;
    for (size_t i = 0; i < tr_program_n_ops(program); i++)
        if (tr_program_op(program, i).is_winograd)
            return TR_OK;
    if (tr_dnn_own(model->dnn) != NULL)
        return tr_fail(err, TR_ERR_CONFIG,
                       "[engine] convolution = winograd: it pays for no layer of this model (3 x 3 "
                       "kernels, strides 1, not the smallest images or fewest channels); use "
                       "convolution = auto");
    char version[32];
    tr_dnn_version(version, sizeof version);
    return tr_fail(err, TR_ERR_CONFIG,
                   "[engine] convolution = winograd: %s has no such kernel for any layer of this "
                   "model (it wants AVX-512, float32, 3 x 3 kernels, strides 1 and channels in "
                   "multiples of 16); use convolution = direct, or kernels = fast",
                   version);
}

static tr_status build(tr_model *model, bool for_training, tr_error *err)
{
    model->for_training = for_training;
    TR_TRY(tr_dnn_new(&model->dnn, &model->config->engine, err));
    TR_TRY(tr_model_plan(model, err));
    TR_TRY(check_winograd(model, err));
    model->version = 1; /* replicas start at 0: they have prepared nothing */
    model->params = tr_alloc(model->n_floats, sizeof *model->params);
    if (model->params == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory: %zu parameters", model->n_floats);
    return tr_params_init(model, err);
}

tr_status tr_model_build(tr_model *model, tr_error *err)
{
    return build(model, true, err);
}

tr_status tr_model_build_for_inference(tr_model *model, tr_error *err)
{
    return build(model, false, err);
}

void tr_model_arithmetic(const tr_model *model, char *text, size_t n)
{
    tr_dnn_arithmetic(model->dnn, text, n);
}

void tr_model_free(tr_model *model)
{
    if (model == NULL)
        return;
    tr_plan_release(&model->training);
    tr_plan_release(&model->inference);
    tr_dnn_free(model->dnn);
    for (int i = 0; i < model->n_layers; i++)
        tr_layer_free(model->layers[i]);
    tr_free(model->layers);
    tr_optimizers_release(&model->optimizers);
    tr_legend_release(&model->legend);
    tr_free(model->params);
    tr_free(model);
}

tr_status tr_model_check_trainable(const tr_model *model, tr_error *err)
{
    const char *path = tr_problems_path(model->config->problems);
    const tr_layer *frozen = NULL;
    for (int i = 0; i < model->n_layers; i++) {
        const tr_layer *layer = model->layers[i];
        if (tr_layer_learns(layer))
            return TR_OK;
        frozen = layer->n_params > 0 && !layer->trainable ? layer : frozen;
    }
    if (frozen == NULL)
        return tr_fail(err, TR_ERR_CONFIG,
                       "%s: there is nothing to train: no layer has weights that learn; add a "
                       "conv2d or dense layer",
                       path);
    return tr_fail(err, TR_ERR_CONFIG,
                   "%s:%d: there is nothing to train: no layer has weights that learn, and "
                   "[layer.%s] has trainable = false; take that away from a layer that is to learn",
                   path, frozen->line, frozen->name);
}

/* ---- questions ---- */

int tr_model_n_layers(const tr_model *model)
{
    return model->n_layers;
}

tr_layer_info tr_model_layer(const tr_model *model, int i)
{
    const tr_layer *layer = model->layers[i];
    tr_layer_info info = {.name = layer->name,
                          .keras_class = layer->ops->keras_class,
                          .sources = layer->sources,
                          .n_sources = layer->n_srcs,
                          .dst = {layer->dst.h, layer->dst.w, layer->dst.c},
                          .flat = layer->dst.flat,
                          .trainable = layer->trainable,
                          .n_weights = layer->n_params,
                          .first_weight = layer->first_weight,
                          .flops = layer->flops};
    for (int k = 0; k < layer->n_params; k++) {
        const int64_t n = tr_param_elements(&layer->params[k]);
        info.n_params += n;
        info.n_not_trained += layer->params[k].range == TR_TRAINED ? 0 : n;
    }
    return info;
}

bool tr_model_is_chain(const tr_model *model)
{
    for (int i = 0; i < model->n_layers; i++)
        if (model->layers[i]->n_srcs != 1 || model->layers[i]->sources[0] != i - 1)
            return false;
    return true;
}

const tr_optimizer *tr_model_optimizer(const tr_model *model)
{
    return model->optimizers.items[0];
}

int64_t tr_model_n_classes(const tr_model *model)
{
    return model->layers[model->n_layers - 1]->dst.c;
}

tr_target_rules tr_model_target_rules(const tr_model *model)
{
    const tr_loss_ops *ops = model->loss.ops;
    return (tr_target_rules){.width = tr_model_n_classes(model),
                             .in_0_1 = ops->targets_in_0_1,
                             .add_up = ops->targets_add_up,
                             .signs = ops->targets_are_signs,
                             .loss = ops->name};
}

unsigned tr_model_targets(const tr_model *model)
{
    return model->loss.ops->targets;
}

bool tr_model_predicts_classes(const tr_model *model)
{
    const tr_loss_ops *ops = model->loss.ops;
    return ops->wants_several || (ops->wants_probabilities && tr_model_n_classes(model) == 1);
}

int64_t tr_model_class_of(const tr_model *model, const float *predictions)
{
    const int64_t width = tr_model_n_classes(model);
    if (width > 1)
        return tr_argmax(predictions, width);
    return tr_model_says_yes(model, predictions[0]);
}

bool tr_model_gives_probabilities(const tr_model *model)
{
    return model->loss.ops->wants_probabilities && !model->loss.from_logits;
}

bool tr_model_answers_several(const tr_model *model)
{
    const tr_loss_ops *ops = model->loss.ops;
    return ops->wants_probabilities && tr_model_n_classes(model) > 1 && !ops->wants_several &&
           ops->targets_in_0_1 && !ops->targets_add_up;
}

bool tr_model_says_yes(const tr_model *model, float prediction)
{
    return prediction > (model->loss.from_logits ? 0.0f : 0.5f);
}

int64_t tr_model_n_sums(const tr_model *model)
{
    return model->metrics.n_sums;
}

int tr_model_n_metrics(const tr_model *model)
{
    return model->metrics.n;
}

tr_metric_info tr_model_metric(const tr_model *model, int i)
{
    const tr_metric *metric = &model->metrics.items[i];
    return (tr_metric_info){.name = metric->name,
                            .written = metric->written,
                            .resolved = metric->ops.name,
                            .counts = metric->counts,
                            .weighted = metric->weighted,
                            .larger_is_better = metric->ops.larger_is_better};
}

const char *tr_model_name(const tr_model *model)
{
    return model->config->model_name;
}

const tr_config *tr_model_config(const tr_model *model)
{
    return model->config;
}
