/* alpha_dropout.c -- dst = a (kept ? src : -1.7581) + b with a and b so that mean 0 and variance 1
 * stay what they are; while training.
 *
 * Keras's AlphaDropout, for networks of selu, whose limit that number is.
 */
#include "dropping_layer.h"

static const tr_key keys[] = {
    TR_KEY_RATE("share of the elements that is set to the limit of selu in training"),
};

TR_DROPPING_FUNCTIONS(alpha_dropout, TR_DROP_TO_ALPHA, ((tr_dropping_layer *)layer)->rate)

const tr_layer_ops tr_alpha_dropout_ops = {
    .type = "alpha_dropout",
    .keras_class = "AlphaDropout",
    .keras_rest = "{\"noise_shape\":null,\"seed\":null}",
    .doc = "elements set to the limit of selu at random, in training",
    .bytes = sizeof(tr_dropping_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = tr_dropping_shape,
    .forward = alpha_dropout_forward,
    .backward = alpha_dropout_backward,
};
