/* gaussian_noise.c -- dst = src + stddev z with a standard normal z for each element; while
 * training. Keras's GaussianNoise.
 */
#include "dropping_layer.h"

static const tr_key keys[] = {
    {.name = "stddev",
     .kind = TR_KEY_REAL,
     .offset = offsetof(tr_dropping_layer, rate),
     .max = 1,
     .doc = "deviation of what is added in training"},
};

TR_DROPPING_FUNCTIONS(gaussian_noise, TR_NOISE_ADDED, ((tr_dropping_layer *)layer)->rate)

const tr_layer_ops tr_gaussian_noise_ops = {
    .type = "gaussian_noise",
    .keras_class = "GaussianNoise",
    .keras_rest = "{\"seed\":null}",
    .doc = "normal noise added, in training",
    .bytes = sizeof(tr_dropping_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = tr_noise_shape,
    .forward = gaussian_noise_forward,
    .backward = gaussian_noise_backward,
};
