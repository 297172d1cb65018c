/* descriptors_v2.c -- oneDNN 2.x: an operation descriptor first, a primitive descriptor from it.
 *
 * See descriptors.h. Nothing but translation stands here.
 */
#include "descriptors.h"

#include <string.h>

static dnnl_status_t create(dnnl_primitive_desc_t *desc, tr_desc_context context,
                            const_dnnl_op_desc_t operation, dnnl_status_t status,
                            const_dnnl_primitive_desc_t hint)
{
    dnnl_primitive_desc_iterator_t all;
    if (status != dnnl_success)
        return status;
    status =
        dnnl_primitive_desc_iterator_create(&all, operation, context.attr, context.engine, hint);
    if (status != dnnl_success)
        return status;
    do {
        *desc = dnnl_primitive_desc_iterator_fetch(all);
        if (*desc == NULL || !tr_kernel_is_wrong(&context, *desc))
            break;
        dnnl_primitive_desc_destroy(*desc);
        *desc = NULL;
        status = dnnl_primitive_desc_iterator_next(all);
    } while (status == dnnl_success);
    dnnl_primitive_desc_iterator_destroy(all);
    if (status == dnnl_success && *desc == NULL)
        return dnnl_out_of_memory;
    return status == dnnl_iterator_ends ? dnnl_unimplemented : status;
}

/* ---- convolution ---- */

dnnl_status_t tr_desc_conv_forward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                   const tr_window *window, tr_md src, tr_md weights, tr_md bias,
                                   tr_md dst)
{
    dnnl_convolution_desc_t operation;
    const dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(
        &operation, context.prop, context.convolution, src, weights, bias, dst, window->strides,
        window->dilates, window->pad_before, window->pad_after);
    return create(desc, context, &operation, status, NULL);
}

dnnl_status_t tr_desc_conv_backward_data(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                         const tr_window *window, tr_md diff_src, tr_md weights,
                                         tr_md diff_dst, const_dnnl_primitive_desc_t hint)
{
    dnnl_convolution_desc_t operation;
    const dnnl_status_t status = dnnl_dilated_convolution_backward_data_desc_init(
        &operation, context.convolution, diff_src, weights, diff_dst, window->strides,
        window->dilates, window->pad_before, window->pad_after);
    return create(desc, context, &operation, status, hint);
}

dnnl_status_t tr_desc_conv_backward_weights(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                            const tr_window *window, tr_md src, tr_md diff_weights,
                                            tr_md diff_bias, tr_md diff_dst,
                                            const_dnnl_primitive_desc_t hint)
{
    dnnl_convolution_desc_t operation;
    const dnnl_status_t status = dnnl_dilated_convolution_backward_weights_desc_init(
        &operation, context.convolution, src, diff_weights, diff_bias, diff_dst, window->strides,
        window->dilates, window->pad_before, window->pad_after);
    return create(desc, context, &operation, status, hint);
}

/* ---- inner product ---- */

dnnl_status_t tr_desc_inner_product_forward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                            tr_md src, tr_md weights, tr_md bias, tr_md dst)
{
    dnnl_inner_product_desc_t operation;
    const dnnl_status_t status =
        dnnl_inner_product_forward_desc_init(&operation, context.prop, src, weights, bias, dst);
    return create(desc, context, &operation, status, NULL);
}

dnnl_status_t tr_desc_inner_product_backward_data(dnnl_primitive_desc_t *desc,
                                                  tr_desc_context context, tr_md diff_src,
                                                  tr_md weights, tr_md diff_dst,
                                                  const_dnnl_primitive_desc_t hint)
{
    dnnl_inner_product_desc_t operation;
    const dnnl_status_t status =
        dnnl_inner_product_backward_data_desc_init(&operation, diff_src, weights, diff_dst);
    return create(desc, context, &operation, status, hint);
}

dnnl_status_t tr_desc_inner_product_backward_weights(dnnl_primitive_desc_t *desc,
                                                     tr_desc_context context, tr_md src,
                                                     tr_md diff_weights, tr_md diff_bias,
                                                     tr_md diff_dst,
                                                     const_dnnl_primitive_desc_t hint)
{
    dnnl_inner_product_desc_t operation;
    const dnnl_status_t status = dnnl_inner_product_backward_weights_desc_init(
        &operation, src, diff_weights, diff_bias, diff_dst);
    return create(desc, context, &operation, status, hint);
}

/* ---- pooling ---- */

dnnl_status_t tr_desc_pool_forward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                   dnnl_alg_kind_t algorithm, const tr_window *window, tr_md src,
                                   tr_md dst)
{
    dnnl_pooling_desc_t operation;
    const dnnl_status_t status = dnnl_pooling_forward_desc_init(
        &operation, context.prop, algorithm, src, dst, window->strides, window->kernel,
        window->pad_before, window->pad_after);
    return create(desc, context, &operation, status, NULL);
}

dnnl_status_t tr_desc_pool_backward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                    dnnl_alg_kind_t algorithm, const tr_window *window,
                                    tr_md diff_src, tr_md diff_dst,
                                    const_dnnl_primitive_desc_t hint)
{
    dnnl_pooling_desc_t operation;
    const dnnl_status_t status =
        dnnl_pooling_backward_desc_init(&operation, algorithm, diff_src, diff_dst, window->strides,
                                        window->kernel, window->pad_before, window->pad_after);
    return create(desc, context, &operation, status, hint);
}

/* ---- elementwise ---- */

dnnl_status_t tr_desc_eltwise_forward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                      tr_eltwise function, tr_md data)
{
    dnnl_eltwise_desc_t operation;
    const dnnl_status_t status = dnnl_eltwise_forward_desc_init(
        &operation, context.prop, function.algorithm, data, function.alpha, function.beta);
    return create(desc, context, &operation, status, NULL);
}

dnnl_status_t tr_desc_eltwise_backward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                       tr_eltwise function, tr_md diff, tr_md data,
                                       const_dnnl_primitive_desc_t hint)
{
    dnnl_eltwise_desc_t operation;
    const dnnl_status_t status = dnnl_eltwise_backward_desc_init(
        &operation, function.algorithm, diff, data, function.alpha, function.beta);
    return create(desc, context, &operation, status, hint);
}

/* ---- attributes ---- */

dnnl_status_t tr_append_eltwise(dnnl_post_ops_t ops, tr_eltwise function)
{
    return dnnl_post_ops_append_eltwise(ops, 1.0f, function.algorithm, function.alpha,
                                        function.beta);
}

dnnl_status_t tr_attr_deterministic(dnnl_primitive_attr_t attr)
{
    (void)attr;
    return dnnl_success;
}

/* ---- memory descriptors: plain structs in 2.x ---- */

dnnl_status_t tr_md_init(tr_md_store *store, int n_dims, const int64_t *dims, dnnl_data_type_t type,
                         dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_init_by_tag(&store->md, n_dims, dims, type, tag);
}

dnnl_status_t tr_md_copy(tr_md_store *store, tr_md md)
{
    store->md = *md;
    return dnnl_success;
}

tr_md tr_md_of(const tr_md_store *store)
{
    return &store->md;
}

void tr_md_release(tr_md_store *store)
{
    (void)store;
}

int tr_md_dims(tr_md md, int64_t *dims)
{
    for (int i = 0; i < md->ndims; i++)
        dims[i] = md->dims[i];
    return md->ndims;
}

dnnl_data_type_t tr_md_type(tr_md md)
{
    return md->data_type;
}

bool tr_md_blocking(tr_md md, tr_blocking *blocking)
{
    if (md->format_kind != dnnl_blocked)
        return false;
    const dnnl_blocking_desc_t *from = &md->format_desc.blocking;
    *blocking =
        (tr_blocking){.n_dims = md->ndims, .offset = md->offset0, .n_inner = from->inner_nblks};
    memcpy(blocking->dims, md->dims, sizeof blocking->dims);
    memcpy(blocking->padded, md->padded_dims, sizeof blocking->padded);
    memcpy(blocking->strides, from->strides, sizeof blocking->strides);
    memcpy(blocking->inner_size, from->inner_blks, sizeof blocking->inner_size);
    memcpy(blocking->inner_dim, from->inner_idxs, sizeof blocking->inner_dim);
    return true;
}

tr_md tr_desc_query_md(const_dnnl_primitive_desc_t desc, dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(desc, what, 0);
}
