/* descriptors_v3.c -- oneDNN 3.x: a primitive descriptor at once, memory descriptors as handles.
 *
 * See descriptors.h. Nothing but translation stands here.
 */
#include "descriptors.h"

/* Elements that a window leaves out between its own: none. 3.x asks. */
static const dnnl_dims_t dense = {0};

/* The first implementation from *desc on that is not known to be wrong. */
static dnnl_status_t accepted(dnnl_primitive_desc_t *desc, const tr_desc_context *context,
                              dnnl_status_t status)
{
    if (status != dnnl_success)
        return status;
    while (status == dnnl_success && tr_kernel_is_wrong(context, *desc))
        status = dnnl_primitive_desc_next_impl(*desc);
    if (status == dnnl_success)
        return dnnl_success;
    dnnl_primitive_desc_destroy(*desc);
    return status == dnnl_last_impl_reached ? dnnl_unimplemented : status;
}

/* ---- convolution ---- */

dnnl_status_t tr_desc_conv_forward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                   const tr_window *window, tr_md src, tr_md weights, tr_md bias,
                                   tr_md dst)
{
    return accepted(desc, &context,
                    dnnl_convolution_forward_primitive_desc_create(
                        desc, context.engine, context.prop, context.convolution, src, weights, bias,
                        dst, window->strides, window->dilates, window->pad_before,
                        window->pad_after, context.attr));
}

dnnl_status_t tr_desc_conv_backward_data(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                         const tr_window *window, tr_md diff_src, tr_md weights,
                                         tr_md diff_dst, const_dnnl_primitive_desc_t hint)
{
    return accepted(desc, &context,
                    dnnl_convolution_backward_data_primitive_desc_create(
                        desc, context.engine, context.convolution, diff_src, weights, diff_dst,
                        window->strides, window->dilates, window->pad_before, window->pad_after,
                        hint, context.attr));
}

dnnl_status_t tr_desc_conv_backward_weights(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                            const tr_window *window, tr_md src, tr_md diff_weights,
                                            tr_md diff_bias, tr_md diff_dst,
                                            const_dnnl_primitive_desc_t hint)
{
    return accepted(desc, &context,
                    dnnl_convolution_backward_weights_primitive_desc_create(
                        desc, context.engine, context.convolution, src, diff_weights, diff_bias,
                        diff_dst, window->strides, window->dilates, window->pad_before,
                        window->pad_after, hint, context.attr));
}

/* ---- inner product ---- */

dnnl_status_t tr_desc_inner_product_forward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                            tr_md src, tr_md weights, tr_md bias, tr_md dst)
{
    return accepted(desc, &context,
                    dnnl_inner_product_forward_primitive_desc_create(
                        desc, context.engine, context.prop, src, weights, bias, dst, context.attr));
}

dnnl_status_t tr_desc_inner_product_backward_data(dnnl_primitive_desc_t *desc,
                                                  tr_desc_context context, tr_md diff_src,
                                                  tr_md weights, tr_md diff_dst,
                                                  const_dnnl_primitive_desc_t hint)
{
    return accepted(desc, &context,
                    dnnl_inner_product_backward_data_primitive_desc_create(
                        desc, context.engine, diff_src, weights, diff_dst, hint, context.attr));
}

dnnl_status_t tr_desc_inner_product_backward_weights(dnnl_primitive_desc_t *desc,
                                                     tr_desc_context context, tr_md src,
                                                     tr_md diff_weights, tr_md diff_bias,
                                                     tr_md diff_dst,
                                                     const_dnnl_primitive_desc_t hint)
{
    return accepted(
        desc, &context,
        dnnl_inner_product_backward_weights_primitive_desc_create(
            desc, context.engine, src, diff_weights, diff_bias, diff_dst, hint, context.attr));
}

/* ---- pooling ---- */

dnnl_status_t tr_desc_pool_forward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                   dnnl_alg_kind_t algorithm, const tr_window *window, tr_md src,
                                   tr_md dst)
{
    return accepted(desc, &context,
                    dnnl_pooling_forward_primitive_desc_create(
                        desc, context.engine, context.prop, algorithm, src, dst, window->strides,
                        window->kernel, dense, window->pad_before, window->pad_after,
                        context.attr));
}

dnnl_status_t tr_desc_pool_backward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                    dnnl_alg_kind_t algorithm, const tr_window *window,
                                    tr_md diff_src, tr_md diff_dst,
                                    const_dnnl_primitive_desc_t hint)
{
    return accepted(desc, &context,
                    dnnl_pooling_backward_primitive_desc_create(
                        desc, context.engine, algorithm, diff_src, diff_dst, window->strides,
                        window->kernel, dense, window->pad_before, window->pad_after, hint,
                        context.attr));
}

/* ---- elementwise: 3.x takes the layouts of both ends, here the same ---- */

dnnl_status_t tr_desc_eltwise_forward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                      tr_eltwise function, tr_md data)
{
    return accepted(desc, &context,
                    dnnl_eltwise_forward_primitive_desc_create(
                        desc, context.engine, context.prop, function.algorithm, data, data,
                        function.alpha, function.beta, context.attr));
}

dnnl_status_t tr_desc_eltwise_backward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                       tr_eltwise function, tr_md diff, tr_md data,
                                       const_dnnl_primitive_desc_t hint)
{
    return accepted(desc, &context,
                    dnnl_eltwise_backward_primitive_desc_create(
                        desc, context.engine, function.algorithm, diff, diff, data, function.alpha,
                        function.beta, hint, context.attr));
}

/* ---- attributes ---- */

dnnl_status_t tr_append_eltwise(dnnl_post_ops_t ops, tr_eltwise function)
{
    return dnnl_post_ops_append_eltwise(ops, function.algorithm, function.alpha, function.beta);
}

dnnl_status_t tr_attr_deterministic(dnnl_primitive_attr_t attr)
{
    return dnnl_primitive_attr_set_deterministic(attr, 1);
}

/* ---- memory descriptors: handles in 3.x ---- */

dnnl_status_t tr_md_init(tr_md_store *store, int n_dims, const int64_t *dims, dnnl_data_type_t type,
                         dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_create_with_tag(&store->md, n_dims, dims, type, tag);
}

dnnl_status_t tr_md_copy(tr_md_store *store, tr_md md)
{
    return dnnl_memory_desc_clone(&store->md, md);
}

tr_md tr_md_of(const tr_md_store *store)
{
    return store->md;
}

void tr_md_release(tr_md_store *store)
{
    dnnl_memory_desc_destroy(store->md);
    store->md = NULL;
}

int tr_md_dims(tr_md md, int64_t *dims)
{
    int n = 0;
    const dnnl_dims_t *all = NULL; /* borrowed from md */
    if (dnnl_memory_desc_query(md, dnnl_query_ndims_s32, &n) != dnnl_success ||
        dnnl_memory_desc_query(md, dnnl_query_dims, &all) != dnnl_success)
        return 0;
    for (int i = 0; i < n; i++)
        dims[i] = (*all)[i];
    return n;
}

dnnl_data_type_t tr_md_type(tr_md md)
{
    dnnl_data_type_t type = dnnl_data_type_undef;
    dnnl_memory_desc_query(md, dnnl_query_data_type, &type);
    return type;
}

/* Copies n numbers that belong to md. */
static bool query_dims(tr_md md, dnnl_query_t what, int n, dnnl_dims_t to)
{
    const dnnl_dims_t *from = NULL;
    if (dnnl_memory_desc_query(md, what, &from) != dnnl_success || from == NULL)
        return n == 0;
    for (int i = 0; i < n; i++)
        to[i] = (*from)[i];
    return true;
}

bool tr_md_blocking(tr_md md, tr_blocking *blocking)
{
    dnnl_format_kind_t kind = dnnl_format_kind_undef;
    *blocking = (tr_blocking){.n_dims = 0};
    dnnl_memory_desc_query(md, dnnl_query_format_kind, &kind);
    return kind == dnnl_blocked &&
           dnnl_memory_desc_query(md, dnnl_query_ndims_s32, &blocking->n_dims) == dnnl_success &&
           dnnl_memory_desc_query(md, dnnl_query_submemory_offset_s64, &blocking->offset) ==
               dnnl_success &&
           dnnl_memory_desc_query(md, dnnl_query_inner_nblks_s32, &blocking->n_inner) ==
               dnnl_success &&
           query_dims(md, dnnl_query_dims, blocking->n_dims, blocking->dims) &&
           query_dims(md, dnnl_query_padded_dims, blocking->n_dims, blocking->padded) &&
           query_dims(md, dnnl_query_strides, blocking->n_dims, blocking->strides) &&
           query_dims(md, dnnl_query_inner_blks, blocking->n_inner, blocking->inner_size) &&
           query_dims(md, dnnl_query_inner_idxs, blocking->n_inner, blocking->inner_dim);
}

tr_md tr_desc_query_md(const_dnnl_primitive_desc_t desc, dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(desc, what, 0);
}
