/* up_sampling2d.c -- dst = src, `size` times as high and wide.
 *
 * Keras's UpSampling2D: nearest repeats each pixel; bilinear is TensorFlow's resize, with
 * half-pixel centres. No parameters.
 */
#include <stddef.h>

#include "layer.h"

typedef struct up_sampling2d {
    tr_layer base;
    int64_t size[2];
    int interpolation; /* 0: nearest, 1: bilinear */
    tr_resampling resampling;
} up_sampling2d;

static const char *const interpolations[] = {"nearest", "bilinear", NULL};

static const tr_key keys[] = {
    {.name = "size",
     .kind = TR_KEY_INTS,
     .count = 2,
     .offset = offsetof(up_sampling2d, size),
     .fallback = "2, 2",
     .min = 1,
     .max = 1024,
     .doc = "times as high, times as wide"},
    {.name = "interpolation",
     .kind = TR_KEY_CHOICE,
     .offset = offsetof(up_sampling2d, interpolation),
     .fallback = "nearest",
     .choices = interpolations,
     .doc = "pixels repeated, or what lies between them"},
};

static tr_status up_sampling2d_shape(tr_layer *layer, tr_error *err)
{
    up_sampling2d *self = (up_sampling2d *)layer;
    const int64_t one[2] = {1, 1};
    tr_geometry geometry;
    TR_TRY(tr_window_shape(layer, TR_PADDING_VALID, one, one, &geometry, err));
    self->resampling =
        (tr_resampling){{self->size[0], self->size[1]}, .bilinear = self->interpolation == 1};
    layer->dst.h *= self->size[0];
    layer->dst.w *= self->size[1];
    return TR_OK;
}

static tr_status up_sampling2d_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                       tr_value *dst, tr_error *err)
{
    return tr_resample_forward(program, &((up_sampling2d *)layer)->resampling, tape->src, dst, err);
}

static tr_status up_sampling2d_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                        tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    (void)tape;
    if (diff_src == NULL)
        return TR_OK;
    return tr_resample_backward(program, &((up_sampling2d *)layer)->resampling, diff_dst, diff_src,
                                err);
}

const tr_layer_ops tr_up_sampling2d_ops = {
    .type = "up_sampling2d",
    .keras_class = "UpSampling2D",
    .keras_rest = TR_KERAS_IMAGE,
    .doc = "the image made larger",
    .bytes = sizeof(up_sampling2d),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = up_sampling2d_shape,
    .forward = up_sampling2d_forward,
    .backward = up_sampling2d_backward,
};
