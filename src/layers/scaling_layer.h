/* scaling_layer.h -- what rescaling and normalization share: channels shifted and scaled by numbers
 * that the configuration or a file gives. For src/layers only.
 */
#ifndef TR_SCALING_LAYER_H
#define TR_SCALING_LAYER_H

#include "normalization_layer.h"

/* Of numbers for each channel, as many as the layer has channels, or one? */
tr_status tr_scaling_check(const tr_layer *layer, const char *key, const tr_reals *numbers,
                           tr_error *err);

tr_status tr_scaling_forward(const tr_layer *layer, tr_program *program,
                             const tr_normalization *with, tr_tape *tape, tr_value *dst,
                             tr_error *err);
tr_status tr_scaling_backward(const tr_layer *layer, tr_program *program,
                              const tr_normalization *with, const tr_tape *tape, tr_value diff_dst,
                              tr_value *diff_src, tr_error *err);

#endif
