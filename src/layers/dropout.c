/* dropout.c -- dst = src with a share `rate` of its elements set to 0, the others divided by
 * 1 - rate; while training.
 *
 * Keras's Dropout. The probability is the nearest multiple of 1/65536, in mask and divisor alike.
 * Evaluation leaves the layer out.
 */
#include "dropping_layer.h"

static const tr_key keys[] = {
    TR_KEY_RATE("share of the elements that is set to 0 in training"),
};

TR_DROPPING_FUNCTIONS(dropout, TR_DROP_ELEMENTS, ((tr_dropping_layer *)layer)->rate)

const tr_layer_ops tr_dropout_ops = {
    .type = "dropout",
    .keras_class = "Dropout",
    .keras_rest = "{\"noise_shape\":null,\"seed\":null}",
    .doc = "elements set to zero at random, in training",
    .bytes = sizeof(tr_dropping_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = tr_dropping_shape,
    .forward = dropout_forward,
    .backward = dropout_backward,
};
