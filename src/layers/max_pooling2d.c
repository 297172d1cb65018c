/* max_pooling2d.c -- dst[n,oh,ow,c] = max over the window of src[n,h,w,c].
 *
 * Keras's MaxPooling2D: strides default to pool_size; padding never wins. No parameters. Ties go
 * to the first element in row order, as in TensorFlow and PyTorch. Forward leaves the winners in
 * the tape's workspace for backward.
 */
#include "pooling_layer.h"

static const tr_key keys[] = {TR_KEYS_POOLING};

static tr_status max_pooling2d_shape(tr_layer *layer, tr_error *err)
{
    return tr_pooling_shape(layer, TR_POOLING_MAX, err);
}

const tr_layer_ops tr_max_pooling2d_ops = {
    .type = "max_pooling2d",
    .keras_class = "MaxPooling2D",
    .keras_rest = TR_KERAS_IMAGE,
    .doc = "largest value of each window",
    .bytes = sizeof(tr_pooling_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .selects = true,
    .defaults = tr_pooling_defaults,
    .shape = max_pooling2d_shape,
    .forward = tr_pooling_forward,
    .backward = tr_pooling_backward,
};
