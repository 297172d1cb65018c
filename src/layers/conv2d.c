/* conv2d.c -- dst[n,oh,ow,oc] = activation(bias[oc] + sum over kh,kw,ic of src * kernel).
 *
 * Keras's Conv2D: kernel (kh, kw, ic / groups, oc); `same` padding placed as TensorFlow places it.
 * Parameters: kernel, bias.
 */
#include "convolution_layer.h"

typedef struct conv2d {
    tr_convolution_layer base;
    int64_t filters, groups;
    tr_weight_rules kernel;
} conv2d;

static const tr_key keys[] = {
    TR_KEY_FILTERS(conv2d),
    TR_KEYS_WINDOW,
    {.name = "groups",
     .kind = TR_KEY_INT,
     .offset = offsetof(conv2d, groups),
     .fallback = "1",
     .min = 1,
     .max = 65536,
     .doc = "parts of the channels, each convolved with filters of its own"},
    TR_KEY_ACTIVATION,
    TR_KEY_USE_BIAS,
    TR_KEYS_WEIGHT(conv2d, kernel, "glorot_uniform"),
    TR_KEYS_WEIGHT(tr_convolution_layer, bias, "zeros"),
    TR_KEY_TRAINABLE,
};

static tr_status check_groups(const tr_layer *layer, tr_error *err)
{
    const conv2d *conv = (const conv2d *)layer;
    if (layer->src.c % conv->groups == 0 && conv->filters % conv->groups == 0)
        return TR_OK;
    return tr_fail(err, TR_ERR_CONFIG,
                   "groups = %lld: must divide the channels, which are %lld, and filters = %lld",
                   (long long)conv->groups, (long long)layer->src.c, (long long)conv->filters);
}

static tr_status conv2d_shape(tr_layer *layer, tr_error *err)
{
    conv2d *conv = (conv2d *)layer;
    TR_TRY(tr_convolution_shape(layer, conv->groups, err));
    TR_TRY(check_groups(layer, err));
    layer->dst.c = conv->filters;
    const int64_t dims[4] = {conv->base.kernel_size[0], conv->base.kernel_size[1],
                             layer->src.c / conv->groups, conv->filters};
    const int64_t window = dims[0] * dims[1];
    tr_layer_add_param(layer, "kernel", 4, dims, &conv->kernel);
    if (conv->base.use_bias)
        tr_layer_add_param(layer, "bias", 1, &conv->filters, &conv->base.bias);
    layer->flops =
        2.0 * (double)(window * dims[2] * dims[3]) * (double)(layer->dst.h * layer->dst.w);
    return TR_OK;
}

const tr_layer_ops tr_conv2d_ops = {
    .type = "conv2d",
    .keras_class = "Conv2D",
    .keras_rest = "{" TR_KERAS_WEIGHTED ",\"data_format\":\"channels_last\"}",
    .doc = "2-D convolution",
    .bytes = sizeof(conv2d),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .fuses = tr_activation_fuses,
    .shape = conv2d_shape,
    .forward = tr_convolution_forward,
    .backward = tr_convolution_backward,
};
