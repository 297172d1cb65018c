/* global_max_pooling2d.c -- dst[n,c] = max over h, w of src[n,h,w,c].
 *
 * Keras's GlobalMaxPooling2D. No parameters. Equal maxima share the gradient
 * equally, as in TensorFlow, whose layer is a reduce_max (windows give it to the first).
 */
#include "pooling_layer.h"

static const tr_key keys[] = {TR_KEYS_GLOBAL_POOLING};

static tr_status global_max_pooling2d_shape(tr_layer *layer, tr_error *err)
{
    return tr_global_pooling_shape(layer, TR_POOLING_GLOBAL_MAX, err);
}

const tr_layer_ops tr_global_max_pooling2d_ops = {
    .type = "global_max_pooling2d",
    .keras_class = "GlobalMaxPooling2D",
    .keras_rest = TR_KERAS_IMAGE,
    .doc = "largest value of each channel",
    .bytes = sizeof(tr_pooling_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .selects = true,
    .shape = global_max_pooling2d_shape,
    .forward = tr_pooling_forward,
    .backward = tr_pooling_backward,
};
