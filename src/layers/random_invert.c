/* random_invert.c -- dst = high - src, high: of value_range, of a share of the images; in training.
 *
 * Keras's RandomInvert: the share is itself drawn from its range.
 */
#include <float.h>

#include "tinting_layer.h"

static const tr_key keys[] = {
    {.name = "factor",
     .kind = TR_KEY_REALS,
     .constants = true,
     .offset = offsetof(tr_tinting_layer, factor),
     .fallback = "1",
     .doc = "probability; f: drawn from 0 to f, or two ends"},
    TR_KEY_VALUE_RANGE(tr_tinting_layer),
};

static tr_status random_invert_shape(tr_layer *layer, tr_error *err)
{
    tr_tinting_layer *self = (tr_tinting_layer *)layer;
    TR_TRY(tr_factor_range(&self->factor, "factor", 0.0, &self->range, err));
    TR_TRY(tr_value_range(&self->value_range, &self->limits, err));
    self->limits = (tr_interval){-(double)FLT_MAX, (double)FLT_MAX};
    return tr_augmenting_shape(layer, err);
}

static tr_tint random_invert_tint(const void *layer, const float chances[TR_N_CHANCES])
{
    const tr_tinting_layer *self = layer;
    const bool inverts = chances[1] < tr_between(&self->range, chances[0]);
    return inverts ? (tr_tint){.factor = -1.0f, .shift = (float)self->value_range.values[1]}
                   : (tr_tint){.factor = 1.0f};
}

TR_TINTING_FUNCTIONS(random_invert, TR_TINT_ZERO, random_invert_tint)

const tr_layer_ops tr_random_invert_ops = {
    .type = "random_invert",
    .keras_class = "RandomInvert",
    .keras_since = "3.15",
    .keras_rest = "{\"seed\":null}",
    .doc = "some images as negatives, in training",
    .augments = true,
    .bytes = sizeof(tr_tinting_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = random_invert_shape,
    .forward = random_invert_forward,
    .backward = random_invert_backward,
};
