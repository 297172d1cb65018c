/* random_contrast.c -- dst = clip((src - mean) f + mean), mean: of each channel of the image; in
 * training.
 *
 * Keras's RandomContrast as documented: f is drawn from 1 - lower to 1 + upper, which one number
 * gives both. (Keras 3.15 takes one number for the upper end alone, and is told both.)
 */
#include "tinting_layer.h"

static const tr_key keys[] = {
    {.name = "factor",
     .kind = TR_KEY_REALS,
     .twice = true,
     .offset = offsetof(tr_tinting_layer, factor),
     .doc = "lower, upper, or one for both: contrast times 1 - lower to 1 + upper"},
    {.name = "value_range",
     .kind = TR_KEY_REALS,
     .offset = offsetof(tr_tinting_layer, value_range),
     .fallback = "0, 255",
     .young = true,
     .doc = "of the pixels: 0, 1 where [data] scale is 1/255"},
};

static tr_status random_contrast_shape(tr_layer *layer, tr_error *err)
{
    tr_tinting_layer *self = (tr_tinting_layer *)layer;
    const tr_reals *given = &self->factor;
    TR_TRY(tr_factor_range(given, "factor", 0.0, &self->range, err)); /* for what it refuses */
    if (given->values[0] > given->values[given->n - 1])
        return tr_fail(err, TR_ERR_CONFIG,
                       "factor = %.10g, %.10g: the larger one must come last: newer Kerases take "
                       "the two in that order",
                       given->values[0], given->values[1]);
    self->range.low = 1.0 - given->values[0];
    self->range.high = 1.0 + given->values[given->n - 1];
    TR_TRY(tr_value_range(&self->value_range, &self->limits, err));
    return tr_augmenting_shape(layer, err);
}

static tr_tint random_contrast_tint(const void *layer, const float chances[TR_N_CHANCES])
{
    return (tr_tint){.factor = tr_between(&((const tr_tinting_layer *)layer)->range, chances[0])};
}

TR_TINTING_FUNCTIONS(random_contrast, TR_TINT_MEAN, random_contrast_tint)

const tr_layer_ops tr_random_contrast_ops = {
    .type = "random_contrast",
    .keras_class = "RandomContrast",
    .keras_rest = "{\"seed\":null}",
    .doc = "contrast changed at random, in training",
    .augments = true,
    .bytes = sizeof(tr_tinting_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = random_contrast_shape,
    .forward = random_contrast_forward,
    .backward = random_contrast_backward,
};
