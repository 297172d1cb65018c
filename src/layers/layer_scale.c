/* layer_scale.c -- dst = src * gamma, a factor for each channel that is learned.
 *
 * The LayerScale of ConvNeXt (Touvron et al., 2021), as keras.applications has it. Parameter:
 * gamma, at first init_values everywhere.
 */
#include "normalization_layer.h"

typedef struct layer_scale {
    tr_layer base;
    double init_values;
    int64_t projection_dim;
} layer_scale;

static const tr_key keys[] = {
    {.name = "init_values",
     .kind = TR_KEY_REAL,
     .offset = offsetof(layer_scale, init_values),
     .fallback = "1e-6",
     .doc = "its factors before the training"},
    {.name = "projection_dim",
     .kind = TR_KEY_INT,
     .offset = offsetof(layer_scale, projection_dim),
     .min = 1,
     .max = 16777216,
     .doc = "number of channels, or of a vector's elements"},
    TR_KEY_TRAINABLE,
};

static tr_status layer_scale_shape(tr_layer *layer, tr_error *err)
{
    const layer_scale *self = (const layer_scale *)layer;
    const tr_weight_rules rules = {
        .initializer = {.function = TR_INIT_CONSTANT, .arguments = {self->init_values}}};
    layer->dst = layer->src;
    if (self->projection_dim != layer->src.c)
        return tr_fail(err, TR_ERR_CONFIG, "projection_dim = %lld, but there are %lld channels",
                       (long long)self->projection_dim, (long long)layer->src.c);
    tr_layer_add_param(layer, "gamma", 1, &layer->src.c, &rules);
    return TR_OK;
}

static tr_status layer_scale_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                     tr_value *dst, tr_error *err)
{
    const tr_normalization with = {.gamma = &layer->params[0], .fused = tape->activation};
    tr_value src;
    TR_TRY(tr_normalization_enter(layer, program, tape->src, &src, err));
    return tr_normalize_forward(program, &with, src, dst, err);
}

static tr_status layer_scale_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                      tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    const tr_normalization with = {.gamma = &layer->params[0]};
    tr_value src, diff;
    TR_TRY(tr_normalization_enter(layer, program, tape->src, &src, err));
    TR_TRY(tr_normalization_enter(layer, program, diff_dst, &diff, err));
    if (layer->trainable)
        TR_TRY(tr_channel_products(program, src, diff, &layer->params[0], err));
    if (diff_src == NULL)
        return TR_OK;
    TR_TRY(tr_normalize_backward(program, &with, diff, &diff, err));
    return tr_normalization_leave(layer, program, tape, diff, diff_src, err);
}

const tr_layer_ops tr_layer_scale_ops = {
    .type = "layer_scale",
    .keras_class = "LayerScale",
    .keras_module = "keras.src.applications.convnext",
    .doc = "channels times factors that are learned",
    .bytes = sizeof(layer_scale),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .fuses = tr_normalization_fuses,
    .shape = layer_scale_shape,
    .forward = layer_scale_forward,
    .backward = layer_scale_backward,
};
