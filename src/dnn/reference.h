/* reference.h -- every operation of primitives.h in plain C and double precision, for verify.c.
 *
 * Written for the eye, not for speed, and without oneDNN. Tensors are plain arrays in logical order
 * (n c h w, o i h w, n c, x), the last dimension fastest.
 *
 * A result comes with a scale per element: the sum of the absolute values of the terms that were
 * added to make it. Floating point errs in proportion to that, not to the result, which may be
 * small because large terms cancel. A scale of 0 says that nothing can be rounded: an element that
 * is chosen or copied, or a sum without terms. The functions return the number of terms of the
 * longest sum.
 */
#ifndef TR_REFERENCE_H
#define TR_REFERENCE_H

#include "program_internal.h"

typedef struct tr_tensor {
    int n_dims;
    int64_t dims[4]; /* missing ones are 1 */
    double *values;
    double *scale; /* of results; NULL for sources */
} tr_tensor;

int64_t tr_tensor_elements(const tr_tensor *tensor);

/* ---- reference_conv.c ---- */

/* An inner product is the convolution whose window is the whole image. */
tr_geometry tr_reference_whole(const tr_tensor *src);

/* As tr_conv_...() in primitives.h; `bias` and `diff_bias` may be NULL. */
int64_t tr_reference_conv_forward(const tr_geometry *geometry, tr_activation fused,
                                  const tr_tensor *src, const tr_tensor *kernel,
                                  const tr_tensor *bias, tr_tensor *dst);
int64_t tr_reference_conv_backward_data(const tr_geometry *geometry, const tr_tensor *kernel,
                                        const tr_tensor *diff_dst, tr_tensor *diff_src);
int64_t tr_reference_conv_backward_weights(const tr_geometry *geometry, const tr_tensor *src,
                                           const tr_tensor *diff_dst, tr_tensor *diff_kernel,
                                           tr_tensor *diff_bias);

/* ---- reference.c ---- */

/* winners [elements of dst]: the index in src of each result. */
int64_t tr_reference_max_pool_forward(const tr_geometry *geometry, const tr_tensor *src,
                                      tr_tensor *dst, int64_t *winners);
int64_t tr_reference_max_pool_backward(const tr_geometry *geometry, const int64_t *winners,
                                       const tr_tensor *diff_dst, tr_tensor *diff_src);

/* Over the whole image; equal maxima share the gradient. */
int64_t tr_reference_global_max_forward(const tr_tensor *src, tr_tensor *dst);
int64_t tr_reference_global_max_backward(const tr_tensor *src, const tr_tensor *dst,
                                         const tr_tensor *diff_dst, tr_tensor *diff_src);

/* Over samples and pixels, of each channel. */
int64_t tr_reference_channel_sums(const tr_tensor *src, tr_tensor *sums);

int64_t tr_reference_average_pool_forward(const tr_geometry *geometry, const tr_tensor *src,
                                          tr_tensor *dst);
int64_t tr_reference_average_pool_backward(const tr_geometry *geometry, const tr_tensor *diff_dst,
                                           tr_tensor *diff_src);

/* As tr_pad_...() in primitives.h. */
int64_t tr_reference_pad_forward(const tr_geometry *geometry, const tr_tensor *src, tr_tensor *dst);
int64_t tr_reference_pad_backward(const tr_geometry *geometry, const tr_tensor *diff_dst,
                                  tr_tensor *diff_src);

/* Both directions: dst from src, or diff_src from diff_dst; reference_image.c. */
int64_t tr_reference_permute(const tr_axes *axes, bool forward, const tr_tensor *from,
                             tr_tensor *to);
int64_t tr_reference_resample(const tr_resampling *how, bool forward, const tr_tensor *from,
                              tr_tensor *to);
int64_t tr_reference_sample(const tr_sampling *how, bool forward, const tr_draw *draw,
                            const tr_tensor *from, tr_tensor *to);

/* reference_tinting.c; diff_dst NULL: forward. */
int64_t tr_reference_tint(const tr_tinting *how, const tr_draw *draw, const tr_tensor *src,
                          const tr_tensor *diff_dst, tr_tensor *to);
int64_t tr_reference_erase(const tr_erasing *how, bool forward, const tr_draw *draw,
                           const tr_tensor *from, tr_tensor *to);

/* Both directions: dst from src, or diff_src from diff_dst. */
int64_t tr_reference_dropout(const tr_dropping *dropping, bool forward, const tr_draw *draw,
                             const tr_tensor *src, tr_tensor *dst);

/* As tr_activity_...() in primitives.h. */
int64_t tr_reference_activity_forward(tr_penalty penalty, const tr_tensor *src, tr_tensor *costs);
int64_t tr_reference_activity_backward(tr_penalty penalty, const tr_draw *draw,
                                       const tr_tensor *src, const tr_tensor *diff_dst,
                                       tr_tensor *diff_src);

/* As tr_prelu_...(): dst; diff_src and the gradient of alpha, either NULL. */
int64_t tr_reference_prelu_forward(const tr_slopes *slopes, const tr_tensor *src,
                                   const tr_tensor *alpha, tr_tensor *dst);
int64_t tr_reference_prelu_backward(const tr_slopes *slopes, const tr_tensor *src,
                                    const tr_tensor *alpha, const tr_tensor *diff_dst,
                                    tr_tensor *diff_src, tr_tensor *diff_alpha);

/* ---- reference_normalization.c ---- */

/* As tr_normalize_...() in primitives.h, where gamma, beta, mean and variance may be NULL. */
int64_t tr_reference_normalize_forward(double epsilon, double least, tr_activation f,
                                       const tr_tensor *gamma, const tr_tensor *beta,
                                       const tr_tensor *mean, const tr_tensor *variance,
                                       const tr_tensor *src, tr_tensor *dst);
int64_t tr_reference_normalize_backward(double epsilon, double least, const tr_tensor *gamma,
                                        const tr_tensor *variance, const tr_tensor *diff_dst,
                                        tr_tensor *diff_src);

/* Both directions of the same with numbers of a configuration. */
int64_t tr_reference_scale(const tr_scaling *scaling, bool forward, const tr_tensor *from,
                           tr_tensor *to);

/* The operations of normalization.h, on what it says of sums and factors: `forward`, `backward`.
 * n_samples: those that are no padding. Gradients of gamma and beta may be NULL. */
int64_t tr_reference_sum_forward(const tr_sharing *sharing, int64_t n_samples, const tr_tensor *src,
                                 tr_tensor *sums);
int64_t tr_reference_sum_backward(const tr_sharing *sharing, tr_activation f, int64_t n_samples,
                                  const tr_tensor *src, const tr_tensor *forward,
                                  const tr_tensor *diff_dst, tr_tensor *sums, tr_tensor *diff_gamma,
                                  tr_tensor *diff_beta);
int64_t tr_reference_factors_forward(const tr_sharing *sharing, double epsilon,
                                     const tr_tensor *sums, const tr_tensor *gamma,
                                     const tr_tensor *beta, tr_tensor *forward);
int64_t tr_reference_factors_backward(const tr_sharing *sharing, const tr_tensor *sums,
                                      const tr_tensor *back_sums, const tr_tensor *forward,
                                      tr_tensor *backward);
int64_t tr_reference_group_averages(const tr_sharing *sharing, int64_t n_samples,
                                    const tr_tensor *sums, tr_tensor *averages);
/* mean and variance: what they were, and what they are to be. */
int64_t tr_reference_moving_statistics(double momentum, bool averaged, const tr_tensor *sums,
                                       tr_tensor *mean, tr_tensor *variance);
int64_t tr_reference_apply_forward(const tr_sharing *sharing, tr_activation f, const tr_tensor *src,
                                   const tr_tensor *forward, tr_tensor *dst);
int64_t tr_reference_apply_backward(const tr_sharing *sharing, tr_activation f, int64_t n_samples,
                                    const tr_tensor *src, const tr_tensor *forward,
                                    const tr_tensor *diff_dst, const tr_tensor *backward,
                                    tr_tensor *diff_src);

/* ---- reference_pixel.c ---- */

/* As tr_pixel_normalize_...() in primitives.h; gamma, beta and their gradients may be NULL. */
int64_t tr_reference_pixel_forward(double epsilon, const tr_tensor *src, const tr_tensor *gamma,
                                   const tr_tensor *beta, tr_tensor *dst);
int64_t tr_reference_pixel_backward(double epsilon, int64_t n_samples, const tr_tensor *src,
                                    const tr_tensor *gamma, const tr_tensor *diff_dst,
                                    tr_tensor *diff_src, tr_tensor *diff_gamma,
                                    tr_tensor *diff_beta);

/* ---- reference_merge.c ---- */

/* As tr_merge_...() and tr_concatenate_...() in primitives.h; backward for one source. */
int64_t tr_reference_merge(const tr_merging *merging, const tr_tensor *const *srcs, int n,
                           tr_tensor *dst);
int64_t tr_reference_maximum_backward(int64_t part, const tr_tensor *const *srcs, int n,
                                      const tr_tensor *diff_dst, tr_tensor *diff_src);
int64_t tr_reference_repeated_sums(const tr_tensor *whole, tr_tensor *part);
int64_t tr_reference_concatenate_forward(const tr_tensor *const *srcs, int n, tr_tensor *dst);
int64_t tr_reference_concatenate_backward(int64_t first, const tr_tensor *diff_dst,
                                          tr_tensor *diff_src);

/* ---- reference_eltwise.c ---- */

/* dst = src, exactly. */
int64_t tr_reference_copy(const tr_tensor *src, tr_tensor *dst);

/* `from`: the argument or the result, whichever eltwise.h says; any tensor where it says neither.
 */
int64_t tr_reference_function_forward(const tr_function *function, const tr_tensor *src,
                                      tr_tensor *dst);
int64_t tr_reference_function_backward(const tr_function *function, const tr_tensor *from,
                                       const tr_tensor *diff_dst, tr_tensor *diff_src);

/* Over dimension 1. */
int64_t tr_reference_softmax_forward(bool log, const tr_tensor *src, tr_tensor *dst);
int64_t tr_reference_softmax_backward(bool log, const tr_tensor *dst, const tr_tensor *diff_dst,
                                      tr_tensor *diff_src);

/* Applies an activation that fuses to a result in place. */
void tr_reference_fuse(tr_activation fused, tr_tensor *dst);

#endif
