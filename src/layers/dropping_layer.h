/* dropping_layer.h -- what dropout and its kin share: active in training alone. What they do is a
 * function of [fit] seed, the layer's number in the model, the update, the sample's number in the
 * dataset and the element's place in it, and of nothing else. No parameters.
 */
#ifndef TR_DROPPING_LAYER_H
#define TR_DROPPING_LAYER_H

#include <stddef.h>

#include "layer.h"

typedef struct tr_dropping_layer {
    tr_layer base;
    double rate; /* or the deviation of what is added */
} tr_dropping_layer;

#define TR_KEY_RATE(text)                                                                          \
    {                                                                                              \
        .name = "rate", .kind = TR_KEY_REAL, .offset = offsetof(tr_dropping_layer, rate),          \
        .min = 0, .max = 1, .below_max = true, .doc = text                                         \
    }

/* Source and result are of one shape; the second also refuses rates that drop all, or nothing. */
tr_status tr_noise_shape(tr_layer *layer, tr_error *err);
tr_status tr_dropping_shape(tr_layer *layer, tr_error *err);

tr_status tr_dropping_layer_forward(tr_layer *layer, tr_drop how, double rate, tr_program *program,
                                    tr_tape *tape, tr_value *dst, tr_error *err);
tr_status tr_dropping_layer_backward(tr_layer *layer, tr_drop how, double rate, tr_program *program,
                                     const tr_tape *tape, tr_value diff_dst, tr_value *diff_src,
                                     tr_error *err);

/* The two functions of a layer's ops, for one that does `how`. */
#define TR_DROPPING_FUNCTIONS(name, how, strength)                                                 \
    static tr_status name##_forward(tr_layer *layer, tr_program *program, tr_tape *tape,           \
                                    tr_value *dst, tr_error *err)                                  \
    {                                                                                              \
        return tr_dropping_layer_forward(layer, how, strength, program, tape, dst, err);           \
    }                                                                                              \
    static tr_status name##_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,    \
                                     tr_value diff_dst, tr_value *diff_src, tr_error *err)         \
    {                                                                                              \
        return tr_dropping_layer_backward(layer, how, strength, program, tape, diff_dst, diff_src, \
                                          err);                                                    \
    }

#endif
