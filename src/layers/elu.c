/* elu.c -- dst = x > 0 ? x : alpha (exp(x) - 1). Keras's ELU. No parameters. */
#include <stddef.h>

#include "layer.h"

typedef struct elu {
    tr_layer base;
    double alpha;
} elu;

static const tr_key keys[] = {
    {.name = "alpha",
     .kind = TR_KEY_REAL,
     .offset = offsetof(elu, alpha),
     .fallback = "1",
     .max = 1e6,
     .above_min = true,
     .doc = "what very negative numbers approach, but for the sign"},
};

static tr_activation elu_activation(const tr_layer *layer)
{
    const float alpha = (float)((const elu *)layer)->alpha;
    return (tr_activation){TR_ELU, 1, {{TR_FN_ELU, alpha, 0.0f}}};
}

const tr_layer_ops tr_elu_ops = {
    .type = "elu",
    .keras_class = "ELU",
    .doc = "negative numbers bent towards a limit",
    .bytes = sizeof(elu),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .only_activates = true,
    .activates = TR_ELU,
    .activation = elu_activation,
    .fuses = tr_activation_fuses,
    .shape = tr_activation_shape,
    .forward = tr_activation_layer_forward,
    .backward = tr_activation_layer_backward,
};
