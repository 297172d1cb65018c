/* merging_layer.c -- see merging_layer.h. */
#include "merging_layer.h"

/* ---- flat or not ---- */

tr_status tr_merging_sources(const tr_layer *layer, tr_program *program, const tr_tape *tape,
                             tr_value srcs[TR_MAX_SOURCES], tr_error *err)
{
    for (int k = 0; k < layer->n_srcs; k++) {
        srcs[k] = tape->srcs[k];
        if (layer->src.flat)
            TR_TRY(tr_program_vector(program, srcs[k], &srcs[k], err));
    }
    return TR_OK;
}

tr_status tr_merging_diff(const tr_layer *layer, tr_program *program, tr_value *diff_dst,
                          tr_error *err)
{
    return layer->src.flat ? tr_program_vector(program, *diff_dst, diff_dst, err) : TR_OK;
}

tr_status tr_merging_give(const tr_layer *layer, tr_program *program, const tr_tape *tape,
                          tr_value *diff_srcs, tr_error *err)
{
    for (int k = 0; k < layer->n_srcs && layer->src.flat; k++)
        if (tape->wanted[k])
            TR_TRY(tr_program_unvector(program, diff_srcs[k], tape->srcs[k], &diff_srcs[k], err));
    return TR_OK;
}

/* ---- element by element ---- */

tr_status tr_merging_shape(tr_layer *layer, tr_error *err)
{
    for (int k = 1; k < layer->n_srcs; k++) {
        const tr_shape a = layer->srcs[0], b = layer->srcs[k];
        if (a.h != b.h || a.w != b.w || a.c != b.c || a.flat != b.flat)
            return tr_fail(err, TR_ERR_CONFIG,
                           "the inputs must have the same shape (Keras repeats an axis of size 1 "
                           "to fit the others; here nothing is repeated)");
    }
    layer->dst = layer->src;
    return TR_OK;
}

tr_status tr_merging_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_merge how,
                             tr_value *dst, tr_error *err)
{
    tr_value srcs[TR_MAX_SOURCES];
    TR_TRY(tr_merging_sources(layer, program, tape, srcs, err));
    return tr_merge_forward(program, how, tape->activation, srcs, layer->n_srcs, dst, err);
}

tr_status tr_merging_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                              tr_merge how, tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    tr_value srcs[TR_MAX_SOURCES];
    if (diff_src == NULL)
        return TR_OK;
    TR_TRY(tr_merging_sources(layer, program, tape, srcs, err));
    TR_TRY(tr_merging_diff(layer, program, &diff_dst, err));
    TR_TRY(tr_merge_backward(program, how, srcs, layer->n_srcs, tape->wanted, diff_dst, diff_src,
                             err));
    return tr_merging_give(layer, program, tape, diff_src, err);
}
