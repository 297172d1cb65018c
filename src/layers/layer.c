/* layer.c -- what layer files share: the head of the struct and the geometry of sliding windows. */
#include "layer.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"

const char *const tr_padding_names[] = {"valid", "same", NULL};

const tr_key tr_layer_common_keys[] = {
    {.name = "type",
     .kind = TR_KEY_TEXT,
     .offset = offsetof(tr_layer, type_text),
     .doc = "kind of layer: which of the tables above"},
    {.name = "inputs",
     .kind = TR_KEY_TEXT,
     .offset = offsetof(tr_layer, inputs),
     .optional = true,
     .doc = "layers above whose results it takes, or input: the images (the layer before)"},
    {.name = "activity_regularizer",
     .kind = TR_KEY_CALL,
     .offset = offsetof(tr_layer, activity),
     .optional = true,
     .functions = tr_regularizers,
     .doc = "penalty that the loss gets for its result, the mean over the samples"},
};
const size_t tr_layer_n_common_keys = sizeof tr_layer_common_keys / sizeof *tr_layer_common_keys;

enum { MAX_KEYS = 64 }; /* more than any layer has */

static bool read_section(tr_layer *layer, tr_section *section, tr_problems *problems)
{
    tr_key keys[MAX_KEYS];
    size_t n = tr_layer_n_common_keys;
    memcpy(keys, tr_layer_common_keys, sizeof tr_layer_common_keys);
    for (size_t i = 0; i < layer->ops->n_keys; i++)
        keys[n++] = layer->ops->keys[i];
    return tr_section_read(section, keys, n, layer, problems);
}

/* Keras takes it in every layer. */
static void refuse_trainable(const tr_layer_ops *ops, tr_section *section, tr_problems *problems)
{
    char why[128];
    snprintf(why, sizeof why,
             "a %s layer has no weights that could be trained or not; remove the key", ops->type);
    if (tr_key_find(ops->keys, ops->n_keys, "trainable") == NULL)
        tr_section_refuse(section, "trainable", why, problems);
}

tr_layer *tr_layer_new(const tr_layer_ops *ops, tr_section *section, tr_problems *problems)
{
    tr_layer *layer = tr_alloc(1, ops->bytes);
    if (layer == NULL)
        return NULL;
    layer->ops = ops;
    layer->trainable = true;
    layer->activation = (int)ops->activates;
    layer->name = section->name + strlen("layer.");
    layer->line = section->line;
    refuse_trainable(ops, section, problems);
    if (read_section(layer, section, problems) && ops->defaults != NULL &&
        !ops->defaults(layer, section)) {
        tr_free(layer);
        return NULL;
    }
    return layer;
}

tr_activation tr_layer_activation(const tr_layer *layer)
{
    return layer->ops->activation != NULL
               ? layer->ops->activation(layer)
               : tr_activation_named((tr_activation_name)layer->activation);
}

void tr_layer_free(tr_layer *layer)
{
    if (layer == NULL)
        return;
    tr_free(layer->sources);
    tr_free(layer->srcs);
    tr_free(layer);
}

bool tr_window_axis(tr_padding padding, int64_t in, int64_t kernel, int64_t stride, int64_t *out,
                    int64_t *pad_before, int64_t *pad_after)
{
    *pad_before = *pad_after = 0;
    if (padding == TR_PADDING_VALID) {
        *out = (in - kernel) / stride + 1;
        return kernel <= in;
    }
    *out = (in + stride - 1) / stride;
    const int64_t total = (*out - 1) * stride + kernel - in;
    if (total > 0) {
        *pad_before = total / 2;
        *pad_after = total - total / 2;
    }
    return true;
}

tr_status tr_window_shape(tr_layer *layer, tr_padding padding, const int64_t kernel[2],
                          const int64_t strides[2], tr_geometry *geometry, tr_error *err)
{
    static const int64_t dense[2] = {1, 1};
    return tr_dilated_shape(layer, padding, kernel, strides, dense, geometry, err);
}

tr_status tr_dilated_shape(tr_layer *layer, tr_padding padding, const int64_t kernel[2],
                           const int64_t strides[2], const int64_t dilation[2],
                           tr_geometry *geometry, tr_error *err)
{
    if (layer->src.flat)
        return tr_fail(err, TR_ERR_CONFIG,
                       "needs an image (height, width, channels) but gets a flat vector of %lld; "
                       "place it before flatten and dense",
                       (long long)layer->src.c);
    const int64_t in[2] = {layer->src.h, layer->src.w};
    static const char *const axes[2] = {"height", "width"};
    for (int i = 0; i < 2; i++) {
        geometry->kernel[i] = kernel[i];
        geometry->strides[i] = strides[i];
        geometry->dilates[i] = kernel[i] > 1 ? dilation[i] - 1 : 0; /* of one pixel: nothing */
        const int64_t covered = (kernel[i] - 1) * dilation[i] + 1;
        if (!tr_window_axis(padding, in[i], covered, strides[i], &geometry->out[i],
                            &geometry->pad_before[i], &geometry->pad_after[i]))
            return tr_fail(err, TR_ERR_CONFIG,
                           "a window of %lld does not fit the %s of %lld; use padding = same, a "
                           "smaller window, or fewer pooling layers before it",
                           (long long)covered, axes[i], (long long)in[i]);
    }
    layer->dst = (tr_shape){.h = geometry->out[0], .w = geometry->out[1], .c = layer->src.c};
    return TR_OK;
}

tr_param *tr_layer_param(tr_layer *layer, int i)
{
    return i < layer->n_params ? &layer->params[i] : NULL;
}

bool tr_layer_learns(const tr_layer *layer)
{
    for (int i = 0; i < layer->n_params; i++)
        if (layer->params[i].range == TR_TRAINED)
            return true;
    return false;
}

void tr_layer_add_param(tr_layer *layer, const char *name, int n_dims, const int64_t *dims,
                        const tr_weight_rules *rules)
{
    tr_param *param = &layer->params[layer->n_params++];
    *param = (tr_param){.layer = layer->name,
                        .name = name,
                        .n_dims = n_dims,
                        .rules = *rules,
                        .range = layer->trainable ? TR_TRAINED : TR_FROZEN};
    memcpy(param->dims, dims, (size_t)n_dims * sizeof *dims);
}
