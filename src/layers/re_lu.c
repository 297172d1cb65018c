/* re_lu.c -- dst = min(x > threshold ? x : negative_slope (x - threshold), max_value).
 *
 * Keras's ReLU; its ThresholdedReLU, which Keras 3 does not have, is a threshold without a slope.
 * No parameters.
 */
#include <math.h>
#include <stddef.h>

#include "layer.h"

typedef struct re_lu {
    tr_layer base;
    double max_value, negative_slope, threshold;
} re_lu;

static const tr_key keys[] = {
    {.name = "max_value",
     .kind = TR_KEY_REAL,
     .offset = offsetof(re_lu, max_value),
     .max = 1e30,
     .optional = true,
     .doc = "what larger results are cut to (none)"},
    {.name = "negative_slope",
     .kind = TR_KEY_REAL,
     .offset = offsetof(re_lu, negative_slope),
     .fallback = "0",
     .max = 1e6,
     .doc = "what numbers below the threshold are multiplied by"},
    {.name = "threshold",
     .kind = TR_KEY_REAL,
     .offset = offsetof(re_lu, threshold),
     .fallback = "0",
     .max = 1e30,
     .doc = "what numbers must be above to stay as they are"},
};

static bool re_lu_defaults(tr_layer *layer, tr_section *section)
{
    if (tr_section_find(section, "max_value") == NULL)
        ((re_lu *)layer)->max_value = INFINITY;
    return true;
}

static tr_activation re_lu_activation(const tr_layer *layer)
{
    const re_lu *self = (const re_lu *)layer;
    const float most = (float)self->max_value, slope = (float)self->negative_slope;
    const float threshold = (float)self->threshold;
    const tr_function bend = {threshold > 0.0f ? TR_FN_THRESHOLD : TR_FN_RELU, slope, threshold};
    if (isinf(most))
        return (tr_activation){TR_RELU, 1, {bend}};
    if (slope == 0.0f && threshold == 0.0f)
        return (tr_activation){TR_RELU, 1, {{TR_FN_CLIP, 0.0f, most}}};
    return (tr_activation){TR_RELU, 2, {bend, {TR_FN_CLIP, -INFINITY, most}}};
}

const tr_layer_ops tr_re_lu_ops = {
    .type = "re_lu",
    .keras_class = "ReLU",
    .doc = "negative numbers cut off, or multiplied by a slope; with a limit above",
    .bytes = sizeof(re_lu),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .only_activates = true,
    .activates = TR_RELU,
    .activation = re_lu_activation,
    .fuses = tr_activation_fuses,
    .defaults = re_lu_defaults,
    .shape = tr_activation_shape,
    .forward = tr_activation_layer_forward,
    .backward = tr_activation_layer_backward,
};
