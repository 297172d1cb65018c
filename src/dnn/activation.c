/* activation.c -- elementwise functions and softmax, fused or alone; see primitives.h.
 *
 * One row of the table is all that a new elementwise activation needs. Derivatives are taken from
 * the result: relu'(x) = [y > 0], sigmoid' = y (1 - y), tanh' = 1 - y^2,
 * softmax: dx = y (dy - sum(dy y)).
 */
#include "primitives.h"

#include "program_internal.h"

const char *const tr_activation_names[TR_N_ACTIVATIONS + 1] = {
    [TR_LINEAR] = "linear", [TR_RELU] = "relu",       [TR_SIGMOID] = "sigmoid",
    [TR_TANH] = "tanh",     [TR_SOFTMAX] = "softmax",
};

typedef struct row {
    dnnl_alg_kind_t forward, backward;
    bool elementwise, commutes_with_max;
} row;

static const row rows[TR_N_ACTIVATIONS] = {
    [TR_RELU] = {dnnl_eltwise_relu, dnnl_eltwise_relu_use_dst_for_bwd, true, true},
    /* Monotonic too, but only where float32 does not saturate: sigmoid(17) = sigmoid(18) = 1, and
     * a pooling then picks another winner before the function than after it. */
    [TR_SIGMOID] = {dnnl_eltwise_logistic, dnnl_eltwise_logistic_use_dst_for_bwd, true, false},
    [TR_TANH] = {dnnl_eltwise_tanh, dnnl_eltwise_tanh_use_dst_for_bwd, true, false},
};

bool tr_activation_commutes_with_max(tr_activation activation)
{
    return rows[activation].commutes_with_max;
}

bool tr_activation_fuses(tr_activation activation)
{
    return rows[activation].elementwise;
}

static dnnl_status_t describe_forward(dnnl_primitive_desc_t *desc, const tr_program *program,
                                      tr_activation activation, tr_md data)
{
    const tr_desc_context context = tr_program_context(program);
    if (activation == TR_SOFTMAX)
        return tr_desc_softmax_forward(desc, context, data);
    return tr_desc_eltwise_forward(desc, context, rows[activation].forward, 0.0f, data);
}

tr_status tr_activation_forward(tr_program *program, tr_activation activation, tr_value src,
                                tr_value *dst, tr_error *err)
{
    if (activation == TR_LINEAR) {
        *dst = src;
        return TR_OK;
    }
    const char *what = tr_activation_names[activation];
    const tr_layout layout = tr_program_layout(program, src);
    dnnl_primitive_desc_t desc;
    const dnnl_status_t status = describe_forward(&desc, program, activation, tr_layout_md(layout));
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, what);
    const tr_value out = tr_program_value(program, layout);
    const tr_arg args[] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, out}};
    const tr_meaning meaning = {
        .kind = TR_KIND_ACTIVATION, .direction = TR_DIR_FORWARD, .activation = activation};
    TR_TRY(tr_program_add(program, desc, &meaning, args, 2, NULL, err));
    *dst = out;
    return TR_OK;
}

tr_status tr_activation_backward(tr_program *program, tr_activation activation, tr_value dst,
                                 tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    if (activation == TR_LINEAR) {
        *diff_src = diff_dst;
        return TR_OK;
    }
    const char *what = tr_activation_names[activation];
    const tr_layout layout = tr_program_layout(program, dst);
    const tr_md md = tr_layout_md(layout);
    TR_TRY(tr_program_reorder(program, diff_dst, layout, &diff_dst, err));
    dnnl_primitive_desc_t hint, desc;
    dnnl_status_t status = describe_forward(&hint, program, activation, md);
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, what);
    const tr_desc_context context = tr_program_context(program);
    status = activation == TR_SOFTMAX
                 ? tr_desc_softmax_backward(&desc, context, md, md, hint)
                 : tr_desc_eltwise_backward(&desc, context, rows[activation].backward, 0.0f, md, md,
                                            hint);
    dnnl_primitive_desc_destroy(hint);
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, what);
    const tr_value out = tr_program_value(program, layout);
    const tr_arg args[] = {
        {DNNL_ARG_DST, dst}, {DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_DIFF_SRC, out}};
    const tr_meaning meaning = {
        .kind = TR_KIND_ACTIVATION, .direction = TR_DIR_BACKWARD_DATA, .activation = activation};
    TR_TRY(tr_program_add(program, desc, &meaning, args, 3, NULL, err));
    *diff_src = out;
    return TR_OK;
}

/* ---- for convolution.c and inner_product.c ---- */

dnnl_status_t tr_attr_fused(dnnl_primitive_attr_t *attr, tr_activation fused)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = tr_attr_new(attr);
    if (status != dnnl_success || fused == TR_LINEAR)
        return status;
    status = dnnl_post_ops_create(&ops);
    if (status == dnnl_success)
        status = tr_append_eltwise(ops, rows[fused].forward);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(*attr, ops);
    dnnl_post_ops_destroy(ops);
    if (status != dnnl_success)
        dnnl_primitive_attr_destroy(*attr);
    return status;
}
