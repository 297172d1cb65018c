/* own.h -- kernels of our own (kernels/kernels.h) as operations of a program. For src/dnn only.
 *
 * With [engine] kernels = fast or portable, the files that plan primitives ask tr_program_own() and
 * book these in place of oneDNN's. Values are then channels-last and parameters lie in Keras's
 * order, so that nothing has to be copied between them.
 */
#ifndef TR_OWN_H
#define TR_OWN_H

#include "kernels.h"
#include "program_internal.h"

/* The kernels of our own that this program uses; NULL: oneDNN's. */
const tr_kernels *tr_program_own(const tr_program *program);

/* The same, or with oneDNN's those that stand in for what it has no kernel of use for; NULL: this
 * CPU cannot run ours. */
const tr_kernels *tr_program_beside(const tr_program *program);

/* Weights in the order of a kernel, made in PREPARE by `native` (arguments: the parameter, the
 * packed floats), whose plan it takes over. The operation that reads them names the parameter, too,
 * as its weights, and these TR_ARG_PACKED. */
tr_status tr_program_packed(tr_program *program, tr_value param, const tr_native *native,
                            size_t n_floats, tr_value *out, tr_error *err);

/* A value as a kernel reads it: an image channels-last, in float32. */
tr_status tr_program_own_order(tr_program *program, tr_value *value, tr_error *err);

/* What a convolution or inner product does as it writes its result. */
tr_epilogue tr_own_epilogue(tr_activation fused);

/* "direct:avx2", for reports; the name lies in the native operation. */
void tr_own_name(tr_native *native, const char *algorithm, const tr_kernels *kernels);

/* The operations themselves: as in primitives.h. */
tr_status tr_own_conv_forward(tr_program *program, const tr_geometry *geometry, tr_activation fused,
                              tr_param *kernel, tr_param *bias, tr_value src, tr_value *dst,
                              tr_error *err);
tr_status tr_own_conv_backward_weights(tr_program *program, const tr_geometry *geometry,
                                       const tr_param *kernel, const tr_param *bias, tr_value src,
                                       tr_value diff_dst, tr_error *err);
tr_status tr_own_conv_backward_data(tr_program *program, const tr_geometry *geometry,
                                    tr_param *kernel, tr_value src, tr_value diff_dst,
                                    tr_value *diff_src, tr_error *err);

tr_status tr_own_inner_forward(tr_program *program, tr_activation fused, tr_param *kernel,
                               tr_param *bias, tr_value src, tr_value *dst, tr_error *err);
tr_status tr_own_inner_backward_weights(tr_program *program, const tr_param *kernel,
                                        const tr_param *bias, tr_value src, tr_value diff_dst,
                                        tr_error *err);
tr_status tr_own_inner_backward_data(tr_program *program, tr_param *kernel, tr_value src,
                                     tr_value diff_dst, tr_value *diff_src, tr_error *err);

tr_status tr_own_max_pool_forward(tr_program *program, const tr_geometry *geometry,
                                  tr_pool_tape *tape, tr_error *err);
tr_status tr_own_max_pool_backward(tr_program *program, const tr_geometry *geometry,
                                   const tr_pool_tape *tape, tr_value diff_dst, tr_value *diff_src,
                                   tr_error *err);

/* One elementary function of `activation`; `from` as its derivative wants it. */
tr_status tr_own_function_forward(tr_program *program, tr_activation activation,
                                  const tr_function *function, tr_value src, tr_value *dst,
                                  tr_error *err);
tr_status tr_own_function_backward(tr_program *program, tr_activation activation,
                                   const tr_function *function, tr_value from, tr_value diff_dst,
                                   tr_value *diff_src, tr_error *err);

#endif
