/* separable_conv2d.c -- a depthwise convolution, and behind it one of 1 x 1 that mixes channels.
 *
 * Keras's SeparableConv2D: depthwise_kernel (kh, kw, channels, depth_multiplier), pointwise_kernel
 * (1, 1, channels * depth_multiplier, filters), bias; nothing between the two. The window is the
 * depthwise one's. What lies between is the tape's workspace.
 */
#include "convolution_layer.h"

typedef struct separable_conv2d {
    tr_convolution_layer base;
    int64_t filters, depth_multiplier;
    tr_geometry mixing; /* of the second */
    tr_weight_rules depthwise, pointwise;
} separable_conv2d;

static const tr_key keys[] = {
    TR_KEY_FILTERS(separable_conv2d),
    TR_KEYS_WINDOW,
    TR_KEY_DEPTH_MULTIPLIER(separable_conv2d),
    TR_KEY_ACTIVATION,
    TR_KEY_USE_BIAS,
    TR_KEYS_WEIGHT(separable_conv2d, depthwise, "glorot_uniform"),
    TR_KEYS_WEIGHT(separable_conv2d, pointwise, "glorot_uniform"),
    TR_KEYS_WEIGHT(tr_convolution_layer, bias, "zeros"),
    TR_KEY_TRAINABLE,
};

enum { DEPTHWISE, POINTWISE, BIAS };

static tr_status separable_conv2d_shape(tr_layer *layer, tr_error *err)
{
    separable_conv2d *conv = (separable_conv2d *)layer;
    TR_TRY(tr_convolution_shape(layer, layer->src.c, err));
    tr_convolution_add_depthwise(layer, "depthwise_kernel", conv->depth_multiplier,
                                 &conv->depthwise);
    const int64_t between = layer->src.c * conv->depth_multiplier;
    const int64_t dims[4] = {1, 1, between, conv->filters};
    conv->mixing =
        (tr_geometry){.kernel = {1, 1}, .strides = {1, 1}, .out = {layer->dst.h, layer->dst.w}};
    layer->dst.c = conv->filters;
    tr_layer_add_param(layer, "pointwise_kernel", 4, dims, &conv->pointwise);
    if (conv->base.use_bias)
        tr_layer_add_param(layer, "bias", 1, &conv->filters, &conv->base.bias);
    layer->flops += 2.0 * (double)(between * conv->filters) * (double)(layer->dst.h * layer->dst.w);
    return TR_OK;
}

static tr_status separable_conv2d_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                          tr_value *dst, tr_error *err)
{
    const separable_conv2d *conv = (separable_conv2d *)layer;
    TR_TRY(tr_conv_forward(program, &conv->base.geometry, TR_NOTHING_FUSED,
                           &layer->params[DEPTHWISE], NULL, tape->src, &tape->workspace,
                           &tape->hint, err));
    return tr_conv_forward(program, &conv->mixing, tape->activation, &layer->params[POINTWISE],
                           tr_layer_param(layer, BIAS), tape->workspace, dst, &tape->second_hint,
                           err);
}

static tr_status separable_conv2d_backward(tr_layer *layer, tr_program *program,
                                           const tr_tape *tape, tr_value diff_dst,
                                           tr_value *diff_src, tr_error *err)
{
    const separable_conv2d *conv = (separable_conv2d *)layer;
    tr_value diff = TR_NO_VALUE;
    if (layer->trainable)
        TR_TRY(tr_conv_backward_weights(program, &conv->mixing, &layer->params[POINTWISE],
                                        tr_layer_param(layer, BIAS), tape->workspace, diff_dst,
                                        tape->second_hint, err));
    TR_TRY(tr_conv_backward_data(program, &conv->mixing, &layer->params[POINTWISE], tape->workspace,
                                 diff_dst, tape->second_hint, &diff, err));
    if (layer->trainable)
        TR_TRY(tr_conv_backward_weights(program, &conv->base.geometry, &layer->params[DEPTHWISE],
                                        NULL, tape->src, diff, tape->hint, err));
    if (diff_src == NULL)
        return TR_OK;
    return tr_conv_backward_data(program, &conv->base.geometry, &layer->params[DEPTHWISE],
                                 tape->src, diff, tape->hint, diff_src, err);
}

const tr_layer_ops tr_separable_conv2d_ops = {
    .type = "separable_conv2d",
    .keras_class = "SeparableConv2D",
    .keras_rest = "{" TR_KERAS_WEIGHTED ",\"data_format\":\"channels_last\"}",
    .doc = "depthwise convolution, then one of 1 x 1",
    .bytes = sizeof(separable_conv2d),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .fuses = tr_activation_fuses,
    .shape = separable_conv2d_shape,
    .forward = separable_conv2d_forward,
    .backward = separable_conv2d_backward,
};
