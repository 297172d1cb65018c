/* activation_layer.c -- dst = f(src), elementwise; softmax over the last axis, the channels.
 *
 * Keras's Activation, for where the function does not belong to the layer before. No parameters.
 */
#include <stddef.h>

#include "layer.h"

static const tr_key keys[] = {
    {.name = "activation",
     .kind = TR_KEY_CHOICE,
     .offset = offsetof(tr_layer, activation),
     .choices = tr_activation_names,
     .doc = "the function"},
};

tr_status tr_activation_shape(tr_layer *layer, tr_error *err)
{
    (void)err;
    layer->dst = layer->src;
    return TR_OK;
}

/* What does not fuse is left to model/plan.c, which keeps what its derivative needs; softmax also
 * because the loss may take it over. */
tr_status tr_activation_layer_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                      tr_value *dst, tr_error *err)
{
    (void)layer;
    tr_activation_tape steps; /* its result is all that these derivatives need */
    return tr_activation_forward(program, tape->activation, tape->src, &steps, dst, err);
}

/* The derivative is taken by model/plan.c, as that of every layer's activation. */
tr_status tr_activation_layer_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                       tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    (void)layer, (void)program, (void)tape, (void)err;
    if (diff_src != NULL)
        *diff_src = diff_dst;
    return TR_OK;
}

const tr_layer_ops tr_activation_ops = {
    .type = "activation",
    .keras_class = "Activation",
    .doc = "an activation function alone",
    .bytes = sizeof(tr_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .only_activates = true,
    .fuses = tr_activation_fuses,
    .shape = tr_activation_shape,
    .forward = tr_activation_layer_forward,
    .backward = tr_activation_layer_backward,
};
