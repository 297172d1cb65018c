/* merging_layer.c -- see merging_layer.h. */
#include "merging_layer.h"

/* ---- flat or not, repeated or not ---- */

/* How a source becomes as high and wide as the result: an axis of one pixel is repeated. */
static tr_resampling repetition(const tr_layer *layer, int k)
{
    const tr_shape src = layer->srcs[k], dst = layer->dst;
    return (tr_resampling){.size = {dst.h / src.h, dst.w / src.w}};
}

static bool is_repeated(const tr_layer *layer, int k)
{
    const tr_resampling how = repetition(layer, k);
    return how.size[0] * how.size[1] > 1;
}

tr_status tr_merging_sources(const tr_layer *layer, tr_program *program, const tr_tape *tape,
                             tr_value srcs[TR_MAX_SOURCES], tr_error *err)
{
    for (int k = 0; k < layer->n_srcs; k++) {
        const tr_resampling how = repetition(layer, k);
        srcs[k] = tape->srcs[k];
        if (layer->src.flat)
            TR_TRY(tr_program_vector(program, srcs[k], &srcs[k], err));
        if (is_repeated(layer, k))
            TR_TRY(tr_resample_forward(program, &how, srcs[k], &srcs[k], err));
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
    for (int k = 0; k < layer->n_srcs; k++) {
        const tr_resampling how = repetition(layer, k);
        if (tape->wanted[k] && is_repeated(layer, k))
            TR_TRY(tr_resample_backward(program, &how, diff_srcs[k], &diff_srcs[k], err));
        if (tape->wanted[k] && layer->src.flat)
            TR_TRY(tr_program_unvector(program, diff_srcs[k], tape->srcs[k], &diff_srcs[k], err));
    }
    return TR_OK;
}

/* ---- element by element ---- */

tr_status tr_merging_shape(tr_layer *layer, tr_error *err)
{
    tr_shape *dst = &layer->dst;
    *dst = layer->src;
    for (int k = 1; k < layer->n_srcs; k++) {
        dst->h = layer->srcs[k].h > dst->h ? layer->srcs[k].h : dst->h;
        dst->w = layer->srcs[k].w > dst->w ? layer->srcs[k].w : dst->w;
    }
    for (int k = 0; k < layer->n_srcs; k++) {
        const tr_shape src = layer->srcs[k];
        if ((src.h != dst->h && src.h != 1) || (src.w != dst->w && src.w != 1) || src.c != dst->c ||
            src.flat != dst->flat)
            return tr_fail(
                err, TR_ERR_CONFIG,
                "the inputs must have the same shape, but that a height or width of 1 is "
                "repeated to fit the others");
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
