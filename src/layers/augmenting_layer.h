/* augmenting_layer.h -- what layers that change images at random share: factors as Keras has them.
 *
 * Which numbers in [0, 1) an image gets is a function of [fit] seed, the layer's number in the
 * model, the update and the image's number in the dataset, and of nothing else. A layer is its keys
 * and a function of those numbers. In training alone; no parameters.
 */
#ifndef TR_AUGMENTING_LAYER_H
#define TR_AUGMENTING_LAYER_H

#include <stddef.h>

#include "layer.h"

/* The range that a factor means. */
typedef struct tr_interval {
    double low, high;
} tr_interval;

/* The shape of an image stays what it is; of a vector's it is an error. */
tr_status tr_augmenting_shape(tr_layer *layer, tr_error *err);

/* Likewise, and the image has red, green and blue. */
tr_status tr_colour_shape(tr_layer *layer, tr_error *err);

/* One number f: from -f to f, or from 0 where `least` is 0; two: its ends. Each is from `least` to
 * 1. */
tr_status tr_factor_range(const tr_reals *given, const char *key, double least, tr_interval *range,
                          tr_error *err);

/* Two ends, as [low, high] of pixels. */
tr_status tr_value_range(const tr_reals *given, tr_interval *range, tr_error *err);

/* The number that a chance in [0, 1) means. */
float tr_between(const tr_interval *range, float chance);

#define TR_KEY_FACTOR(type, key, field, text)                                                      \
    {                                                                                              \
        .name = key, .kind = TR_KEY_REALS, .constants = true, .offset = offsetof(type, field),     \
        .doc = text                                                                                \
    }

#define TR_KEY_VALUE_RANGE(type)                                                                   \
    {                                                                                              \
        .name = "value_range", .kind = TR_KEY_REALS, .offset = offsetof(type, value_range),        \
        .fallback = "0, 255", .doc = "of the pixels: 0, 1 where [data] scale is 1/255"             \
    }

#endif
