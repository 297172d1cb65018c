/* conv_batch.h -- convolutions by our own kernels under test: one micro-batch through all three
 * directions, against a float64 definition and between instruction sets. Buffers have exactly the
 * sizes that are asked for, so that AddressSanitizer sees what is touched beside them.
 */
#ifndef CONV_BATCH_H
#define CONV_BATCH_H

#include "kernel_sets.h"

/* A micro-batch with its results in all directions. */
typedef struct conv_batch {
    tr_window_sizes s;
    int64_t src_count, dst_count, kernel_count;
    float *src, *kernel, *bias, *diff_dst;
    float *dst, *diff_src, *diff_kernel, *diff_bias;
} conv_batch;

conv_batch *conv_batch_new(const tr_window_sizes *s);
void conv_batch_free(conv_batch *b);

/* Of one direction, or all. */
void conv_forward(const tr_conv_kernels *k, conv_batch *b, const tr_epilogue *epilogue);
void conv_backward(const tr_conv_kernels *k, conv_batch *b);
void conv_run(const tr_conv_kernels *k, conv_batch *b);

/* What a convolution must pass, for sizes number i of a test. `of`: the kernels of a set. */
typedef const tr_conv_kernels *conv_of(const tr_kernels *set);
void conv_expect_right(const tr_window_sizes *sizes, int i, conv_of *of);
/* Also with numbers that are not finite. */
void conv_expect_same_bits(const tr_window_sizes *sizes, int i, conv_of *of);
/* The gradients are those of forward. */
void conv_expect_adjoint(const tr_window_sizes *sizes, int i, conv_of *of);
void conv_expect_functions(const tr_window_sizes *sizes, int i, conv_of *of);
/* An image's results are the same alone, with weights packed for all. */
void conv_expect_images_alone(const tr_window_sizes *sizes, int i, conv_of *of);
void conv_expect_bias_optional(const tr_window_sizes *sizes, int i, conv_of *of);

#endif
