/* warping_layer.h -- what random_flip, random_translation and their kin share: each image becomes
 * one that is taken at other places of it, by a map of its own (dnn/primitives.h).
 */
#ifndef TR_WARPING_LAYER_H
#define TR_WARPING_LAYER_H

#include "augmenting_layer.h"

/* Not all layers have all of it. */
typedef struct tr_warping_layer {
    tr_layer base;
    tr_reals factors[2];   /* as the keys say: along height and width, or the first alone */
    tr_interval ranges[2]; /* and what they mean */
    int fill_mode;         /* tr_fill_mode */
    int interpolation;     /* of tr_interpolation_names */
    double fill_value;
    int mode;        /* of a flip */
    int64_t size[2]; /* of a result of another size: height, width */
} tr_warping_layer;

extern const char *const tr_fill_mode_names[];
extern const char *const tr_interpolation_names[]; /* nearest, bilinear */

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

/* The shape of a result of that `size`. */
tr_status tr_warping_shape(tr_layer *layer, tr_error *err);

/* What shifts the source by pixels of whole numbers. */
tr_affine tr_warping_shift(float columns, float rows);

/* Along an axis: `length` pixels from `first` on become `out`, each taken at its centre. */
void tr_warping_part(int64_t first, int64_t length, int64_t out, float *by, float *shift);

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
