/* multiply.c -- dst = src * src * ..., element by element.
 *
 * Keras's Multiply. No parameters.
 */
#include "merging_layer.h"

static tr_status multiply_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                  tr_value *dst, tr_error *err)
{
    return tr_merging_forward(layer, program, tape, TR_MERGE_PRODUCT, dst, err);
}

static tr_status multiply_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                   tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    return tr_merging_backward(layer, program, tape, TR_MERGE_PRODUCT, diff_dst, diff_src, err);
}

const tr_layer_ops tr_multiply_ops = {
    .type = "multiply",
    .keras_class = "Multiply",
    .doc = "product of its inputs",
    .bytes = sizeof(tr_layer),
    .merges = true,
    .fuses = tr_merge_fuses,
    .shape = tr_merging_shape,
    .forward = multiply_forward,
    .backward = multiply_backward,
};
