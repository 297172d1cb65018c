/* dense.c -- dst[n,units] = activation(bias + src[n,inputs] . kernel[inputs,units]).
 *
 * Keras's Dense on a vector: kernel (inputs, units).
 * Parameters: kernel, bias.
 */
#include <stddef.h>

#include "layer.h"

typedef struct dense {
    tr_layer base;
    int64_t units;
    bool use_bias;
    tr_weight_rules kernel, bias;
} dense;

static const tr_key keys[] = {
    {.name = "units",
     .kind = TR_KEY_INT,
     .offset = offsetof(dense, units),
     .min = 1,
     .max = 1048576,
     .doc = "number of outputs"},
    TR_KEY_ACTIVATION,
    {.name = "use_bias",
     .kind = TR_KEY_BOOL,
     .offset = offsetof(dense, use_bias),
     .fallback = "true",
     .doc = "add a trainable constant per unit"},
    TR_KEYS_WEIGHT(dense, kernel, "glorot_uniform"),
    TR_KEYS_WEIGHT(dense, bias, "zeros"),
    TR_KEY_TRAINABLE,
};

static tr_status dense_shape(tr_layer *layer, tr_error *err)
{
    const dense *self = (const dense *)layer;
    if (!layer->src.flat)
        return tr_fail(err, TR_ERR_CONFIG,
                       "needs a flat vector but gets an image of %lld x %lld x %lld; put a "
                       "flatten layer before it",
                       (long long)layer->src.h, (long long)layer->src.w, (long long)layer->src.c);
    const int64_t dims[2] = {layer->src.c, self->units};
    layer->dst = (tr_shape){.h = 1, .w = 1, .c = self->units, .flat = true};
    tr_layer_add_param(layer, "kernel", 2, dims, &self->kernel);
    if (self->use_bias)
        tr_layer_add_param(layer, "bias", 1, &self->units, &self->bias);
    layer->flops = 2.0 * (double)dims[0] * (double)dims[1];
    return TR_OK;
}

static tr_status dense_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                               tr_error *err)
{
    return tr_inner_product_forward(program, tape->activation, &layer->params[0],
                                    tr_layer_param(layer, 1), tape->src, dst, &tape->hint, err);
}

static tr_status dense_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
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
