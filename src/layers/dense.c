/* dense.c -- dst[n,units] = activation(bias + src[n,inputs] . kernel[inputs,units]).
 *
 * Keras's Dense: kernel (inputs, units). An image's pixels are as many vectors, of its channels: a
 * convolution with windows of one pixel, (1, 1, inputs, units).
 * Parameters: kernel, bias.
 */
#include <stddef.h>

#include "convolution_layer.h"

typedef struct dense {
    tr_convolution_layer base; /* its geometry: on images */
    int64_t units;
    tr_weight_rules kernel;
} dense;

static const tr_key keys[] = {
    {.name = "units",
     .kind = TR_KEY_INT,
     .offset = offsetof(dense, units),
     .min = 1,
     .max = 1048576,
     .doc = "number of outputs"},
    TR_KEY_ACTIVATION,
    TR_KEY_USE_BIAS,
    TR_KEYS_WEIGHT(dense, kernel, "glorot_uniform"),
    TR_KEYS_WEIGHT(tr_convolution_layer, bias, "zeros"),
    TR_KEY_TRAINABLE,
};

static tr_status dense_shape(tr_layer *layer, tr_error *err)
{
    dense *self = (dense *)layer;
    const int64_t dims[4] = {1, 1, layer->src.c, self->units}, pixel[2] = {1, 1};
    const int n_hidden = layer->src.flat ? 0 : 2;
    layer->dst = layer->src;
    if (!layer->src.flat)
        TR_TRY(tr_window_shape(layer, TR_PADDING_VALID, pixel, pixel, &self->base.geometry, err));
    layer->dst.c = self->units;
    tr_layer_add_param(layer, "kernel", 2 + n_hidden, dims + 2 - n_hidden, &self->kernel);
    layer->params[0].n_hidden = n_hidden;
    if (self->base.use_bias)
        tr_layer_add_param(layer, "bias", 1, &self->units, &self->base.bias);
    layer->flops =
        2.0 * (double)dims[2] * (double)dims[3] * (double)layer->dst.h * (double)layer->dst.w;
    return TR_OK;
}

static tr_status dense_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                               tr_error *err)
{
    if (!layer->src.flat)
        return tr_convolution_forward(layer, program, tape, dst, err);
    return tr_inner_product_forward(program, tape->activation, &layer->params[0],
                                    tr_layer_param(layer, 1), tape->src, dst, &tape->hint, err);
}

static tr_status dense_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    if (!layer->src.flat)
        return tr_convolution_backward(layer, program, tape, diff_dst, diff_src, err);
    if (layer->trainable)
        TR_TRY(tr_inner_product_backward_weights(program, &layer->params[0],
                                                 tr_layer_param(layer, 1), tape->src, diff_dst,
                                                 tape->hint, err));
    if (diff_src == NULL)
        return TR_OK;
    return tr_inner_product_backward_data(program, &layer->params[0], tape->src, diff_dst,
                                          tape->hint, diff_src, err);
}

const tr_layer_ops tr_dense_ops = {
    .type = "dense",
    .keras_class = "Dense",
    .keras_rest = "{" TR_KERAS_WEIGHTED "}",
    .doc = "every output from every input",
    .bytes = sizeof(dense),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .fuses = tr_activation_fuses,
    .shape = dense_shape,
    .forward = dense_forward,
    .backward = dense_backward,
};
