/* convolution_layer.c -- see convolution_layer.h. */
#include "convolution_layer.h"

tr_status tr_convolution_check_dilation(const tr_convolution_layer *self, tr_error *err)
{
    const int64_t *strides = self->strides, *dilation = self->dilation_rate;
    if ((strides[0] == 1 && strides[1] == 1) || (dilation[0] == 1 && dilation[1] == 1))
        return TR_OK;
    return tr_fail(
        err, TR_ERR_CONFIG,
        "strides = %lld, %lld and dilation_rate = %lld, %lld: one of the two must be 1, 1",
        (long long)strides[0], (long long)strides[1], (long long)dilation[0],
        (long long)dilation[1]);
}

tr_status tr_convolution_shape(tr_layer *layer, int64_t groups, tr_error *err)
{
    tr_convolution_layer *self = (tr_convolution_layer *)layer;
    TR_TRY(tr_convolution_check_dilation(self, err));
    TR_TRY(tr_dilated_shape(layer, (tr_padding)self->padding, self->kernel_size, self->strides,
                            self->dilation_rate, &self->geometry, err));
    self->geometry.groups = groups > 1 ? groups : 0;
    return TR_OK;
}

void tr_convolution_add_depthwise(tr_layer *layer, const char *name, int64_t multiplier,
                                  const tr_weight_rules *rules)
{
    const tr_convolution_layer *self = (tr_convolution_layer *)layer;
    const int64_t dims[4] = {self->kernel_size[0], self->kernel_size[1], layer->src.c, multiplier};
    const int64_t window = dims[0] * dims[1];
    tr_layer_add_param(layer, name, 4, dims, rules);
    layer->params[layer->n_params - 1].depthwise = true;
    layer->flops +=
        2.0 * (double)(window * dims[2] * dims[3]) * (double)(layer->dst.h * layer->dst.w);
}

tr_status tr_convolution_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                                 tr_error *err)
{
    return tr_conv_forward(program, &((tr_convolution_layer *)layer)->geometry, tape->activation,
                           &layer->params[0], tr_layer_param(layer, 1), tape->src, dst, &tape->hint,
                           err);
}

tr_status tr_convolution_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                  tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    const tr_geometry *geometry = &((tr_convolution_layer *)layer)->geometry;
    if (layer->trainable)
        TR_TRY(tr_conv_backward_weights(program, geometry, &layer->params[0],
                                        tr_layer_param(layer, 1), tape->src, diff_dst, tape->hint,
                                        err));
    if (diff_src == NULL)
        return TR_OK;
    return tr_conv_backward_data(program, geometry, &layer->params[0], tape->src, diff_dst,
                                 tape->hint, diff_src, err);
}
