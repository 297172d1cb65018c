/* normalization_layer.h -- what the three normalizations share: epsilon, gamma and beta per
 * channel, images and vectors. For src/layers only.
 */
#ifndef TR_NORMALIZATION_LAYER_H
#define TR_NORMALIZATION_LAYER_H

#include <stddef.h>

#include "layer.h"

typedef struct tr_normalization_layer {
    tr_layer base;
    double epsilon;
    bool center, scale;
    tr_weight_rules gamma, beta;
} tr_normalization_layer;

#define TR_KEYS_NORMALIZATION                                                                      \
    {.name = "epsilon",                                                                            \
     .kind = TR_KEY_REAL,                                                                          \
     .offset = offsetof(tr_normalization_layer, epsilon),                                          \
     .fallback = "0.001",                                                                          \
     .min = 1.2e-38,                                                                               \
     .max = 1e6,                                                                                   \
     .doc = "added to the variance"},                                                              \
        {.name = "center",                                                                         \
         .kind = TR_KEY_BOOL,                                                                      \
         .offset = offsetof(tr_normalization_layer, center),                                       \
         .fallback = "true",                                                                       \
         .doc = "add a constant per channel, beta"},                                               \
        {.name = "scale",                                                                          \
         .kind = TR_KEY_BOOL,                                                                      \
         .offset = offsetof(tr_normalization_layer, scale),                                        \
         .fallback = "true",                                                                       \
         .doc = "multiply by a factor per channel, gamma"},                                        \
        TR_KEYS_WEIGHT(tr_normalization_layer, beta, "zeros"),                                     \
        TR_KEYS_WEIGHT(tr_normalization_layer, gamma, "ones")

#define TR_KERAS_NORMALIZATION "\"axis\":-1"

/* dst as src; parameters gamma (if scale) and beta (if center). */
void tr_normalization_shape(tr_layer *layer);

/* epsilon, gamma, beta and what is fused; the rest is for the layer to say. */
tr_normalization tr_normalization_of(tr_layer *layer, const tr_tape *tape);

/* Of the layer's source and the gradient of its result, what is to be worked on; and a gradient of
 * that as the source's. Behind a flatten the tensor may still be an image (flatten.c), whose
 * channels are not those of the vector: then it is brought into the vector's order. */
tr_status tr_normalization_enter(const tr_layer *layer, tr_program *program, tr_value value,
                                 tr_value *in, tr_error *err);
tr_status tr_normalization_leave(const tr_layer *layer, tr_program *program, const tr_tape *tape,
                                 tr_value diff, tr_value *diff_src, tr_error *err);

#endif
