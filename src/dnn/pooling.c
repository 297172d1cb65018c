/* pooling.c -- 2-D pooling, largest value or average, forward and backward; see primitives.h.
 *
 * The result keeps the layout of the source, and the gradients keep both, because the workspace
 * that remembers the winners of a max pooling lies in that layout too. oneDNN computes all but two:
 * the maximum of a whole image, whose gradient TensorFlow shares among equal maxima, and averages
 * of many elements, which oneDNN adds in one running float32 sum.
 */
#include "primitives.h"

#include "own.h"
#include "pooling.h"
#include "program_internal.h"

static const struct {
    dnnl_alg_kind_t algorithm;
    tr_kind kind;
    const char *name, *gradient;
} rows[] = {
    [TR_POOLING_MAX] = {dnnl_pooling_max, TR_KIND_MAX_POOLING, "max pooling",
                        "max pooling's gradient"},
    [TR_POOLING_AVERAGE] = {dnnl_pooling_avg_exclude_padding, TR_KIND_AVERAGE_POOLING,
                            "average pooling", "average pooling's gradient"},
    [TR_POOLING_GLOBAL_MAX] = {dnnl_pooling_max, TR_KIND_GLOBAL_MAX, "global max pooling",
                               "global max pooling's gradient"},
};

/* A running float32 sum of K equal terms errs by up to K 2^-24 of the result: 1e-6 for 16. */
enum { MAX_TERMS = 16 };

static bool is_native(const tr_program *program, tr_pooling pooling, const tr_geometry *geometry)
{
    return pooling == TR_POOLING_GLOBAL_MAX ||
           (pooling == TR_POOLING_AVERAGE &&
            (tr_program_own(program) != NULL ||
             geometry->kernel[0] * geometry->kernel[1] > MAX_TERMS));
}

static tr_status describe_forward(tr_program *program, tr_pooling pooling,
                                  const tr_geometry *geometry, tr_layout src,
                                  dnnl_primitive_desc_t *desc, tr_error *err)
{
    const tr_window window = tr_window_of(geometry);
    int64_t dims[4];
    tr_layout_dims(src, dims);
    const tr_layout any =
        tr_layout_any(program->dnn, tr_layout_type(src), 4,
                      (int64_t[]){dims[0], dims[1], geometry->out[0], geometry->out[1]});
    if (any == NULL)
        return tr_out_of_memory(err, program->layer);
    const dnnl_status_t status =
        tr_desc_pool_forward(desc, tr_program_context(program), rows[pooling].algorithm, &window,
                             tr_layout_md(src), tr_layout_md(any));
    return status == dnnl_success ? TR_OK
                                  : tr_dnn_fail(err, status, program->layer, rows[pooling].name);
}

/* ---- in plain C ---- */

/* Keras's order where a layout cannot be walked, or the two differ in kind. */
static tr_status ends_of(tr_program *program, tr_layout large, tr_layout small, tr_layout *of_large,
                         tr_layout *of_small, tr_pool_ends *ends, tr_error *err)
{
    *of_large = large, *of_small = small;
    if (large != NULL && small != NULL && tr_pixels_of(large, &ends->of_large) &&
        tr_pixels_of(small, &ends->of_small) && ends->of_large.run == ends->of_small.run)
        return TR_OK;
    *of_large = large == NULL ? NULL : tr_layout_channels_last(program->dnn, large);
    *of_small = small == NULL ? NULL : tr_layout_channels_last(program->dnn, small);
    if (*of_large == NULL || *of_small == NULL || !tr_pixels_of(*of_large, &ends->of_large) ||
        !tr_pixels_of(*of_small, &ends->of_small))
        return tr_out_of_memory(err, program->layer);
    return TR_OK;
}

/* The layout of the result is the one that oneDNN would choose. */
static tr_status native_forward(tr_program *program, tr_pooling pooling,
                                const tr_geometry *geometry, tr_value src, tr_value *dst,
                                tr_error *err)
{
    dnnl_primitive_desc_t desc;
    tr_pool_ends ends;
    tr_layout large, small;
    TR_TRY(
        describe_forward(program, pooling, geometry, tr_program_layout(program, src), &desc, err));
    small = tr_chosen_layout(program, desc, dnnl_query_dst_md);
    dnnl_primitive_desc_destroy(desc);
    TR_TRY(ends_of(program, tr_program_layout(program, src), small, &large, &small, &ends, err));
    TR_TRY(tr_program_reorder(program, src, large, &ends.large, err));
    *dst = ends.small = tr_program_value(program, small);
    return pooling == TR_POOLING_AVERAGE ? tr_average_forward(program, geometry, &ends, err)
                                         : tr_global_max_forward(program, geometry, &ends, err);
}

static tr_status native_backward(tr_program *program, tr_pooling pooling,
                                 const tr_geometry *geometry, const tr_pool_tape *tape,
                                 tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    tr_pool_ends ends;
    tr_layout large, small;
    TR_TRY(ends_of(program, tr_program_layout(program, tape->src),
                   tr_program_layout(program, tape->dst), &large, &small, &ends, err));
    TR_TRY(tr_program_reorder(program, diff_dst, small, &ends.small, err));
    *diff_src = ends.large = tr_program_value(program, large);
    if (pooling == TR_POOLING_AVERAGE)
        return tr_average_backward(program, geometry, &ends, err);
    tr_value src, dst;
    TR_TRY(tr_program_reorder(program, tape->src, large, &src, err));
    TR_TRY(tr_program_reorder(program, tape->dst, small, &dst, err));
    return tr_global_max_backward(program, geometry, src, dst, &ends, err);
}

/* ---- planning ---- */

tr_status tr_pool_forward(tr_program *program, tr_pooling pooling, const tr_geometry *geometry,
                          tr_pool_tape *tape, tr_error *err)
{
    tape->workspace = TR_NO_VALUE;
    tape->hint = NULL;
    if (pooling == TR_POOLING_MAX && tr_program_own(program) != NULL)
        return tr_own_max_pool_forward(program, geometry, tape, err);
    if (is_native(program, pooling, geometry))
        return native_forward(program, pooling, geometry, tape->src, &tape->dst, err);
    dnnl_primitive_desc_t desc;
    TR_TRY(describe_forward(program, pooling, geometry, tr_program_layout(program, tape->src),
                            &desc, err));
    tape->dst = tr_program_value(program, tr_chosen_layout(program, desc, dnnl_query_dst_md));
    tr_arg args[3] = {{DNNL_ARG_SRC, tape->src}, {DNNL_ARG_DST, tape->dst}};
    int n_args = 2;
    if (program->backward_follows && pooling == TR_POOLING_MAX) {
        tape->workspace =
            tr_program_value(program, tr_chosen_layout(program, desc, dnnl_query_workspace_md));
        args[n_args++] = (tr_arg){DNNL_ARG_WORKSPACE, tape->workspace};
    }
    dnnl_primitive_desc_t kept = NULL;
    const tr_meaning meaning = {
        .kind = rows[pooling].kind, .direction = TR_DIR_FORWARD, .geometry = *geometry};
    TR_TRY(tr_program_add(program, desc, &meaning, args, n_args, &kept, err));
    tape->hint = kept;
    return TR_OK;
}

tr_status tr_pool_backward(tr_program *program, tr_pooling pooling, const tr_geometry *geometry,
                           const tr_pool_tape *tape, tr_value diff_dst, tr_value *diff_src,
                           tr_error *err)
{
    if (pooling == TR_POOLING_MAX && tr_program_own(program) != NULL)
        return tr_own_max_pool_backward(program, geometry, tape, diff_dst, diff_src, err);
    if (is_native(program, pooling, geometry))
        return native_backward(program, pooling, geometry, tape, diff_dst, diff_src, err);
    const tr_window window = tr_window_of(geometry);
    const tr_layout dst_layout = tr_chosen_layout(program, tape->hint, dnnl_query_dst_md);
    const tr_layout src_layout = tr_chosen_layout(program, tape->hint, dnnl_query_src_md);
    TR_TRY(tr_program_reorder(program, diff_dst, dst_layout, &diff_dst, err));
    dnnl_primitive_desc_t desc;
    const dnnl_status_t status =
        tr_desc_pool_backward(&desc, tr_program_context(program), rows[pooling].algorithm, &window,
                              tr_layout_md(src_layout), tr_layout_md(dst_layout), tape->hint);
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, rows[pooling].gradient);
    const tr_value out = tr_program_value(program, src_layout);
    const tr_arg args[] = {{DNNL_ARG_DIFF_DST, diff_dst},
                           {DNNL_ARG_DIFF_SRC, out},
                           {DNNL_ARG_WORKSPACE, tape->workspace}};
    const int n_args = pooling == TR_POOLING_MAX ? 3 : 2;
    const tr_meaning meaning = {
        .kind = rows[pooling].kind, .direction = TR_DIR_BACKWARD_DATA, .geometry = *geometry};
    TR_TRY(tr_program_add(program, desc, &meaning, args, n_args, NULL, err));
    *diff_src = out;
    return TR_OK;
}
