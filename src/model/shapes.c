/* shapes.c -- the shape of every layer's result, from those of its sources.
 *
 * Arithmetic only. A layer that does not fit is a problem with its line; what depends on it has no
 * shape to check.
 */
#include <stdio.h>

#include "ini_file.h"
#include "model_internal.h"

/* oneDNN's kernels count in 32 bits, and products of sizes must stay far from overflow: a tensor of
 * 2^31 numbers is refused where it arises. */
static const double tensor_limit = 2147483648.0;

/* A micro-batch of samples of this shape. */
static bool shape_too_large(const tr_config *config, tr_shape shape)
{
    return (double)shape.h * (double)shape.w * (double)shape.c *
               (double)config->engine.micro_batch >=
           tensor_limit;
}

static bool params_too_large(const tr_layer *layer)
{
    for (int i = 0; i < layer->n_params; i++) {
        double n = 1.0;
        for (int k = 0; k < layer->params[i].n_dims; k++)
            n *= (double)layer->params[i].dims[k];
        if (n >= tensor_limit)
            return true;
    }
    return false;
}

/* No shape: of a layer that does not fit, or behind one. */
static bool is_known(tr_shape shape)
{
    return shape.c > 0;
}

/* Where the configuration names the sources, so does the message: "; a gives 32 x 32 x 16, b gives
 * 128". */
static const char *sources_text(const tr_model *model, const tr_layer *layer, char *text, size_t n)
{
    size_t used = 0;
    text[0] = '\0';
    for (int k = 0; layer->inputs != NULL && k < layer->n_srcs && used < n; k++) {
        const int source = layer->sources[k];
        const tr_shape s = layer->srcs[k];
        used += (size_t)snprintf(text + used, n - used, "%s %s gives ", k == 0 ? ";" : ",",
                                 source == TR_IMAGES ? "input" : model->layers[source]->name);
        if (used < n)
            used += s.flat ? (size_t)snprintf(text + used, n - used, "%lld", (long long)s.c)
                           : (size_t)snprintf(text + used, n - used, "%lld x %lld x %lld",
                                              (long long)s.h, (long long)s.w, (long long)s.c);
    }
    return text;
}

static tr_status check_rules(const tr_layer *layer, tr_error *err)
{
    for (int i = 0; i < layer->n_params; i++)
        TR_TRY(tr_weight_check(&layer->params[i], layer->src.c, err));
    return TR_OK;
}

static void infer(tr_model *model, tr_layer *layer)
{
    const tr_config *config = model->config;
    char sources[1024];
    tr_error reason;
    if (layer->ops->shape(layer, &reason) != TR_OK || check_rules(layer, &reason) != TR_OK) {
        tr_problems_add(config->problems, layer->line, "[layer.%s] %s%s", layer->name, reason.text,
                        sources_text(model, layer, sources, sizeof sources));
        layer->dst = (tr_shape){0};
    } else if (shape_too_large(config, layer->dst) || params_too_large(layer)) {
        tr_problems_add(config->problems, layer->line,
                        "[layer.%s] needs a tensor of 2^31 numbers or more for a micro-batch of "
                        "%lld; use a smaller [engine] micro_batch or a smaller layer",
                        layer->name, (long long)config->engine.micro_batch);
        layer->dst = (tr_shape){0};
    }
}

void tr_shapes_infer(tr_model *model)
{
    const tr_config *config = model->config;
    const tr_shape images = {.h = config->input_shape[0],
                             .w = config->input_shape[1],
                             .c = config->input_shape[2],
                             .flat = config->input_flat};
    if (shape_too_large(config, images)) {
        tr_problems_add(
            config->problems, tr_section_line(tr_ini_find(config->ini, "model"), "input_shape"),
            "[model] input_shape: a micro-batch of %lld such samples is 2^31 numbers or "
            "more",
            (long long)config->engine.micro_batch);
        return;
    }
    for (int i = 0, n_weights = 0; i < model->n_layers; i++) {
        tr_layer *layer = model->layers[i];
        bool known = true;
        for (int k = 0; k < layer->n_srcs; k++) {
            const int source = layer->sources[k];
            layer->srcs[k] = source == TR_IMAGES ? images : model->layers[source]->dst;
            known = known && is_known(layer->srcs[k]);
        }
        layer->src = layer->srcs[0];
        layer->micro_batch = config->engine.micro_batch;
        if (known)
            infer(model, layer);
        layer->first_weight = n_weights;
        n_weights += layer->n_params;
    }
    const tr_layer *last = model->n_layers == 0 ? NULL : model->layers[model->n_layers - 1];
    if (last != NULL && is_known(last->dst) && !last->dst.flat)
        tr_problems_add(config->problems, last->line,
                        "[layer.%s] the last layer gives an image of %lld x %lld x %lld, the "
                        "loss needs a vector with one number per class; end with flatten and "
                        "dense",
                        last->name, (long long)last->dst.h, (long long)last->dst.w,
                        (long long)last->dst.c);
}
