/* weighted.c -- appending primitives that have a kernel and a bias; see weighted.h. */
#include "weighted.h"

tr_md tr_bias_md(const tr_weighted_layouts *layouts)
{
    return layouts->bias == NULL ? NULL : tr_layout_md(layouts->bias);
}

tr_status tr_weighted_any(tr_program *program, tr_direction direction, tr_value src,
                          int n_kernel_dims, const int64_t *kernel_dims, const tr_param *bias,
                          int n_dst_dims, const int64_t *dst_dims, tr_weighted_layouts *layouts,
                          tr_error *err)
{
    const tr_precision type = tr_dnn_precision(program->dnn);
    const tr_precision kernel_type = direction == TR_DIR_BACKWARD_WEIGHTS ? TR_FLOAT32 : type;
    const tr_precision dst_type = direction == TR_DIR_FORWARD ? program->result_type : type;
    int64_t src_dims[4];
    const int n_src_dims = tr_layout_dims(tr_program_layout(program, src), src_dims);
    layouts->src = tr_layout_any(program->dnn, type, n_src_dims, src_dims);
    layouts->kernel = tr_layout_any(program->dnn, kernel_type, n_kernel_dims, kernel_dims);
    layouts->dst = tr_layout_any(program->dnn, dst_type, n_dst_dims, dst_dims);
    layouts->bias = bias == NULL ? NULL : tr_layout_x(program->dnn, bias->dims[0]);
    if (!layouts->src || !layouts->kernel || !layouts->dst || (bias && !layouts->bias))
        return tr_out_of_memory(err, program->layer);
    return TR_OK;
}

/* The operation just added: each element of the kernel works once for each place of dst. */
static void count_flops(tr_program *program, const tr_param *kernel, tr_value dst)
{
    int64_t d[4];
    const bool image = tr_layout_dims(tr_program_layout(program, dst), d) == 4;
    const double places = (double)d[0] * (image ? (double)(d[2] * d[3]) : 1.0);
    program->ops[program->n_ops - 1].info.flops = 2.0 * (double)tr_param_elements(kernel) * places;
}

tr_status tr_weighted_forward(tr_program *program, dnnl_primitive_desc_t desc,
                              const tr_meaning *meaning, tr_param *kernel, tr_layout plain,
                              tr_layout packed, tr_param *bias, tr_value src, tr_value *dst,
                              tr_hint *hint, tr_error *err)
{
    const tr_layout own = tr_chosen_layout(program, desc, dnnl_query_weights_md);
    const tr_value param = tr_program_param(program, kernel, plain, packed);
    tr_value weights = TR_NO_VALUE;
    tr_status status = tr_program_reorder(
        program, src, tr_chosen_layout(program, desc, dnnl_query_src_md), &src, err);
    if (status == TR_OK)
        status = tr_program_weights(program, param, own, &weights, err);
    if (status != TR_OK) {
        dnnl_primitive_desc_destroy(desc);
        return status;
    }
    const tr_value out =
        tr_program_value(program, tr_chosen_layout(program, desc, dnnl_query_dst_md));
    tr_arg args[4] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, out}};
    int n_args = 3;
    if (bias != NULL) {
        const tr_layout x = tr_layout_x(program->dnn, bias->dims[0]);
        args[n_args++] = (tr_arg){DNNL_ARG_BIAS, tr_program_param(program, bias, x, x)};
    }
    dnnl_primitive_desc_t kept = NULL;
    TR_TRY(tr_program_add(program, desc, meaning, args, n_args, &kept, err));
    count_flops(program, kernel, out);
    *hint = kept;
    *dst = out;
    return TR_OK;
}

tr_status tr_weighted_backward_weights(tr_program *program, dnnl_primitive_desc_t desc,
                                       const tr_meaning *meaning, const tr_param *kernel,
                                       const tr_param *bias, bool clear, tr_value src,
                                       tr_value diff_dst, tr_error *err)
{
    const tr_layout own = tr_chosen_layout(program, desc, dnnl_query_diff_weights_md);
    tr_status status = tr_program_reorder(
        program, src, tr_chosen_layout(program, desc, dnnl_query_src_md), &src, err);
    if (status == TR_OK)
        status = tr_program_reorder(program, diff_dst,
                                    tr_chosen_layout(program, desc, dnnl_query_diff_dst_md),
                                    &diff_dst, err);
    if (status != TR_OK) {
        dnnl_primitive_desc_destroy(desc);
        return status;
    }
    const bool direct = own == kernel->packed;
    const tr_value gradient = tr_program_gradient(program, kernel);
    const tr_value written = direct ? gradient : tr_program_value(program, own);
    tr_arg args[4] = {
        {DNNL_ARG_SRC, src}, {DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_DIFF_WEIGHTS, written}};
    int n_args = 3;
    if (bias != NULL)
        args[n_args++] = (tr_arg){DNNL_ARG_DIFF_BIAS, tr_program_gradient(program, bias)};
    TR_TRY(tr_program_add(program, desc, meaning, args, n_args, NULL, err));
    count_flops(program, kernel, diff_dst);
    if (clear)
        program->ops[program->n_ops - 1].cleared = 2; /* diff_weights */
    return direct ? TR_OK : tr_program_reorder_into(program, written, gradient, err);
}

tr_status tr_weighted_backward_data(tr_program *program, dnnl_primitive_desc_t desc,
                                    const tr_meaning *meaning, tr_param *kernel, tr_value diff_dst,
                                    tr_value *diff_src, tr_error *err)
{
    const tr_value packed = tr_program_param(program, kernel, kernel->plain, kernel->packed);
    tr_value weights = TR_NO_VALUE;
    tr_status status = tr_program_reorder(
        program, diff_dst, tr_chosen_layout(program, desc, dnnl_query_diff_dst_md), &diff_dst, err);
    if (status == TR_OK)
        status = tr_program_weights(
            program, packed, tr_chosen_layout(program, desc, dnnl_query_weights_md), &weights, err);
    if (status != TR_OK) {
        dnnl_primitive_desc_destroy(desc);
        return status;
    }
    const tr_value out =
        tr_program_value(program, tr_chosen_layout(program, desc, dnnl_query_diff_src_md));
    const tr_arg args[] = {
        {DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DIFF_SRC, out}};
    TR_TRY(tr_program_add(program, desc, meaning, args, 3, NULL, err));
    count_flops(program, kernel, diff_dst);
    *diff_src = out;
    return TR_OK;
}
