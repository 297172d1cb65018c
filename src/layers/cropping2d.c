/* cropping2d.c -- dst = src without rows and columns at its rim.
 *
 * Keras's Cropping2D. `cropping` in Keras's three ways, as zero_padding2d's `padding`: one number
 * for all sides; height, width; or top, bottom, left, right. No parameters.
 */
#include <stddef.h>

#include "layer.h"

typedef struct cropping2d {
    tr_layer base;
    int64_t cropping[4];  /* top, bottom, left, right */
    tr_geometry geometry; /* the frame that is taken off */
} cropping2d;

static const tr_key keys[] = {
    {.name = "cropping",
     .kind = TR_KEY_INTS,
     .count = 4,
     .offset = offsetof(cropping2d, cropping),
     .fallback = "0, 0, 0, 0",
     .min = 0,
     .max = 65536,
     .doc = "rows and columns: all sides; height, width; or top, bottom, left, right"},
};

static tr_status cropping2d_shape(tr_layer *layer, tr_error *err)
{
    cropping2d *self = (cropping2d *)layer;
    const int64_t *c = self->cropping, one[2] = {1, 1};
    static const char *const axes[2] = {"height", "width"};
    int64_t *left[2] = {&layer->dst.h, &layer->dst.w};
    TR_TRY(tr_window_shape(layer, TR_PADDING_VALID, one, one, &self->geometry, err));
    for (int axis = 0; axis < 2; axis++) {
        self->geometry.pad_before[axis] = c[2 * axis];
        self->geometry.pad_after[axis] = c[2 * axis + 1];
        *left[axis] -= c[2 * axis] + c[2 * axis + 1];
        if (*left[axis] < 1)
            return tr_fail(err, TR_ERR_CONFIG,
                           "cropping takes %lld and %lld off the %s of %lld, and nothing is left; "
                           "crop less",
                           (long long)c[2 * axis], (long long)c[2 * axis + 1], axes[axis],
                           (long long)self->geometry.out[axis]);
    }
    return TR_OK;
}

static tr_status cropping2d_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                    tr_value *dst, tr_error *err)
{
    return tr_crop_forward(program, &((cropping2d *)layer)->geometry, tape->src, dst, err);
}

static tr_status cropping2d_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                     tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    (void)tape;
    if (diff_src == NULL)
        return TR_OK;
    return tr_crop_backward(program, &((cropping2d *)layer)->geometry, diff_dst, diff_src, err);
}

const tr_layer_ops tr_cropping2d_ops = {
    .type = "cropping2d",
    .keras_class = "Cropping2D",
    .keras_rest = TR_KERAS_IMAGE,
    .doc = "the image without its rim",
    .bytes = sizeof(cropping2d),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .shape = cropping2d_shape,
    .forward = cropping2d_forward,
    .backward = cropping2d_backward,
};
