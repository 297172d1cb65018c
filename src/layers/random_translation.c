/* random_translation.c -- dst = src, shifted by shares of its height and width, in training.
 *
 * Keras's RandomTranslation. Shifts are drawn in fractions of a pixel: with interpolation = nearest
 * an image moves by whole pixels, as in "pad and crop".
 */
#include "warping_layer.h"

static const tr_key keys[] = {
    TR_KEY_FACTOR(tr_warping_layer, "height_factor", factors[0],
                  "share of the height that it moves down; f: from -f to f, or two ends"),
    TR_KEY_FACTOR(tr_warping_layer, "width_factor", factors[1],
                  "share of the width that it moves to the right; likewise"),
    TR_KEYS_FILL,
};

static tr_status random_translation_shape(tr_layer *layer, tr_error *err)
{
    tr_warping_layer *self = (tr_warping_layer *)layer;
    TR_TRY(tr_factor_range(&self->factors[0], "height_factor", -1.0, &self->ranges[0], err));
    TR_TRY(tr_factor_range(&self->factors[1], "width_factor", -1.0, &self->ranges[1], err));
    return tr_augmenting_shape(layer, err);
}

static void random_translation_map(const void *layer, const float chances[TR_N_CHANCES],
                                   tr_affine *map)
{
    const tr_warping_layer *self = layer;
    *map = tr_warping_shift(tr_between(&self->ranges[1], chances[1]) * (float)self->base.src.w,
                            tr_between(&self->ranges[0], chances[0]) * (float)self->base.src.h);
}

TR_WARPING_FUNCTIONS(random_translation, random_translation_map, true)

const tr_layer_ops tr_random_translation_ops = {
    .type = "random_translation",
    .keras_class = "RandomTranslation",
    .keras_rest = "{\"seed\":null}",
    .doc = "images shifted at random, in training",
    .augments = true,
    .bytes = sizeof(tr_warping_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = random_translation_shape,
    .forward = random_translation_forward,
    .backward = random_translation_backward,
};
