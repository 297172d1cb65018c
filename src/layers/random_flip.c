/* random_flip.c -- dst = src, or its mirror image: each way for half of the images, in training.
 *
 * Keras's RandomFlip. Both ways are drawn for themselves, as its documentation and Keras 2 have it;
 * Keras 3.15 turns an image both ways or not at all.
 */
#include "warping_layer.h"

typedef enum flip { HORIZONTAL, VERTICAL, BOTH } flip;
static const char *const mode_names[] = {"horizontal", "vertical", "horizontal_and_vertical", NULL};

static const tr_key keys[] = {
    {.name = "mode",
     .kind = TR_KEY_CHOICE,
     .offset = offsetof(tr_warping_layer, mode),
     .fallback = "horizontal_and_vertical",
     .choices = mode_names,
     .doc = "left and right, top and bottom, or both, each for half of the images"},
};

static void random_flip_map(const void *layer, const float chances[TR_N_CHANCES], tr_affine *map)
{
    const tr_warping_layer *self = layer;
    *map = tr_warping_shift(0.0f, 0.0f);
    if (self->mode != VERTICAL && chances[0] < 0.5f) {
        map->a = -1.0f;
        map->c = (float)(self->base.src.w - 1);
    }
    if (self->mode != HORIZONTAL && chances[1] < 0.5f) {
        map->e = -1.0f;
        map->f = (float)(self->base.src.h - 1);
    }
}

TR_WARPING_FUNCTIONS(random_flip, random_flip_map, true)

const tr_layer_ops tr_random_flip_ops = {
    .type = "random_flip",
    .keras_class = "RandomFlip",
    .keras_rest = "{\"seed\":null}",
    .doc = "images mirrored at random, in training",
    .augments = true,
    .bytes = sizeof(tr_warping_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = tr_augmenting_shape,
    .forward = random_flip_forward,
    .backward = random_flip_backward,
};
