/* softmax_layer.c -- dst = exp(src - max) / sum, over the channels. Keras's Softmax. The loss may
 * take it over, as it does with `activation = softmax`. No parameters.
 */
#include "layer.h"

const tr_layer_ops tr_softmax_ops = {
    .type = "softmax",
    .keras_class = "Softmax",
    .keras_rest = "{\"axis\":-1}",
    .doc = "channels made probabilities that add up to 1",
    .bytes = sizeof(tr_layer),
    .only_activates = true,
    .activates = TR_SOFTMAX,
    .fuses = tr_activation_fuses,
    .shape = tr_activation_shape,
    .forward = tr_activation_layer_forward,
    .backward = tr_activation_layer_backward,
};
