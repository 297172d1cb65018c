/* random_brightness.c -- dst = clip(src + f (high - low)), low and high: value_range; in training.
 *
 * Keras's RandomBrightness.
 */
#include "tinting_layer.h"

static const tr_key keys[] = {
    TR_KEY_FACTOR(tr_tinting_layer, "factor", factor,
                  "share of value_range that is added; f: from -f to f, or two ends"),
    TR_KEY_VALUE_RANGE(tr_tinting_layer),
};

static tr_status random_brightness_shape(tr_layer *layer, tr_error *err)
{
    tr_tinting_layer *self = (tr_tinting_layer *)layer;
    TR_TRY(tr_factor_range(&self->factor, "factor", -1.0, &self->range, err));
    TR_TRY(tr_value_range(&self->value_range, &self->limits, err));
    return tr_augmenting_shape(layer, err);
}

static tr_tint random_brightness_tint(const void *layer, const float chances[TR_N_CHANCES])
{
    const tr_tinting_layer *self = layer;
    const float wide = (float)(self->limits.high - self->limits.low);
    return (tr_tint){.factor = 1.0f, .shift = tr_between(&self->range, chances[0]) * wide};
}

TR_TINTING_FUNCTIONS(random_brightness, TR_TINT_ZERO, random_brightness_tint)

const tr_layer_ops tr_random_brightness_ops = {
    .type = "random_brightness",
    .keras_class = "RandomBrightness",
    .keras_rest = "{\"seed\":null}",
    .doc = "brightness changed at random, in training",
    .augments = true,
    .bytes = sizeof(tr_tinting_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = random_brightness_shape,
    .forward = random_brightness_forward,
    .backward = random_brightness_backward,
};
