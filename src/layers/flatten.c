/* flatten.c -- an image seen as a vector, in Keras's order: row-major over (h, w, c).
 *
 * Costs nothing: the tensor stays where it is, in whatever layout, and only its shape changes.
 * Whoever needs the vector's order makes it: dense by the order of its kernel
 * (dnn/inner_product.c), softmax and the loss by a copy (model/plan.c).
 */

#include "layer.h"

static tr_status flatten_shape(tr_layer *layer, tr_error *err)
{
    (void)err;
    const tr_shape src = layer->src;
    layer->dst = (tr_shape){.h = 1, .w = 1, .c = src.h * src.w * src.c, .flat = true};
    return TR_OK;
}

static tr_status flatten_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                                 tr_error *err)
{
    (void)layer, (void)program, (void)err;
    *dst = tape->src;
    return TR_OK;
}

static tr_status flatten_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                  tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    (void)layer, (void)program, (void)tape, (void)err;
    if (diff_src != NULL)
        *diff_src = diff_dst;
    return TR_OK;
}

const tr_layer_ops tr_flatten_ops = {
    .type = "flatten",
    .keras_class = "Flatten",
    .keras_rest = TR_KERAS_IMAGE,
    .doc = "image to vector, channels last",
    .bytes = sizeof(tr_layer),
    .shape = flatten_shape,
    .forward = flatten_forward,
    .backward = flatten_backward,
};
