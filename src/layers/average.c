/* average.c -- dst = (src + src + ...) / their number, element by element.
 *
 * Keras's Average. No parameters.
 */
#include "merging_layer.h"

static tr_status average_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                                 tr_error *err)
{
    return tr_merging_forward(layer, program, tape, TR_MERGE_MEAN, dst, err);
}

static tr_status average_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                  tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    return tr_merging_backward(layer, program, tape, TR_MERGE_MEAN, diff_dst, diff_src, err);
}

const tr_layer_ops tr_average_ops = {
    .type = "average",
    .keras_class = "Average",
    .doc = "mean of its inputs",
    .bytes = sizeof(tr_layer),
    .merges = true,
    .fuses = tr_merge_fuses,
    .shape = tr_merging_shape,
    .forward = average_forward,
    .backward = average_backward,
};
