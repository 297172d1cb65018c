/* weighted.h -- what convolution and inner product share: a kernel and a bias. For src/dnn only.
 *
 * Each takes over a primitive descriptor made with `any` layouts, brings the values at hand into
 * the layouts it chose, and appends it.
 */
#ifndef TR_WEIGHTED_H
#define TR_WEIGHTED_H

#include "program_internal.h"

/* The layouts a descriptor is asked with. NULL members: out of memory, except an absent bias. */
typedef struct tr_weighted_layouts {
    tr_layout src, kernel, bias, dst;
} tr_weighted_layouts;

/* Fills *layouts: `any` for a source like src, for a kernel of these dimensions and for dst, in the
 * types that `direction` computes with: gradients of weights are float32 at any precision. */
tr_status tr_weighted_any(tr_program *program, tr_direction direction, tr_value src,
                          int n_kernel_dims, const int64_t *kernel_dims, const tr_param *bias,
                          int n_dst_dims, const int64_t *dst_dims, tr_weighted_layouts *layouts,
                          tr_error *err);

/* The descriptor of a bias, or NULL without one. */
tr_md tr_bias_md(const tr_weighted_layouts *layouts);

/* `packed`: the kernel's layout in the flat vectors, if this is its first use; float32. */
tr_status tr_weighted_forward(tr_program *program, dnnl_primitive_desc_t desc,
                              const tr_meaning *meaning, tr_param *kernel, tr_layout plain,
                              tr_layout packed, tr_param *bias, tr_value src, tr_value *dst,
                              tr_hint *hint, tr_error *err);
/* `clear`: the gradient is set to 0 first, for a kernel that does not write all of it. */
tr_status tr_weighted_backward_weights(tr_program *program, dnnl_primitive_desc_t desc,
                                       const tr_meaning *meaning, const tr_param *kernel,
                                       const tr_param *bias, bool clear, tr_value src,
                                       tr_value diff_dst, tr_error *err);
tr_status tr_weighted_backward_data(tr_program *program, dnnl_primitive_desc_t desc,
                                    const tr_meaning *meaning, tr_param *kernel, tr_value diff_dst,
                                    tr_value *diff_src, tr_error *err);

#endif
