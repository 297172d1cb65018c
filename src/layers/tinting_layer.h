/* tinting_layer.h -- what random_contrast, random_brightness and their kin share: pixels moved to
 * or from something that the image itself gives (dnn/primitives.h), and kept within value_range.
 */
#ifndef TR_TINTING_LAYER_H
#define TR_TINTING_LAYER_H

#include "augmenting_layer.h"

typedef struct tr_tinting_layer {
    tr_layer base;
    tr_reals factor;   /* as the key says, */
    tr_interval range; /* and what it means */
    tr_reals value_range;
    tr_interval limits; /* of the result */
} tr_tinting_layer;

typedef tr_tint tr_tint_of(const void *layer, const float chances[TR_N_CHANCES]);

tr_status tr_tinting_forward(tr_layer *layer, tr_tint_base base, tr_tint_of *tint,
                             tr_program *program, tr_tape *tape, tr_value *dst, tr_error *err);
tr_status tr_tinting_backward(tr_layer *layer, tr_tint_base base, tr_tint_of *tint,
                              tr_program *program, const tr_tape *tape, tr_value diff_dst,
                              tr_value *diff_src, tr_error *err);

/* The two functions of a layer's ops. */
#define TR_TINTING_FUNCTIONS(name, base, tint)                                                     \
    static tr_status name##_forward(tr_layer *layer, tr_program *program, tr_tape *tape,           \
                                    tr_value *dst, tr_error *err)                                  \
    {                                                                                              \
        return tr_tinting_forward(layer, base, tint, program, tape, dst, err);                     \
    }                                                                                              \
    static tr_status name##_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,    \
                                     tr_value diff_dst, tr_value *diff_src, tr_error *err)         \
    {                                                                                              \
        return tr_tinting_backward(layer, base, tint, program, tape, diff_dst, diff_src, err);     \
    }

#endif
