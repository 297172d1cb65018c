/* random_zoom.c -- dst = src, made larger or smaller around its centre, in training.
 *
 * Keras's RandomZoom: a factor z shows 1 + z times as much of the image, so that a positive one
 * makes what is on it smaller. Without width_factor its shape stays.
 */
#include "warping_layer.h"

static const tr_key keys[] = {
    TR_KEY_FACTOR(tr_warping_layer, "height_factor", factors[0],
                  "how much more of the height is seen, less if negative; f: from -f to f, or two "
                  "ends"),
    {.name = "width_factor",
     .kind = TR_KEY_REALS,
     .constants = true,
     .offset = offsetof(tr_warping_layer, factors[1]),
     .optional = true,
     .doc = "the same of the width; default: as the height"},
    TR_KEYS_FILL,
};

static tr_status random_zoom_shape(tr_layer *layer, tr_error *err)
{
    tr_warping_layer *self = (tr_warping_layer *)layer;
    static const char *const names[2] = {"height_factor", "width_factor"};
    for (int i = 0; i < 2; i++) {
        TR_TRY(tr_factor_range(&self->factors[i], names[i], -1.0, &self->ranges[i], err));
        if (self->factors[i].n > 0 && self->ranges[i].low <= -1.0)
            return tr_fail(err, TR_ERR_CONFIG, "%s = %g: nothing of the image is seen; give more",
                           names[i], self->ranges[i].low);
    }
    return tr_augmenting_shape(layer, err);
}

static void random_zoom_map(const void *layer, const float chances[TR_N_CHANCES], tr_affine *map)
{
    const tr_warping_layer *self = layer;
    const float h = (float)(self->base.src.h - 1), w = (float)(self->base.src.w - 1);
    const float tall = 1.0f + tr_between(&self->ranges[0], chances[0]);
    const float wide =
        self->factors[1].n == 0 ? tall : 1.0f + tr_between(&self->ranges[1], chances[1]);
    *map = (tr_affine){
        .a = wide, .c = 0.5f * w * (1.0f - wide), .e = tall, .f = 0.5f * h * (1.0f - tall)};
}

TR_WARPING_FUNCTIONS(random_zoom, random_zoom_map, true)

const tr_layer_ops tr_random_zoom_ops = {
    .type = "random_zoom",
    .keras_class = "RandomZoom",
    .keras_rest = "{\"seed\":null}",
    .doc = "images zoomed at random, in training",
    .augments = true,
    .bytes = sizeof(tr_warping_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = random_zoom_shape,
    .forward = random_zoom_forward,
    .backward = random_zoom_backward,
};
