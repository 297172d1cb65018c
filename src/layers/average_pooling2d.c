/* average_pooling2d.c -- dst[n,oh,ow,c] = average over the window of src[n,h,w,c].
 *
 * Keras's AveragePooling2D: strides default to pool_size. With padding = same a window that
 * overhangs is divided by the number of its elements within the image, as TensorFlow does
 * (PyTorch counts the padding). No parameters.
 */
#include "pooling_layer.h"

static const tr_key keys[] = {TR_KEYS_POOLING};

static tr_status average_pooling2d_shape(tr_layer *layer, tr_error *err)
{
    return tr_pooling_shape(layer, TR_POOLING_AVERAGE, err);
}

const tr_layer_ops tr_average_pooling2d_ops = {
    .type = "average_pooling2d",
    .keras_class = "AveragePooling2D",
    .keras_rest = TR_KERAS_IMAGE,
    .doc = "average of each window",
    .bytes = sizeof(tr_pooling_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .defaults = tr_pooling_defaults,
    .shape = average_pooling2d_shape,
    .forward = tr_pooling_forward,
    .backward = tr_pooling_backward,
};
