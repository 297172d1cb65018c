/* pooling.c -- 2-D pooling, largest value or average, forward and backward; see primitives.h.
 *
 * The result keeps the layout of the source, and the gradients keep both, because the workspace
 * that remembers the winners of a max pooling lies in that layout too.
 */
#include "primitives.h"

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
};

tr_status tr_pool_forward(tr_program *program, tr_pooling pooling, const tr_geometry *geometry,
                          tr_value src, tr_value *dst, tr_value *workspace, tr_hint *hint,
                          tr_error *err)
{
    const tr_window window = tr_window_of(geometry);
    const tr_layout src_layout = tr_program_layout(program, src);
    int64_t dims[4];
    tr_layout_dims(src_layout, dims);
    const tr_layout any =
        tr_layout_any(program->dnn, tr_layout_type(src_layout), 4,
                      (int64_t[]){dims[0], dims[1], geometry->out[0], geometry->out[1]});
    if (any == NULL)
        return tr_out_of_memory(err, program->layer);
    dnnl_primitive_desc_t desc;
    const dnnl_status_t status =
        tr_desc_pool_forward(&desc, tr_program_context(program), rows[pooling].algorithm, &window,
                             tr_layout_md(src_layout), tr_layout_md(any));
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, rows[pooling].name);
    const tr_value out =
        tr_program_value(program, tr_chosen_layout(program, desc, dnnl_query_dst_md));
    tr_arg args[3] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, out}};
    int n_args = 2;
    *workspace = TR_NO_VALUE;
    if (program->training && pooling == TR_POOLING_MAX) {
        *workspace =
            tr_program_value(program, tr_chosen_layout(program, desc, dnnl_query_workspace_md));
        args[n_args++] = (tr_arg){DNNL_ARG_WORKSPACE, *workspace};
    }
    dnnl_primitive_desc_t kept = NULL;
    const tr_meaning meaning = {
        .kind = rows[pooling].kind, .direction = TR_DIR_FORWARD, .geometry = *geometry};
    TR_TRY(tr_program_add(program, desc, &meaning, args, n_args, &kept, err));
    *hint = kept;
    *dst = out;
    return TR_OK;
}

tr_status tr_pool_backward(tr_program *program, tr_pooling pooling, const tr_geometry *geometry,
                           tr_value workspace, tr_value diff_dst, tr_hint hint, tr_value *diff_src,
                           tr_error *err)
{
    const tr_window window = tr_window_of(geometry);
    const tr_layout dst_layout = tr_chosen_layout(program, hint, dnnl_query_dst_md);
    const tr_layout src_layout = tr_chosen_layout(program, hint, dnnl_query_src_md);
    TR_TRY(tr_program_reorder(program, diff_dst, dst_layout, &diff_dst, err));
    dnnl_primitive_desc_t desc;
    const dnnl_status_t status =
        tr_desc_pool_backward(&desc, tr_program_context(program), rows[pooling].algorithm, &window,
                              tr_layout_md(src_layout), tr_layout_md(dst_layout), hint);
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, rows[pooling].gradient);
    const tr_value out = tr_program_value(program, src_layout);
    const tr_arg args[] = {
        {DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_DIFF_SRC, out}, {DNNL_ARG_WORKSPACE, workspace}};
    const int n_args = pooling == TR_POOLING_MAX ? 3 : 2;
    const tr_meaning meaning = {
        .kind = rows[pooling].kind, .direction = TR_DIR_BACKWARD_DATA, .geometry = *geometry};
    TR_TRY(tr_program_add(program, desc, &meaning, args, n_args, NULL, err));
    *diff_src = out;
    return TR_OK;
}
