/* descriptors.h -- the part of oneDNN's C API that changed between 2.x and 3.x.
 *
 * CMake compiles descriptors_v2.c or descriptors_v3.c; nothing else in src/dnn depends on the
 * version. Every function returns a primitive descriptor in *desc; `hint` is the forward one.
 */
#ifndef TR_DESCRIPTORS_H
#define TR_DESCRIPTORS_H

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t tr_md;
#else
typedef const dnnl_memory_desc_t *tr_md;
#endif

/* What every creation needs. */
typedef struct tr_desc_context {
    dnnl_engine_t engine;
    const_dnnl_primitive_attr_t attr;
    dnnl_prop_kind_t prop;       /* forward_training or forward_inference */
    dnnl_alg_kind_t convolution; /* direct or winograd */
    const struct tr_program *program;
} tr_desc_context;

/* Of a descriptor that oneDNN offers: known to be wrong for the layer that the program plans, so
 * that its next implementation is asked for (dnnl_unimplemented: there is none); wrong_kernels.c.
 */
bool tr_kernel_is_wrong(const tr_desc_context *context, const_dnnl_primitive_desc_t desc);

/* Window of a convolution or pooling: {h, w} each, padding as TensorFlow places it. */
typedef struct tr_window {
    dnnl_dims_t kernel, strides, pad_before, pad_after;
    dnnl_dims_t dilates; /* of a convolution: pixels left out between neighbours */
} tr_window;

dnnl_status_t tr_desc_conv_forward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                   const tr_window *window, tr_md src, tr_md weights, tr_md bias,
                                   tr_md dst);
dnnl_status_t tr_desc_conv_backward_data(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                         const tr_window *window, tr_md diff_src, tr_md weights,
                                         tr_md diff_dst, const_dnnl_primitive_desc_t hint);
dnnl_status_t tr_desc_conv_backward_weights(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                            const tr_window *window, tr_md src, tr_md diff_weights,
                                            tr_md diff_bias, tr_md diff_dst,
                                            const_dnnl_primitive_desc_t hint);

dnnl_status_t tr_desc_inner_product_forward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                            tr_md src, tr_md weights, tr_md bias, tr_md dst);
dnnl_status_t tr_desc_inner_product_backward_data(dnnl_primitive_desc_t *desc,
                                                  tr_desc_context context, tr_md diff_src,
                                                  tr_md weights, tr_md diff_dst,
                                                  const_dnnl_primitive_desc_t hint);
dnnl_status_t tr_desc_inner_product_backward_weights(dnnl_primitive_desc_t *desc,
                                                     tr_desc_context context, tr_md src,
                                                     tr_md diff_weights, tr_md diff_bias,
                                                     tr_md diff_dst,
                                                     const_dnnl_primitive_desc_t hint);

dnnl_status_t tr_desc_pool_forward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                   dnnl_alg_kind_t algorithm, const tr_window *window, tr_md src,
                                   tr_md dst);
dnnl_status_t tr_desc_pool_backward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                    dnnl_alg_kind_t algorithm, const tr_window *window,
                                    tr_md diff_src, tr_md diff_dst,
                                    const_dnnl_primitive_desc_t hint);

/* An elementwise function: oneDNN's algorithm and its two numbers. */
typedef struct tr_eltwise {
    dnnl_alg_kind_t algorithm;
    float alpha, beta;
} tr_eltwise;

/* dst and src share one layout. Backward takes the forward's src, or its dst where the algorithm is
 * called ..._use_dst_...: `data`. */
dnnl_status_t tr_desc_eltwise_forward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                      tr_eltwise function, tr_md data);
dnnl_status_t tr_desc_eltwise_backward(dnnl_primitive_desc_t *desc, tr_desc_context context,
                                       tr_eltwise function, tr_md diff, tr_md data,
                                       const_dnnl_primitive_desc_t hint);

/* ---- attributes ---- */

/* An elementwise function applied to a result as it is written, after those appended before. */
dnnl_status_t tr_append_eltwise(dnnl_post_ops_t ops, tr_eltwise function);

/* Only implementations that give the same bits in every run. 2.x knows no others on a CPU. */
dnnl_status_t tr_attr_deterministic(dnnl_primitive_attr_t attr);

/* ---- memory descriptors ---- */

/* One descriptor: 2.x's is the struct itself, 3.x's a handle that the store owns. */
typedef struct tr_md_store {
    dnnl_memory_desc_t md;
} tr_md_store;

/* Fill *store with a descriptor of its own, also from a borrowed one; tr_md_of() borrows it;
 * tr_md_release() frees what 3.x holds. A store that could not be filled needs no release. */
dnnl_status_t tr_md_init(tr_md_store *store, int n_dims, const int64_t *dims, dnnl_data_type_t type,
                         dnnl_format_tag_t tag);
dnnl_status_t tr_md_copy(tr_md_store *store, tr_md md);
tr_md tr_md_of(const tr_md_store *store);
void tr_md_release(tr_md_store *store);
int tr_md_dims(tr_md md, int64_t *dims); /* returns their number */
dnnl_data_type_t tr_md_type(tr_md md);

/* How a blocked descriptor maps a position to an element of memory: per dimension, position =
 * outer * (product of its inner blocks) + inner; the outer ones have strides, the inner blocks lie
 * densely at the end, the last one fastest. Plain layouts have none. */
typedef struct tr_blocking {
    int n_dims;
    dnnl_dims_t dims, padded, strides; /* in elements */
    int64_t offset;                    /* of position 0 */
    int n_inner;
    dnnl_dims_t inner_size, inner_dim;
} tr_blocking;

/* False: the descriptor is of another kind and its memory is opaque. */
bool tr_md_blocking(tr_md md, tr_blocking *blocking);

/* The descriptor a primitive chose for an argument; NULL or of size 0 where it has none. Borrowed
 * from `desc`: copy what has to outlive it. */
tr_md tr_desc_query_md(const_dnnl_primitive_desc_t desc, dnnl_query_t what);

#endif
