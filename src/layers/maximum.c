/* maximum.c -- dst = the largest of the sources, element by element.
 *
 * Keras's Maximum; of equal ones the first gets the gradient, as TensorFlow has it. No parameters.
 */
#include "merging_layer.h"

static tr_status maximum_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                                 tr_error *err)
{
    return tr_merging_forward(layer, program, tape, TR_MERGE_MAXIMUM, dst, err);
}

static tr_status maximum_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                  tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    return tr_merging_backward(layer, program, tape, TR_MERGE_MAXIMUM, diff_dst, diff_src, err);
}

const tr_layer_ops tr_maximum_ops = {
    .type = "maximum",
    .keras_class = "Maximum",
    .doc = "largest of its inputs",
    .bytes = sizeof(tr_layer),
    .merges = true,
    .fuses = tr_merge_fuses,
    .shape = tr_merging_shape,
    .forward = maximum_forward,
    .backward = maximum_backward,
};
