/* warping_layer.h -- what random_flip, random_translation and their kin share: each image becomes
 * one that is taken at other places of it, by a map of its own.
 *
 * A layer is its keys and one function, from numbers in [0, 1) to a map (dnn/primitives.h). Which
 * numbers an image gets is a function of [fit] seed, the layer's number in the model, the update
 * and the image's number in the dataset, and of nothing else. What is random is active in training
 * alone. No parameters.
 */
#ifndef TR_WARPING_LAYER_H
#define TR_WARPING_LAYER_H

#include <stddef.h>

#include "layer.h"

/* Not all layers have all of it. */
typedef struct tr_warping_layer {
    tr_layer base;
    tr_reals factors[2];    /* as the keys say: along height and width, or the first alone */
    double low[2], high[2]; /* the ranges that they mean */
    int fill_mode;          /* tr_fill_mode */
    int interpolation;      /* of tr_interpolation_names */
    double fill_value;
    int mode;        /* of a flip */
    int64_t size[2]; /* of a result of another size: height, width */
} tr_warping_layer;

extern const char *const tr_fill_mode_names[];
extern const char *const tr_interpolation_names[]; /* nearest, bilinear */

/* Keras's factors: one number for both directions, or the range's two ends. */
#define TR_KEY_FACTOR(key, i, text)                                                                \
    {                                                                                              \
        .name = key, .kind = TR_KEY_REALS, .constants = true,                                      \
        .offset = offsetof(tr_warping_layer, factors) + (i) * sizeof(tr_reals), .doc = text        \
    }

#define TR_KEYS_FILL                                                                               \
    {.name = "fill_mode",                                                                          \
     .kind = TR_KEY_CHOICE,                                                                        \
     .offset = offsetof(tr_warping_layer, fill_mode),                                              \
     .fallback = "reflect",                                                                        \
     .choices = tr_fill_mode_names,                                                                \
     .doc = "what lies beyond the rim: dcba|abcd|dcba, abcd|abcd, fill_value, aaaa|abcd|dddd"},    \
        {.name = "interpolation",                                                                  \
         .kind = TR_KEY_CHOICE,                                                                    \
         .offset = offsetof(tr_warping_layer, interpolation),                                      \
         .fallback = "bilinear",                                                                   \
         .choices = tr_interpolation_names,                                                        \
         .doc = "of the four pixels around a place, or the nearest alone"},                        \
    {                                                                                              \
        .name = "fill_value", .kind = TR_KEY_REAL,                                                 \
        .offset = offsetof(tr_warping_layer, fill_value), .fallback = "0",                         \
        .doc = "with fill_mode = constant"                                                         \
    }

#define TR_KEYS_SIZE                                                                               \
    {.name = "height",                                                                             \
     .kind = TR_KEY_INT,                                                                           \
     .offset = offsetof(tr_warping_layer, size[0]),                                                \
     .min = 1,                                                                                     \
     .max = 65536,                                                                                 \
     .doc = "of the result"},                                                                      \
    {                                                                                              \
        .name = "width", .kind = TR_KEY_INT, .offset = offsetof(tr_warping_layer, size[1]),        \
        .min = 1, .max = 65536, .doc = "of the result"                                             \
    }

/* The shape of source and result, which must be images. */
tr_status tr_warping_shape(tr_layer *layer, tr_error *err);
/* The result's is `size`. */
tr_status tr_warping_sized_shape(tr_layer *layer, tr_error *err);

/* low[i] and high[i] of the factor that `key` names: -f to f of a number; of two their order does
 * not matter. Each lies in [least, 1]. */
tr_status tr_warping_range(tr_warping_layer *self, int i, const char *key, double least,
                           tr_error *err);

/* The number of that range at a chance in [0, 1). */
float tr_warping_between(const tr_warping_layer *self, int i, float chance);

/* What shifts the source by pixels of whole numbers. */
tr_affine tr_warping_shift(float columns, float rows);

typedef void tr_map(const void *layer, const float chances[TR_N_CHANCES], tr_affine *map);

/* How images are taken by the keys of the layer; without an interpolation, the nearest pixel. */
tr_sampling tr_warping_sampling(const tr_layer *layer, tr_map *map, bool random);

/* `map` of each image: random ones in training alone. */
tr_status tr_warping_forward(tr_layer *layer, tr_map *map, bool random, tr_program *program,
                             tr_tape *tape, tr_value *dst, tr_error *err);
tr_status tr_warping_backward(tr_layer *layer, tr_map *map, bool random, tr_program *program,
                              const tr_tape *tape, tr_value diff_dst, tr_value *diff_src,
                              tr_error *err);

/* The two functions of a layer's ops, and the rest of what all random ones say. */
#define TR_WARPING_FUNCTIONS(name, map, random)                                                    \
    static tr_status name##_forward(tr_layer *layer, tr_program *program, tr_tape *tape,           \
                                    tr_value *dst, tr_error *err)                                  \
    {                                                                                              \
        return tr_warping_forward(layer, map, random, program, tape, dst, err);                    \
    }                                                                                              \
    static tr_status name##_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,    \
                                     tr_value diff_dst, tr_value *diff_src, tr_error *err)         \
    {                                                                                              \
        return tr_warping_backward(layer, map, random, program, tape, diff_dst, diff_src, err);    \
    }

#endif
