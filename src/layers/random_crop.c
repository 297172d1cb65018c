/* random_crop.c -- dst = a part of src: in training at random for each image; else the largest part
 * of the result's proportions in the middle, made as small as the result.
 *
 * Keras's RandomCrop as documented and as Keras 2 and 3.3 do it, but for two things: each image has
 * a place of its own, not each batch, and a result larger than the source is refused. Keras 3.15
 * leaves images as they are outside of training.
 */
#include "warping_layer.h"

static const tr_key keys[] = {
    TR_KEYS_SIZE,
};

static tr_status random_crop_shape(tr_layer *layer, tr_error *err)
{
    tr_warping_layer *self = (tr_warping_layer *)layer;
    const tr_shape *src = &layer->src;
    TR_TRY(tr_warping_shape(layer, err));
    self->fill_mode = TR_FILL_NEAREST;
    if (self->size[0] > src->h || self->size[1] > src->w)
        return tr_fail(err, TR_ERR_CONFIG,
                       "%lld x %lld cannot be cut out of %lld x %lld; make the result smaller, or "
                       "put a zero_padding2d before it",
                       (long long)self->size[0], (long long)self->size[1], (long long)src->h,
                       (long long)src->w);
    return TR_OK;
}

static float place(float chance, int64_t in, int64_t out)
{
    const int64_t at = (int64_t)(chance * (float)(in - out + 1));
    return (float)(at < in - out ? at : in - out);
}

static void random_crop_map(const void *layer, const float chances[TR_N_CHANCES], tr_affine *map)
{
    const tr_shape *src = &((const tr_layer *)layer)->src, *dst = &((const tr_layer *)layer)->dst;
    *map = tr_warping_shift(-place(chances[1], src->w, dst->w), -place(chances[0], src->h, dst->h));
}

static void middle_map(const void *layer, const float chances[TR_N_CHANCES], tr_affine *map)
{
    (void)chances;
    const tr_shape *src = &((const tr_layer *)layer)->src, *dst = &((const tr_layer *)layer)->dst;
    int64_t h = src->w * dst->h / dst->w, w = src->h * dst->w / dst->h;
    h = h > src->h ? src->h : h;
    w = w > src->w ? src->w : w;
    *map = (tr_affine){0};
    tr_warping_part((src->h - h) / 2, h, dst->h, &map->e, &map->f);
    tr_warping_part((src->w - w) / 2, w, dst->w, &map->a, &map->c);
}

static tr_status random_crop_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                     tr_value *dst, tr_error *err)
{
    if (tr_program_training(program))
        return tr_warping_forward(layer, random_crop_map, true, program, tape, dst, err);
    tr_sampling how = tr_warping_sampling(layer, middle_map, false);
    how.bilinear = true;
    return tr_sample_forward(program, &how, tape->src, dst, &tape->workspace, err);
}

static tr_status random_crop_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                      tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    return tr_warping_backward(layer, random_crop_map, true, program, tape, diff_dst, diff_src,
                               err);
}

const tr_layer_ops tr_random_crop_ops = {
    .type = "random_crop",
    .keras_class = "RandomCrop",
    .keras_rest = "{\"seed\":null}",
    .doc = "parts of images cut out at random, in training; else from the middle",
    .augments = true,
    .bytes = sizeof(tr_warping_layer),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = random_crop_shape,
    .forward = random_crop_forward,
    .backward = random_crop_backward,
};
