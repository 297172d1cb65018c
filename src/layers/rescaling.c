/* rescaling.c -- dst = src * scale + offset, with one number for all channels or one for each.
 *
 * Keras's Rescaling. No parameters.
 */
#include "scaling_layer.h"

typedef struct rescaling {
    tr_layer base;
    tr_scaling scaling;
} rescaling;

static const tr_key keys[] = {
    {.name = "scale",
     .kind = TR_KEY_REALS,
     .constants = true,
     .offset = offsetof(rescaling, scaling.scale),
     .doc = "factor, such as 1/255; or one for each channel"},
    {.name = "offset",
     .kind = TR_KEY_REALS,
     .constants = true,
     .offset = offsetof(rescaling, scaling.offset),
     .fallback = "0",
     .doc = "added to the product; or one for each channel"},
};

static tr_status rescaling_shape(tr_layer *layer, tr_error *err)
{
    rescaling *self = (rescaling *)layer;
    self->scaling.mean = (tr_reals){.n = 1};
    layer->dst = layer->src;
    TR_TRY(tr_scaling_check(layer, "scale", &self->scaling.scale, err));
    return tr_scaling_check(layer, "offset", &self->scaling.offset, err);
}

static tr_status rescaling_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                   tr_value *dst, tr_error *err)
{
    const tr_normalization with = {.scaling = &((rescaling *)layer)->scaling};
    return tr_scaling_forward(layer, program, &with, tape, dst, err);
}

static tr_status rescaling_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                    tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    const tr_normalization with = {.scaling = &((rescaling *)layer)->scaling};
    return tr_scaling_backward(layer, program, &with, tape, diff_dst, diff_src, err);
}

const tr_layer_ops tr_rescaling_ops = {
    .type = "rescaling",
    .keras_class = "Rescaling",
    .doc = "times a factor, plus a constant",
    .bytes = sizeof(rescaling),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = rescaling_shape,
    .forward = rescaling_forward,
    .backward = rescaling_backward,
};
