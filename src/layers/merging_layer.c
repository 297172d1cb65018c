/* merging_layer.c -- see merging_layer.h. */
#include "merging_layer.h"

/* ---- flat or not ---- */

tr_status tr_merging_sources(const tr_layer *layer, tr_program *program, const tr_tape *tape,
                             tr_value srcs[TR_MAX_SOURCES], tr_error *err)
{
    for (int k = 0; k < layer->n_srcs; k++) {
        const int64_t pixel[4] = {layer->micro_batch, layer->srcs[k].c, 1, 1};
        srcs[k] = tape->srcs[k];
        if (layer->dst.flat)
            TR_TRY(tr_program_vector(program, srcs[k], &srcs[k], err));
        else if (layer->srcs[k].flat)
            TR_TRY(tr_program_reshape(program, srcs[k], 4, pixel, &srcs[k], err));
    }
    return TR_OK;
}

tr_status tr_merging_diff(const tr_layer *layer, tr_program *program, tr_value *diff_dst,
                          tr_error *err)
{
    return layer->dst.flat ? tr_program_vector(program, *diff_dst, diff_dst, err) : TR_OK;
}

tr_status tr_merging_give(const tr_layer *layer, tr_program *program, const tr_tape *tape,
                          tr_value *diff_srcs, tr_error *err)
{
    for (int k = 0; k < layer->n_srcs; k++) {
        int64_t dims[4];
        const int n_dims = tr_layout_dims(tr_program_layout(program, tape->srcs[k]), dims);
        if (tape->wanted[k] && layer->srcs[k].flat)
            TR_TRY(tr_program_reshape(program, diff_srcs[k], n_dims, dims, &diff_srcs[k], err));
    }
    return TR_OK;
}

/* ---- element by element ---- */

/* The larger of two axes, one of which may be 1. */
static bool fit(int64_t *axis, int64_t other)
{
    const bool fits = *axis == other || *axis == 1 || other == 1;
    *axis = other > *axis ? other : *axis;
    return fits;
}

tr_status tr_merging_shape(tr_layer *layer, tr_error *err)
{
    tr_shape *dst = &layer->dst;
    *dst = layer->src;
    for (int k = 1; k < layer->n_srcs; k++) {
        const tr_shape b = layer->srcs[k];
        dst->flat = dst->flat && b.flat;
        const bool h = fit(&dst->h, b.h), w = fit(&dst->w, b.w), c = fit(&dst->c, b.c);
        if (!h || !w || !c)
            return tr_fail(err, TR_ERR_CONFIG,
                           "the inputs must have the same shape, or 1 where others have more: what "
                           "has 1 is repeated");
    }
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
