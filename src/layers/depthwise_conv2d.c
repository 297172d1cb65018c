/* depthwise_conv2d.c -- each channel convolved by itself: dst[n,oh,ow,c*m+k] =
 * activation(bias[c*m+k]
 * + sum over kh,kw of src[n,ih,iw,c] * kernel[kh,kw,c,k]), m = depth_multiplier.
 *
 * Keras's DepthwiseConv2D: kernel (kh, kw, channels, depth_multiplier).
 * Parameters: kernel, bias.
 */
#include "convolution_layer.h"

typedef struct depthwise_conv2d {
    tr_convolution_layer base;
    int64_t depth_multiplier;
    tr_weight_rules depthwise;
} depthwise_conv2d;

static const tr_key keys[] = {
    TR_KEYS_WINDOW,
    TR_KEY_DEPTH_MULTIPLIER(depthwise_conv2d),
    TR_KEY_ACTIVATION,
    TR_KEY_USE_BIAS,
    TR_KEYS_WEIGHT(depthwise_conv2d, depthwise, "glorot_uniform"),
    TR_KEYS_WEIGHT(tr_convolution_layer, bias, "zeros"),
    TR_KEY_TRAINABLE,
};

static tr_status depthwise_conv2d_shape(tr_layer *layer, tr_error *err)
{
    const depthwise_conv2d *conv = (depthwise_conv2d *)layer;
    TR_TRY(tr_convolution_shape(layer, layer->src.c, err));
    tr_convolution_add_depthwise(layer, "kernel", conv->depth_multiplier, &conv->depthwise);
    layer->dst.c = layer->src.c * conv->depth_multiplier;
    if (conv->base.use_bias)
        tr_layer_add_param(layer, "bias", 1, &layer->dst.c, &conv->base.bias);
    return TR_OK;
}

const tr_layer_ops tr_depthwise_conv2d_ops = {
    .type = "depthwise_conv2d",
    .keras_class = "DepthwiseConv2D",
    .keras_rest = "{" TR_KERAS_WEIGHTED ",\"data_format\":\"channels_last\"}",
    .doc = "2-D convolution of each channel by itself",
    .bytes = sizeof(depthwise_conv2d),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .fuses = tr_activation_fuses,
    .shape = depthwise_conv2d_shape,
    .forward = tr_convolution_forward,
    .backward = tr_convolution_backward,
};
