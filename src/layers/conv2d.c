/* conv2d.c -- dst[n,oh,ow,oc] = activation(bias[oc] + sum over kh,kw,ic of src * kernel).
 *
 * Keras's Conv2D: kernel (kh, kw, ic, oc); `same` padding placed as TensorFlow places it. Parameters: kernel, bias.
 */
#include <stddef.h>

#include "layer.h"

typedef struct conv2d {
    tr_layer base;
    int64_t filters;
    int64_t kernel_size[2], strides[2];
    int padding; /* tr_padding */
    bool use_bias;
    tr_weight_rules kernel, bias;
    tr_geometry geometry;
} conv2d;

static const tr_key keys[] = {
    {.name = "filters",
     .kind = TR_KEY_INT,
     .offset = offsetof(conv2d, filters),
     .min = 1,
     .max = 65536,
     .doc = "number of output channels"},
    {.name = "kernel_size",
     .kind = TR_KEY_INTS,
     .count = 2,
     .offset = offsetof(conv2d, kernel_size),
     .min = 1,
     .max = 1024,
     .doc = "height, width"},
    {.name = "strides",
     .kind = TR_KEY_INTS,
     .count = 2,
     .offset = offsetof(conv2d, strides),
     .fallback = "1, 1",
     .min = 1,
     .max = 1024,
     .doc = "step of the window: height, width"},
    {.name = "padding",
     .kind = TR_KEY_CHOICE,
     .offset = offsetof(conv2d, padding),
     .fallback = "valid",
     .choices = tr_padding_names,
     .doc = "same keeps the size, with zeros around the image"},
    TR_KEY_ACTIVATION,
    {.name = "use_bias",
     .kind = TR_KEY_BOOL,
     .offset = offsetof(conv2d, use_bias),
     .fallback = "true",
     .doc = "add a trainable constant per filter"},
    TR_KEYS_WEIGHT(conv2d, kernel, "glorot_uniform"),
    TR_KEYS_WEIGHT(conv2d, bias, "zeros"),
    TR_KEY_TRAINABLE,
};

static tr_status conv2d_shape(tr_layer *layer, tr_error *err)
{
    conv2d *conv = (conv2d *)layer;
    TR_TRY(tr_window_shape(layer, (tr_padding)conv->padding, conv->kernel_size, conv->strides,
                           &conv->geometry, err));
    layer->dst.c = conv->filters;
    const int64_t dims[4] = {conv->kernel_size[0], conv->kernel_size[1], layer->src.c,
                             conv->filters};
    const int64_t window = dims[0] * dims[1];
    tr_layer_add_param(layer, "kernel", 4, dims, &conv->kernel);
    if (conv->use_bias)
        tr_layer_add_param(layer, "bias", 1, &conv->filters, &conv->bias);
    layer->flops =
        2.0 * (double)(window * dims[2] * dims[3]) * (double)(layer->dst.h * layer->dst.w);
    return TR_OK;
}

static tr_status conv2d_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                                tr_error *err)
{
    return tr_conv_forward(program, &((conv2d *)layer)->geometry, tape->activation,
                           &layer->params[0], tr_layer_param(layer, 1), tape->src, dst, &tape->hint,
                           err);
}

static tr_status conv2d_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                 tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    const tr_geometry *geometry = &((conv2d *)layer)->geometry;
    if (layer->trainable)
        TR_TRY(tr_conv_backward_weights(program, geometry, &layer->params[0],
                                        tr_layer_param(layer, 1), tape->src, diff_dst, tape->hint,
                                        err));
    if (diff_src == NULL)
        return TR_OK;
    return tr_conv_backward_data(program, geometry, &layer->params[0], tape->src, diff_dst,
                                 tape->hint, diff_src, err);
}

const tr_layer_ops tr_conv2d_ops = {
    .type = "conv2d",
    .keras_class = "Conv2D",
    .keras_rest = "{" TR_KERAS_WEIGHTED ",\"data_format\":\"channels_last\","
                  "\"dilation_rate\":[1,1],\"groups\":1}",
    .doc = "2-D convolution",
    .bytes = sizeof(conv2d),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .fuses = tr_activation_fuses,
    .shape = conv2d_shape,
    .forward = conv2d_forward,
    .backward = conv2d_backward,
};
