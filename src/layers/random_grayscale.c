/* random_grayscale.c -- dst = src without its colour, of a share `factor` of the images, in
 * training.
 *
 * Keras's RandomGrayscale.
 */
#include <float.h>

#include "tinting_layer.h"

static const tr_key keys[] = {
    {.name = "factor",
     .kind = TR_KEY_REAL,
     .offset = offsetof(tr_tinting_layer, range.high),
     .fallback = "0.5",
     .max = 1,
     .doc = "share of the images"},
};

static tr_status random_grayscale_shape(tr_layer *layer, tr_error *err)
{
    ((tr_tinting_layer *)layer)->limits = (tr_interval){-(double)FLT_MAX, (double)FLT_MAX};
    return tr_colour_shape(layer, err);
}

static tr_tint random_grayscale_tint(const void *layer, const float chances[TR_N_CHANCES])
{
    const float share = (float)((const tr_tinting_layer *)layer)->range.high;
    return (tr_tint){.factor = chances[0] < share ? 0.0f : 1.0f};
}

TR_TINTING_FUNCTIONS(random_grayscale, TR_TINT_GREY, random_grayscale_tint)

const tr_layer_ops tr_random_grayscale_ops = {
    .type = "random_grayscale",
    .keras_class = "RandomGrayscale",
    .keras_since = "3.15",
    .keras_rest = "{\"seed\":null}",
    .doc = "some images without colour, in training",
    .augments = true,
    .bytes = sizeof(tr_tinting_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = random_grayscale_shape,
    .forward = random_grayscale_forward,
    .backward = random_grayscale_backward,
};
