/* random_color_degeneration.c -- dst = clip(src + f (grey - src)), in training.
 *
 * Keras's RandomColorDegeneration.
 */
#include "tinting_layer.h"

static const tr_key keys[] = {
    TR_KEY_FACTOR(tr_tinting_layer, "factor", factor,
                  "how far it goes to grey, 1: all the way; f: from -f to f, or two ends"),
    TR_KEY_VALUE_RANGE(tr_tinting_layer),
};

static tr_status random_color_degeneration_shape(tr_layer *layer, tr_error *err)
{
    tr_tinting_layer *self = (tr_tinting_layer *)layer;
    TR_TRY(tr_factor_range(&self->factor, "factor", -1.0, &self->range, err));
    TR_TRY(tr_value_range(&self->value_range, &self->limits, err));
    return tr_colour_shape(layer, err);
}

static tr_tint random_color_degeneration_tint(const void *layer, const float chances[TR_N_CHANCES])
{
    const tr_tinting_layer *self = layer;
    return (tr_tint){.factor = 1.0f - tr_between(&self->range, chances[0])};
}

TR_TINTING_FUNCTIONS(random_color_degeneration, TR_TINT_GREY, random_color_degeneration_tint)

const tr_layer_ops tr_random_color_degeneration_ops = {
    .type = "random_color_degeneration",
    .keras_class = "RandomColorDegeneration",
    .keras_since = "3.15",
    .keras_rest = "{\"seed\":null}",
    .doc = "colours faded at random, in training",
    .augments = true,
    .bytes = sizeof(tr_tinting_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = random_color_degeneration_shape,
    .forward = random_color_degeneration_forward,
    .backward = random_color_degeneration_backward,
};
