/* zero_padding2d.c -- dst = src with rows and columns of zeros around each image.
 *
 * Keras's ZeroPadding2D. `padding` in Keras's three ways: one number for all sides; height, width;
 * or top, bottom, left, right, which Keras writes ((top, bottom), (left, right)). No parameters.
 */
#include <stddef.h>

#include "layer.h"

typedef struct zero_padding2d {
    tr_layer base;
    int64_t padding[4]; /* top, bottom, left, right */
    tr_geometry geometry;
} zero_padding2d;

static const tr_key keys[] = {
    {.name = "padding",
     .kind = TR_KEY_INTS,
     .count = 4,
     .offset = offsetof(zero_padding2d, padding),
     .fallback = "1, 1, 1, 1",
     .min = 0,
     .max = 65536,
     .doc = "rows and columns: all sides; height, width; or top, bottom, left, right"},
};

static tr_status zero_padding2d_shape(tr_layer *layer, tr_error *err)
{
    zero_padding2d *self = (zero_padding2d *)layer;
    const int64_t *p = self->padding, one[2] = {1, 1};
    TR_TRY(tr_window_shape(layer, TR_PADDING_VALID, one, one, &self->geometry, err));
    for (int axis = 0; axis < 2; axis++) {
        self->geometry.pad_before[axis] = p[2 * axis];
        self->geometry.pad_after[axis] = p[2 * axis + 1];
        self->geometry.out[axis] += p[2 * axis] + p[2 * axis + 1];
    }
    layer->dst.h = self->geometry.out[0];
    layer->dst.w = self->geometry.out[1];
    return TR_OK;
}

static tr_status zero_padding2d_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                        tr_value *dst, tr_error *err)
{
    return tr_pad_forward(program, &((zero_padding2d *)layer)->geometry, tape->src, dst, err);
}

static tr_status zero_padding2d_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                         tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    (void)tape;
    if (diff_src == NULL)
        return TR_OK;
    return tr_pad_backward(program, &((zero_padding2d *)layer)->geometry, diff_dst, diff_src, err);
}

const tr_layer_ops tr_zero_padding2d_ops = {
    .type = "zero_padding2d",
    .keras_class = "ZeroPadding2D",
    .keras_rest = TR_KERAS_IMAGE,
    .doc = "zeros around the image",
    .bytes = sizeof(zero_padding2d),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = zero_padding2d_shape,
    .forward = zero_padding2d_forward,
    .backward = zero_padding2d_backward,
};
