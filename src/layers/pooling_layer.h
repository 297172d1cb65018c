/* pooling_layer.h -- what the four pooling layers share: windows or the whole image, largest value
 * or average. No parameters. For src/layers only.
 */
#ifndef TR_POOLING_LAYER_H
#define TR_POOLING_LAYER_H

#include <stddef.h>

#include "layer.h"

typedef struct tr_pooling_layer {
    tr_layer base;
    tr_pooling pooling; /* set by shape */
    int64_t pool_size[2], strides[2];
    int padding; /* tr_padding */
    bool keepdims;
    tr_geometry geometry;
} tr_pooling_layer;

/* Of MaxPooling2D and AveragePooling2D: strides default to pool_size. */
#define TR_KEYS_POOLING                                                                            \
    {.name = "pool_size",                                                                          \
     .kind = TR_KEY_INTS,                                                                          \
     .count = 2,                                                                                   \
     .offset = offsetof(tr_pooling_layer, pool_size),                                              \
     .fallback = "2, 2",                                                                           \
     .min = 1,                                                                                     \
     .max = 1024,                                                                                  \
     .doc = "height, width of the window"},                                                        \
        {.name = "strides",                                                                        \
         .kind = TR_KEY_INTS,                                                                      \
         .count = 2,                                                                               \
         .offset = offsetof(tr_pooling_layer, strides),                                            \
         .optional = true,                                                                         \
         .min = 1,                                                                                 \
         .max = 1024,                                                                              \
         .doc = "step of the window: height, width; default: pool_size"},                          \
    {                                                                                              \
        .name = "padding", .kind = TR_KEY_CHOICE, .offset = offsetof(tr_pooling_layer, padding),   \
        .fallback = "valid", .choices = tr_padding_names, .doc = "same lets windows overhang"      \
    }
bool tr_pooling_defaults(tr_layer *layer, tr_section *section);
tr_status tr_pooling_shape(tr_layer *layer, tr_pooling pooling, tr_error *err);

/* Of GlobalMaxPooling2D and GlobalAveragePooling2D. */
#define TR_KEYS_GLOBAL_POOLING                                                                     \
    {                                                                                              \
        .name = "keepdims", .kind = TR_KEY_BOOL, .offset = offsetof(tr_pooling_layer, keepdims),   \
        .fallback = "false", .doc = "the result is an image of 1 x 1, not a vector"                \
    }
tr_status tr_global_pooling_shape(tr_layer *layer, tr_pooling pooling, tr_error *err);

/* Of all of them. */
tr_status tr_pooling_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                             tr_error *err);
tr_status tr_pooling_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                              tr_value diff_dst, tr_value *diff_src, tr_error *err);

#endif
