/* add.c -- dst = src + src + ..., element by element.
 *
 * Keras's Add: the joint of a residual block. No parameters.
 */
#include "merging_layer.h"

static tr_status add_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                             tr_error *err)
{
    return tr_merging_forward(layer, program, tape, TR_MERGE_SUM, dst, err);
}

static tr_status add_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                              tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    return tr_merging_backward(layer, program, tape, TR_MERGE_SUM, diff_dst, diff_src, err);
}

const tr_layer_ops tr_add_ops = {
    .type = "add",
    .keras_class = "Add",
    .doc = "sum of its inputs",
    .bytes = sizeof(tr_layer),
    .merges = true,
    .fuses = tr_merge_fuses,
    .shape = tr_merging_shape,
    .forward = add_forward,
    .backward = add_backward,
};
