/* leaky_re_lu.c -- dst = x > 0 ? x : negative_slope x.
 *
 * Keras's LeakyReLU; Keras 2 calls the slope alpha. No parameters.
 */
#include <stddef.h>

#include "layer.h"

typedef struct leaky_re_lu {
    tr_layer base;
    double negative_slope;
} leaky_re_lu;

static const tr_key keys[] = {
    {.name = "negative_slope",
     .kind = TR_KEY_REAL,
     .offset = offsetof(leaky_re_lu, negative_slope),
     .fallback = "0.3",
     .max = 1e6,
     .doc = "what negative numbers are multiplied by"},
};
static const char *const keras2_keys[] = {"negative_slope", "alpha", NULL};

static tr_activation leaky_re_lu_activation(const tr_layer *layer)
{
    const float slope = (float)((const leaky_re_lu *)layer)->negative_slope;
    return (tr_activation){TR_LEAKY_RELU, 1, {{TR_FN_RELU, slope, 0.0f}}};
}

const tr_layer_ops tr_leaky_re_lu_ops = {
    .type = "leaky_re_lu",
    .keras_class = "LeakyReLU",
    .keras2_keys = keras2_keys,
    .doc = "negative numbers multiplied by a slope",
    .bytes = sizeof(leaky_re_lu),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .only_activates = true,
    .activates = TR_LEAKY_RELU,
    .activation = leaky_re_lu_activation,
    .fuses = tr_activation_fuses,
    .shape = tr_activation_shape,
    .forward = tr_activation_layer_forward,
    .backward = tr_activation_layer_backward,
};
