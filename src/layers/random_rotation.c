/* random_rotation.c -- dst = src, turned around its centre by a share of a full turn, in training.
 *
 * Keras's RandomRotation: counterclockwise where the share is positive.
 */
#include "elementary_math.h"
#include "warping_layer.h"

static const tr_key keys[] = {
    TR_KEY_FACTOR(tr_warping_layer, "factor", factors[0],
                  "share of a full turn, counterclockwise; f: from -f to f, or two ends"),
    TR_KEYS_FILL,
};

static tr_status random_rotation_shape(tr_layer *layer, tr_error *err)
{
    tr_warping_layer *self = (tr_warping_layer *)layer;
    TR_TRY(tr_factor_range(&self->factors[0], "factor", -1.0, &self->ranges[0], err));
    return tr_augmenting_shape(layer, err);
}

/* cos(pi x) for -3 <= x <= 3 */
static float cosine(double x)
{
    const double turns = x < 0.0 ? -x : x, rest = turns - 2.0 * (double)(int)(turns / 2.0);
    return (float)tr_cos_pi(rest > 1.0 ? 2.0 - rest : rest);
}

static void random_rotation_map(const void *layer, const float chances[TR_N_CHANCES],
                                tr_affine *map)
{
    const tr_warping_layer *self = layer;
    const double half_turns = 2.0 * (double)tr_between(&self->ranges[0], chances[0]);
    const float cos = cosine(half_turns), sin = cosine(half_turns - 0.5);
    const float x = 0.5f * (float)(self->base.src.w - 1), y = 0.5f * (float)(self->base.src.h - 1);
    *map = (tr_affine){.a = cos,
                       .b = -sin,
                       .c = x - x * cos + y * sin,
                       .d = sin,
                       .e = cos,
                       .f = y - x * sin - y * cos};
}

TR_WARPING_FUNCTIONS(random_rotation, random_rotation_map, true)

const tr_layer_ops tr_random_rotation_ops = {
    .type = "random_rotation",
    .keras_class = "RandomRotation",
    .keras_rest = "{\"seed\":null}",
    .doc = "images turned at random, in training",
    .augments = true,
    .bytes = sizeof(tr_warping_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = random_rotation_shape,
    .forward = random_rotation_forward,
    .backward = random_rotation_backward,
};
