/* concatenate.c -- the sources' channels one behind the other.
 *
 * Keras's Concatenate over the last axis: images of the same height and width, or flat vectors. No
 * parameters.
 */
#include "merging_layer.h"

static tr_status concatenate_shape(tr_layer *layer, tr_error *err)
{
    layer->dst = layer->src;
    for (int k = 1; k < layer->n_srcs; k++) {
        const tr_shape a = layer->src, b = layer->srcs[k];
        if (a.flat != b.flat || a.h != b.h || a.w != b.w)
            return tr_fail(err, TR_ERR_CONFIG,
                           "the inputs must be images of the same height and width, or all be flat "
                           "vectors");
        layer->dst.c += b.c;
    }
    return TR_OK;
}

static tr_status concatenate_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                     tr_value *dst, tr_error *err)
{
    tr_value srcs[TR_MAX_SOURCES];
    TR_TRY(tr_merging_sources(layer, program, tape, srcs, err));
    return tr_concatenate_forward(program, srcs, layer->n_srcs, dst, err);
}

static tr_status concatenate_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                      tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    tr_value srcs[TR_MAX_SOURCES];
    if (diff_src == NULL)
        return TR_OK;
    TR_TRY(tr_merging_sources(layer, program, tape, srcs, err));
    TR_TRY(tr_merging_diff(layer, program, &diff_dst, err));
    TR_TRY(tr_concatenate_backward(program, srcs, layer->n_srcs, tape->wanted, diff_dst, diff_src,
                                   err));
    return tr_merging_give(layer, program, tape, diff_src, err);
}

const tr_layer_ops tr_concatenate_ops = {
    .type = "concatenate",
    .keras_class = "Concatenate",
    .keras_rest = "{\"axis\":-1}",
    .doc = "channels of its inputs one behind the other",
    .bytes = sizeof(tr_layer),
    .merges = true,
    .shape = concatenate_shape,
    .forward = concatenate_forward,
    .backward = concatenate_backward,
};
