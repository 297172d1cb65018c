/* merging_layer.h -- what layers that make one tensor of several share: their sources, and the four
 * that work element by element, which differ in one word.
 */
#ifndef TR_MERGING_LAYER_H
#define TR_MERGING_LAYER_H

#include "layer.h"

/* Their sources and the gradient of the result as they lie in Keras's order where they are flat: a
 * vector may still be an image (flatten.c), whose channels are not its. Beside an image it is one
 * of 1 x 1. */
tr_status tr_merging_sources(const tr_layer *layer, tr_program *program, const tr_tape *tape,
                             tr_value srcs[TR_MAX_SOURCES], tr_error *err);
tr_status tr_merging_diff(const tr_layer *layer, tr_program *program, tr_value *diff_dst,
                          tr_error *err);
/* Gradients of such sources made those of the layer's own. */
tr_status tr_merging_give(const tr_layer *layer, tr_program *program, const tr_tape *tape,
                          tr_value *diff_srcs, tr_error *err);

tr_status tr_merging_shape(tr_layer *layer, tr_error *err);
tr_status tr_merging_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_merge how,
                             tr_value *dst, tr_error *err);
tr_status tr_merging_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                              tr_merge how, tr_value diff_dst, tr_value *diff_src, tr_error *err);

#endif
