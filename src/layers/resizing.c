/* resizing.c -- dst = src made larger or smaller, its proportions changed where they differ.
 *
 * Keras's Resizing, without antialias: of a much smaller result most pixels of the source say
 * nothing.
 */
#include "warping_layer.h"

static const tr_key keys[] = {
    TR_KEYS_SIZE,
    {.name = "interpolation",
     .kind = TR_KEY_CHOICE,
     .offset = offsetof(tr_warping_layer, interpolation),
     .fallback = "bilinear",
     .choices = tr_interpolation_names,
     .doc = "of the four pixels around a place, or the nearest alone"},
};

static tr_status resizing_shape(tr_layer *layer, tr_error *err)
{
    ((tr_warping_layer *)layer)->fill_mode = TR_FILL_NEAREST;
    return tr_warping_shape(layer, err);
}

static void resizing_map(const void *layer, const float chances[TR_N_CHANCES], tr_affine *map)
{
    (void)chances;
    const tr_shape *src = &((const tr_layer *)layer)->src, *dst = &((const tr_layer *)layer)->dst;
    *map = (tr_affine){0};
    tr_warping_part(0, src->h, dst->h, &map->e, &map->f);
    tr_warping_part(0, src->w, dst->w, &map->a, &map->c);
}

TR_WARPING_FUNCTIONS(resizing, resizing_map, false)

const tr_layer_ops tr_resizing_ops = {
    .type = "resizing",
    .keras_class = "Resizing",
    .keras_rest = "{\"crop_to_aspect_ratio\":false}",
    .doc = "images of another size",
    .bytes = sizeof(tr_warping_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = resizing_shape,
    .forward = resizing_forward,
    .backward = resizing_backward,
};
