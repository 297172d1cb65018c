/* convolution_layer.h -- what convolutions share: the keys of their window, and its geometry. */
#ifndef TR_CONVOLUTION_LAYER_H
#define TR_CONVOLUTION_LAYER_H

#include <stddef.h>

#include "layer.h"

/* The head of a convolution's private struct. */
typedef struct tr_convolution_layer {
    tr_layer base;
    int64_t kernel_size[2], strides[2], dilation_rate[2];
    int padding; /* tr_padding */
    bool use_bias;
    tr_weight_rules bias;
    tr_geometry geometry;
} tr_convolution_layer;

/* Strides or a dilation, not both, as in Keras. */
tr_status tr_convolution_check_dilation(const tr_convolution_layer *self, tr_error *err);

/* Fills the geometry and dst's height and width; `groups` divide the channels. */
tr_status tr_convolution_shape(tr_layer *layer, int64_t groups, tr_error *err);

/* Adds the kernel (kh, kw, channels, multiplier) of a depthwise convolution, and its work. */
void tr_convolution_add_depthwise(tr_layer *layer, const char *name, int64_t multiplier,
                                  const tr_weight_rules *rules);

/* Of layers that are one convolution, by params[0], and a bias if there are two parameters. */
tr_status tr_convolution_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                                 tr_error *err);
tr_status tr_convolution_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                  tr_value diff_dst, tr_value *diff_src, tr_error *err);

/* clang-format off */
#define TR_KEY_FILTERS(type)                                                                       \
    {                                                                                              \
        .name = "filters", .kind = TR_KEY_INT, .offset = offsetof(type, filters),                  \
        .min = 1, .max = 65536, .doc = "number of output channels"                                 \
    }
#define TR_KEY_DEPTH_MULTIPLIER(type)                                                              \
    {                                                                                              \
        .name = "depth_multiplier", .kind = TR_KEY_INT,                                            \
        .offset = offsetof(type, depth_multiplier), .fallback = "1", .min = 1, .max = 65536,       \
        .doc = "results of each channel"                                                           \
    }
#define TR_KEYS_WINDOW                                                                             \
    {                                                                                              \
        .name = "kernel_size", .kind = TR_KEY_INTS, .count = 2,                                    \
        .offset = offsetof(tr_convolution_layer, kernel_size), .min = 1, .max = 1024,              \
        .doc = "height, width"                                                                     \
    },                                                                                             \
    {                                                                                              \
        .name = "strides", .kind = TR_KEY_INTS, .count = 2,                                        \
        .offset = offsetof(tr_convolution_layer, strides), .fallback = "1, 1", .min = 1,           \
        .max = 1024, .doc = "step of the window: height, width"                                    \
    },                                                                                             \
    {                                                                                              \
        .name = "padding", .kind = TR_KEY_CHOICE,                                                  \
        .offset = offsetof(tr_convolution_layer, padding), .fallback = "valid",                    \
        .choices = tr_padding_names,                                                               \
        .doc = "same keeps the size, with zeros around the image"                                  \
    },                                                                                             \
    {                                                                                              \
        .name = "dilation_rate", .kind = TR_KEY_INTS, .count = 2,                                  \
        .offset = offsetof(tr_convolution_layer, dilation_rate), .fallback = "1, 1", .min = 1,     \
        .max = 1024, .doc = "distance of the window's neighbours: height, width"                   \
    }
#define TR_KEY_USE_BIAS                                                                            \
    {                                                                                              \
        .name = "use_bias", .kind = TR_KEY_BOOL,                                                   \
        .offset = offsetof(tr_convolution_layer, use_bias), .fallback = "true",                    \
        .doc = "add a trainable constant per channel of the result"                                \
    }
/* clang-format on */

#endif
