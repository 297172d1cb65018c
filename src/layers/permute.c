/* permute.c -- dst = src with its axes (height, width, channels) in another order.
 *
 * Keras's Permute: axis i of the result is axis dims[i] of the source, counted from 1. No
 * parameters.
 */
#include <stddef.h>

#include "layer.h"

typedef struct permute {
    tr_layer base;
    int64_t dims[3]; /* of a vector the last, behind zeros */
    tr_axes axes;
} permute;

static const tr_key keys[] = {
    {.name = "dims",
     .kind = TR_KEY_INTS,
     .count = 3,
     .offset = offsetof(permute, dims),
     .min = 1,
     .max = 3,
     .vector_max = 1,
     .doc = "1, 2, 3 (height, width, channels) in the new order; of a vector 1"},
};

static tr_status permute_shape(tr_layer *layer, tr_error *err)
{
    permute *self = (permute *)layer;
    const int64_t in[3] = {layer->src.h, layer->src.w, layer->src.c};
    int64_t out[3];
    unsigned seen = 0;
    layer->dst = layer->src;
    for (int i = 0; i < 3; i++)
        seen |= 1u << self->dims[i];
    if (seen != (layer->src.flat ? 3u : 14u)) /* 0, 0, 1; or all of 1, 2, 3 */
        return tr_fail(err, TR_ERR_CONFIG,
                       layer->src.flat ? "dims must be 1: the input is a vector, with one axis"
                                       : "dims must be 1, 2 and 3, each once, in any order");
    if (layer->src.flat)
        return TR_OK;
    for (int i = 0; i < 3; i++) {
        self->axes.of[i] = (int)self->dims[i] - 1;
        out[i] = in[self->axes.of[i]];
    }
    layer->dst = (tr_shape){.h = out[0], .w = out[1], .c = out[2]};
    return TR_OK;
}

static tr_status permute_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                                 tr_error *err)
{
    *dst = tape->src;
    if (layer->src.flat)
        return TR_OK;
    return tr_permute_forward(program, &((permute *)layer)->axes, tape->src, dst, err);
}

static tr_status permute_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                  tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    (void)tape;
    if (diff_src == NULL)
        return TR_OK;
    *diff_src = diff_dst;
    if (layer->src.flat)
        return TR_OK;
    return tr_permute_backward(program, &((permute *)layer)->axes, diff_dst, diff_src, err);
}

const tr_layer_ops tr_permute_ops = {
    .type = "permute",
    .keras_class = "Permute",
    .doc = "axes in another order",
    .bytes = sizeof(permute),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = permute_shape,
    .forward = permute_forward,
    .backward = permute_backward,
};
