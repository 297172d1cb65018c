/* normalization_layer.c -- see normalization_layer.h. */
#include "normalization_layer.h"

void tr_normalization_shape(tr_layer *layer)
{
    const tr_normalization_layer *self = (const tr_normalization_layer *)layer;
    layer->dst = layer->src;
    if (self->scale)
        tr_layer_add_param(layer, "gamma", 1, &layer->src.c, &self->gamma);
    if (self->center)
        tr_layer_add_param(layer, "beta", 1, &layer->src.c, &self->beta);
}

tr_normalization tr_normalization_of(tr_layer *layer, const tr_tape *tape)
{
    const tr_normalization_layer *self = (const tr_normalization_layer *)layer;
    return (tr_normalization){.epsilon = self->epsilon,
                              .gamma = self->scale ? &layer->params[0] : NULL,
                              .beta = self->center ? &layer->params[self->scale ? 1 : 0] : NULL,
                              .fused = tape->activation,
                              .channels = 1};
}

tr_status tr_normalization_enter(const tr_layer *layer, tr_program *program, tr_value value,
                                 tr_value *in, tr_error *err)
{
    *in = value;
    return layer->src.flat ? tr_program_vector(program, value, in, err) : TR_OK;
}

tr_status tr_normalization_leave(const tr_layer *layer, tr_program *program, const tr_tape *tape,
                                 tr_value diff, tr_value *diff_src, tr_error *err)
{
    *diff_src = diff;
    return layer->src.flat ? tr_program_unvector(program, diff, tape->src, diff_src, err) : TR_OK;
}
