/* center_crop.c -- dst = the middle of src.
 *
 * Keras's CenterCrop. A result larger than the source, which Keras scales up, is refused.
 */
#include "warping_layer.h"

static const tr_key keys[] = {
    TR_KEYS_SIZE,
};

static tr_status center_crop_shape(tr_layer *layer, tr_error *err)
{
    tr_warping_layer *self = (tr_warping_layer *)layer;
    const tr_shape *src = &layer->src;
    TR_TRY(tr_warping_shape(layer, err));
    self->fill_mode = TR_FILL_NEAREST;
    return self->size[0] <= src->h && self->size[1] <= src->w
               ? TR_OK
               : tr_fail(
                     err, TR_ERR_CONFIG,
                     "%lld x %lld cannot be cut out of %lld x %lld; make the result smaller, or "
                     "put a resizing before it",
                     (long long)self->size[0], (long long)self->size[1], (long long)src->h,
                     (long long)src->w);
}

static void center_crop_map(const void *layer, const float chances[TR_N_CHANCES], tr_affine *map)
{
    (void)chances;
    const tr_shape *src = &((const tr_layer *)layer)->src, *dst = &((const tr_layer *)layer)->dst;
    const int64_t left = (src->w - dst->w) / 2, top = (src->h - dst->h) / 2;
    *map = tr_warping_shift(-(float)left, -(float)top);
}

TR_WARPING_FUNCTIONS(center_crop, center_crop_map, false)

const tr_layer_ops tr_center_crop_ops = {
    .type = "center_crop",
    .keras_class = "CenterCrop",
    .doc = "the middle of images",
    .bytes = sizeof(tr_warping_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = center_crop_shape,
    .forward = center_crop_forward,
    .backward = center_crop_backward,
};
