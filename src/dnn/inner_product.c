/* inner_product.c -- the dense product in its three directions; see primitives.h.
 *
 * An image source needs no flattening copy: for [n,c,h,w] the kernel is asked for as o c h w, and
 * its Keras shape (h*w*c, units), row-major, is exactly the order h w i o.
 */
#include "primitives.h"

#include "own.h"
#include "pixels.h"
#include "weighted.h"

static int kernel_dims(tr_program *program, const tr_param *kernel, tr_value src, int64_t dims[4])
{
    const int n = tr_layout_dims(tr_program_layout(program, src), dims);
    dims[0] = kernel->dims[1]; /* [n, c, ...] becomes [units, c, ...] */
    return n;
}

static tr_status any_layouts(tr_program *program, tr_direction direction, const tr_param *kernel,
                             const tr_param *bias, tr_value src, tr_weighted_layouts *any,
                             tr_error *err)
{
    int64_t dims[4];
    const int n = kernel_dims(program, kernel, src, dims);
    TR_TRY(tr_weighted_any(program, direction, src, n, dims, bias, 2,
                           (int64_t[]){program->n, kernel->dims[1]}, any, err));
    /* Any plain order will do, so that of the source at hand is the one without a copy. */
    const tr_layout own = tr_program_layout(program, src);
    if (n == 4 && own == tr_layout_channels_last(program->dnn, own))
        any->src = tr_layout_channels_last(program->dnn, any->src);
    return TR_OK;
}

static tr_layout plain_kernel(tr_program *program, const tr_param *kernel, tr_value src)
{
    int64_t dims[4];
    if (kernel_dims(program, kernel, src, dims) == 2)
        return tr_layout_io(program->dnn, dims[1], dims[0]);
    return tr_layout_hwio(program->dnn, dims[2], dims[3], dims[1], dims[0]);
}

tr_status tr_inner_product_forward(tr_program *program, tr_activation fused, tr_param *kernel,
                                   tr_param *bias, tr_value src, tr_value *dst, tr_hint *hint,
                                   tr_error *err)
{
    *hint = NULL;
    if (tr_program_own(program) != NULL)
        return tr_own_inner_forward(program, fused, kernel, bias, src, dst, err);
    tr_weighted_layouts any;
    TR_TRY(any_layouts(program, TR_DIR_FORWARD, kernel, bias, src, &any, err));
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_status_t status = tr_attr_fused(&attr, fused);
    if (status == dnnl_success) {
        tr_desc_context context = tr_program_context(program);
        context.attr = attr;
        status = tr_desc_inner_product_forward(&desc, context, tr_layout_md(any.src),
                                               tr_layout_md(any.kernel), tr_bias_md(&any),
                                               tr_layout_md(any.dst));
        dnnl_primitive_attr_destroy(attr);
    }
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, "inner product");
    const tr_layout plain = plain_kernel(program, kernel, src);
    const tr_layout own = tr_chosen_layout(program, desc, dnnl_query_weights_md);
    const bool float32 = own != NULL && tr_layout_type(own) == TR_FLOAT32;
    const tr_meaning meaning = {
        .kind = TR_KIND_INNER_PRODUCT, .direction = TR_DIR_FORWARD, .activation = fused};
    return tr_weighted_forward(program, desc, &meaning, kernel, plain, float32 ? own : plain, bias,
                               src, dst, hint, err);
}

/* As in convolution.c; here a term is a sample, and in micro-batches of up to 16 a running float32
 * sum stays within 16 * 2^-24 = 1e-6. */
static bool sums_own_bias(const tr_program *program)
{
    return program->n > 16;
}

tr_status tr_inner_product_backward_weights(tr_program *program, const tr_param *kernel,
                                            const tr_param *bias, tr_value src, tr_value diff_dst,
                                            tr_hint hint, tr_error *err)
{
    if (tr_program_own(program) != NULL)
        return tr_own_inner_backward_weights(program, kernel, bias, src, diff_dst, err);
    const bool own = bias != NULL && sums_own_bias(program);
    const tr_param *theirs = own ? NULL : bias;
    tr_weighted_layouts any;
    TR_TRY(any_layouts(program, TR_DIR_BACKWARD_WEIGHTS, kernel, theirs, src, &any, err));
    dnnl_primitive_desc_t desc;
    const dnnl_status_t status = tr_desc_inner_product_backward_weights(
        &desc, tr_program_context(program), tr_layout_md(any.src), tr_layout_md(any.kernel),
        tr_bias_md(&any), tr_layout_md(any.dst), hint);
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, "inner product's weights gradient");
    const tr_meaning meaning = {.kind = TR_KIND_INNER_PRODUCT,
                                .direction = TR_DIR_BACKWARD_WEIGHTS};
    TR_TRY(tr_weighted_backward_weights(program, desc, &meaning, kernel, theirs, false, src,
                                        diff_dst, err));
    return own ? tr_channel_sums(program, diff_dst, tr_program_gradient(program, bias), err)
               : TR_OK;
}

tr_status tr_inner_product_backward_data(tr_program *program, tr_param *kernel, tr_value src,
                                         tr_value diff_dst, tr_hint hint, tr_value *diff_src,
                                         tr_error *err)
{
    if (tr_program_own(program) != NULL)
        return tr_own_inner_backward_data(program, kernel, src, diff_dst, diff_src, err);
    tr_weighted_layouts any;
    TR_TRY(any_layouts(program, TR_DIR_BACKWARD_DATA, kernel, NULL, src, &any, err));
    dnnl_primitive_desc_t desc;
    const dnnl_status_t status = tr_desc_inner_product_backward_data(
        &desc, tr_program_context(program), tr_layout_md(any.src), tr_layout_md(any.kernel),
        tr_layout_md(any.dst), hint);
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, "inner product's data gradient");
    const tr_meaning meaning = {.kind = TR_KIND_INNER_PRODUCT, .direction = TR_DIR_BACKWARD_DATA};
    return tr_weighted_backward_data(program, desc, &meaning, kernel, diff_dst, diff_src, err);
}
