/* random_shear.c -- dst = src, whose rows move in proportion to their number, columns likewise; in
 * training.
 *
 * Keras's RandomShear: both to one side or the other. Its files say -f, f of one number f, which it
 * does not read again; a range below 0 is fine here.
 */
#include "warping_layer.h"

static const tr_key keys[] = {
    {.name = "x_factor",
     .kind = TR_KEY_REALS,
     .constants = true,
     .offset = offsetof(tr_warping_layer, factors[0]),
     .fallback = "0",
     .doc = "pixels to the right a row; f: from -f to f, or two ends"},
    {.name = "y_factor",
     .kind = TR_KEY_REALS,
     .constants = true,
     .offset = offsetof(tr_warping_layer, factors[1]),
     .fallback = "0",
     .doc = "pixels down a column; likewise"},
    TR_KEYS_FILL,
};

static tr_status random_shear_shape(tr_layer *layer, tr_error *err)
{
    tr_warping_layer *self = (tr_warping_layer *)layer;
    static const char *const names[2] = {"x_factor", "y_factor"};
    for (int i = 0; i < 2; i++)
        TR_TRY(tr_factor_range(&self->factors[i], names[i], -1.0, &self->ranges[i], err));
    return tr_augmenting_shape(layer, err);
}

static void random_shear_map(const void *layer, const float chances[TR_N_CHANCES], tr_affine *map)
{
    const tr_warping_layer *self = layer;
    const float side = chances[0] > 0.5f ? -1.0f : 1.0f;
    *map = (tr_affine){.a = 1.0f,
                       .b = side * tr_between(&self->ranges[0], chances[2]),
                       .d = side * tr_between(&self->ranges[1], chances[1]),
                       .e = 1.0f};
}

TR_WARPING_FUNCTIONS(random_shear, random_shear_map, true)

const tr_layer_ops tr_random_shear_ops = {
    .type = "random_shear",
    .keras_class = "RandomShear",
    .keras_since = "3.15",
    .keras_rest = "{\"seed\":null}",
    .doc = "images sheared at random, in training",
    .augments = true,
    .bytes = sizeof(tr_warping_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = random_shear_shape,
    .forward = random_shear_forward,
    .backward = random_shear_backward,
};
