/* max_pooling2d.c -- dst[n,oh,ow,c] = max over the window of src[n,h,w,c].
 *
 * Keras's MaxPooling2D: strides default to pool_size; padding never wins. No parameters. Ties go
 * to the first element in row order, as in TensorFlow and PyTorch. Forward leaves the winners in
 * the tape's workspace for backward.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "layer.h"

typedef struct max_pooling2d {
    tr_layer base;
    int64_t pool_size[2], strides[2];
    int padding; /* tr_padding */
    tr_geometry geometry;
} max_pooling2d;

static const tr_key keys[] = {
    TR_KEY_TYPE,
    {.name = "pool_size",
     .kind = TR_KEY_INTS,
     .count = 2,
     .offset = offsetof(max_pooling2d, pool_size),
     .fallback = "2, 2",
     .min = 1,
     .max = 1024,
     .doc = "height, width of the window"},
    {.name = "strides",
     .kind = TR_KEY_INTS,
     .count = 2,
     .offset = offsetof(max_pooling2d, strides),
     .optional = true,
     .min = 1,
     .max = 1024,
     .doc = "step of the window: height, width; default: pool_size"},
    {.name = "padding",
     .kind = TR_KEY_CHOICE,
     .offset = offsetof(max_pooling2d, padding),
     .fallback = "valid",
     .choices = tr_padding_names,
     .doc = "same lets windows overhang"},
};

static bool max_pooling2d_defaults(tr_layer *layer, tr_section *section)
{
    max_pooling2d *pool = (max_pooling2d *)layer;
    if (tr_section_find(section, "strides") != NULL)
        return true;
    char text[48];
    snprintf(text, sizeof text, "%" PRId64 ", %" PRId64, pool->pool_size[0], pool->pool_size[1]);
    pool->strides[0] = pool->pool_size[0];
    pool->strides[1] = pool->pool_size[1];
    return tr_section_default(section, "strides", text);
}

static tr_status max_pooling2d_shape(tr_layer *layer, tr_error *err)
{
    max_pooling2d *pool = (max_pooling2d *)layer;
    return tr_window_shape(layer, (tr_padding)pool->padding, pool->pool_size, pool->strides,
                           &pool->geometry, err);
}

static tr_status max_pooling2d_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                       tr_value *dst, tr_error *err)
{
    return tr_max_pool_forward(program, &((max_pooling2d *)layer)->geometry, tape->src, dst,
                               &tape->workspace, &tape->hint, err);
}

static tr_status max_pooling2d_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                        tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    if (diff_src == NULL)
        return TR_OK;
    return tr_max_pool_backward(program, &((max_pooling2d *)layer)->geometry, tape->workspace,
                                diff_dst, tape->hint, diff_src, err);
}

const tr_layer_ops tr_max_pooling2d_ops = {
    .type = "max_pooling2d",
    .keras_class = "MaxPooling2D",
    .doc = "largest value of each window",
    .bytes = sizeof(max_pooling2d),
    .keys = keys,
    .n_keys = sizeof keys / sizeof *keys,
    .selects = true,
    .defaults = max_pooling2d_defaults,
    .shape = max_pooling2d_shape,
    .forward = max_pooling2d_forward,
    .backward = max_pooling2d_backward,
};
