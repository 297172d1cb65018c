/* gaussian_dropout.c -- dst = src (1 + z sqrt(rate / (1 - rate))) with a standard normal z for each
 * element; while training. Keras's GaussianDropout.
 */
#include <math.h>

#include "dropping_layer.h"

static const tr_key keys[] = {
    TR_KEY_RATE("variance of the factors, rate / (1 - rate), in training"),
};

TR_DROPPING_FUNCTIONS(gaussian_dropout, TR_NOISE_MULTIPLIED,
                      sqrt(((tr_dropping_layer *)layer)->rate /
                           (1.0 - ((tr_dropping_layer *)layer)->rate)))

const tr_layer_ops tr_gaussian_dropout_ops = {
    .type = "gaussian_dropout",
    .keras_class = "GaussianDropout",
    .keras_rest = "{\"seed\":null}",
    .doc = "elements times normal noise around 1, in training",
    .bytes = sizeof(tr_dropping_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = tr_noise_shape,
    .forward = gaussian_dropout_forward,
    .backward = gaussian_dropout_backward,
};
