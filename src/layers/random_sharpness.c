/* random_sharpness.c -- dst = clip(src + (1 - 2 f) (smooth - src)), in training: smooth at f = 0,
 * src at 1/2, sharper beyond.
 *
 * Keras's RandomSharpness.
 */
#include "tinting_layer.h"

static const tr_key keys[] = {
    TR_KEY_FACTOR(tr_tinting_layer, "factor", factor,
                  "0: smooth, 0.5: as it is, 1: sharp; f: from 0 to f, or two ends"),
    TR_KEY_VALUE_RANGE(tr_tinting_layer),
};

static tr_status random_sharpness_shape(tr_layer *layer, tr_error *err)
{
    tr_tinting_layer *self = (tr_tinting_layer *)layer;
    TR_TRY(tr_factor_range(&self->factor, "factor", 0.0, &self->range, err));
    TR_TRY(tr_value_range(&self->value_range, &self->limits, err));
    return tr_augmenting_shape(layer, err);
}

static tr_tint random_sharpness_tint(const void *layer, const float chances[TR_N_CHANCES])
{
    const tr_tinting_layer *self = layer;
    return (tr_tint){.factor = 2.0f * tr_between(&self->range, chances[0])};
}

TR_TINTING_FUNCTIONS(random_sharpness, TR_TINT_SMOOTH, random_sharpness_tint)

const tr_layer_ops tr_random_sharpness_ops = {
    .type = "random_sharpness",
    .keras_class = "RandomSharpness",
    .keras_since = "3.15",
    .keras_rest = "{\"seed\":null}",
    .doc = "images sharpened or smoothed at random, in training",
    .augments = true,
    .bytes = sizeof(tr_tinting_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = random_sharpness_shape,
    .forward = random_sharpness_forward,
    .backward = random_sharpness_backward,
};
