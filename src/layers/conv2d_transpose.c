/* conv2d_transpose.c -- dst[n,sh*y+kh-top,sw*x+kw-left,oc] = activation(bias[oc] + sum over what
 * meets there of src[n,y,x,ic] * kernel[kh,kw,oc,ic]).
 *
 * Keras's Conv2DTranspose: kernel (kh, kw, oc, ic). What it does is the gradient of a convolution
 * from an image of dst's size to one of src's, padded as TensorFlow pads it. Parameters: kernel,
 * bias.
 */
#include "convolution_layer.h"

typedef struct conv2d_transpose {
    tr_convolution_layer base; /* its geometry: of the convolution from dst to src */
    int64_t filters;
    int64_t output_padding[2]; /* -1: as much as makes dst strides times as large */
    tr_weight_rules kernel;
} conv2d_transpose;

static const tr_key keys[] = {
    TR_KEY_FILTERS(conv2d_transpose),
    TR_KEYS_WINDOW,
    {.name = "output_padding",
     .kind = TR_KEY_INTS,
     .count = 2,
     .offset = offsetof(conv2d_transpose, output_padding),
     .optional = true,
     .min = 0,
     .max = 1024,
     .doc = "rows and columns more than the fewest, below strides; default: size times strides"},
    TR_KEY_ACTIVATION,
    TR_KEY_USE_BIAS,
    TR_KEYS_WEIGHT(conv2d_transpose, kernel, "glorot_uniform"),
    TR_KEYS_WEIGHT(tr_convolution_layer, bias, "zeros"),
    TR_KEY_TRAINABLE,
};

static bool conv2d_transpose_defaults(tr_layer *layer, tr_section *section)
{
    conv2d_transpose *self = (conv2d_transpose *)layer;
    if (tr_section_find(section, "output_padding") == NULL)
        self->output_padding[0] = self->output_padding[1] = -1;
    return true;
}

/* The larger axis, of the convolution's source; Keras's formula. */
static int64_t larger(const conv2d_transpose *self, int axis, int64_t in)
{
    const int64_t stride = self->base.strides[axis], more = self->output_padding[axis];
    const int64_t window = (self->base.kernel_size[axis] - 1) * self->base.dilation_rate[axis] + 1;
    const int64_t least = stride > window ? stride - window : 0;
    if (self->base.padding == TR_PADDING_VALID)
        return (in - 1) * stride + window + (more < 0 ? least : more);
    return more < 0 ? in * stride : (in - 1) * stride + window % 2 + more;
}

static tr_status conv2d_transpose_shape(tr_layer *layer, tr_error *err)
{
    conv2d_transpose *self = (conv2d_transpose *)layer;
    tr_convolution_layer *head = &self->base;
    const tr_shape src = layer->src;
    TR_TRY(tr_convolution_check_dilation(head, err));
    if (!src.flat)
        layer->src = (tr_shape){.h = larger(self, 0, src.h), .w = larger(self, 1, src.w)};
    const tr_shape dst = layer->src;
    const bool fits = src.flat || (dst.h > 0 && dst.w > 0);
    const tr_status status =
        fits ? tr_dilated_shape(layer, (tr_padding)head->padding, head->kernel_size, head->strides,
                                head->dilation_rate, &head->geometry, err)
             : TR_OK;
    layer->src = src;
    TR_TRY(status);
    if (!fits || head->geometry.out[0] != src.h || head->geometry.out[1] != src.w)
        return tr_fail(err, TR_ERR_CONFIG,
                       "output_padding = %lld, %lld: no convolution makes the input of what that "
                       "gives; it must be less than strides = %lld, %lld, or left out",
                       (long long)self->output_padding[0], (long long)self->output_padding[1],
                       (long long)head->strides[0], (long long)head->strides[1]);
    layer->dst = (tr_shape){.h = dst.h, .w = dst.w, .c = self->filters};
    const int64_t dims[4] = {head->kernel_size[0], head->kernel_size[1], self->filters, src.c};
    tr_layer_add_param(layer, "kernel", 4, dims, &self->kernel);
    layer->params[0].transposed = true;
    if (head->use_bias)
        tr_layer_add_param(layer, "bias", 1, &self->filters, &head->bias);
    layer->flops = 2.0 * (double)(dims[0] * dims[1] * dims[2] * dims[3]) * (double)(src.h * src.w);
    return TR_OK;
}

static tr_status conv2d_transpose_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                          tr_value *dst, tr_error *err)
{
    const tr_shape *to = &layer->dst;
    const int64_t dims[4] = {layer->micro_batch, to->c, to->h, to->w};
    return tr_transposed_forward(program, &((tr_convolution_layer *)layer)->geometry,
                                 tape->activation, &layer->params[0], tr_layer_param(layer, 1),
                                 tape->src, dims, dst, err);
}

static tr_status conv2d_transpose_backward(tr_layer *layer, tr_program *program,
                                           const tr_tape *tape, tr_value diff_dst,
                                           tr_value *diff_src, tr_error *err)
{
    const tr_geometry *geometry = &((tr_convolution_layer *)layer)->geometry;
    if (layer->trainable)
        TR_TRY(tr_transposed_backward_weights(program, geometry, &layer->params[0],
                                              tr_layer_param(layer, 1), tape->src, diff_dst, err));
    if (diff_src == NULL)
        return TR_OK;
    return tr_transposed_backward_data(program, geometry, &layer->params[0], diff_dst, diff_src,
                                       err);
}

const tr_layer_ops tr_conv2d_transpose_ops = {
    .type = "conv2d_transpose",
    .keras_class = "Conv2DTranspose",
    .keras_rest = "{" TR_KERAS_WEIGHTED ",\"data_format\":\"channels_last\"}",
    .doc = "2-D convolution the other way round: larger images",
    .bytes = sizeof(conv2d_transpose),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .fuses = tr_normalization_fuses,
    .defaults = conv2d_transpose_defaults,
    .shape = conv2d_transpose_shape,
    .forward = conv2d_transpose_forward,
    .backward = conv2d_transpose_backward,
};
