/* kernels.h -- kernels of our own: the same bits on every instruction set.
 *
 * Each kernel is one source, written once over vector.h and compiled for every instruction set;
 * a tr_kernels is the table of one of them. At the head of each source stands the order of its
 * sums: the chain of operations behind each element of a result. It knows neither the width of a
 * vector nor the blocking, so that a result is a property of the numbers and the sizes. What makes
 * it so: every multiply-add is written as one (fma) and no other is contracted, no estimates of
 * reciprocals, exp and its kin from these operations alone, and denormals are flushed (the caller
 * sets that mode).
 *
 * Everything is float32, images lie channels-last (n h w c) and dense, kernels in Keras's order
 * (kh kw ic oc), or (inputs, units). A function works on one micro-batch in the calling thread,
 * allocates nothing and keeps nothing. `packed` are weights in the order that a kernel reads them
 * in, made once a step; `scratch` is memory of the size that it asks for, aligned to 64 bytes and
 * of no use afterwards. Results are written in full; sources must not overlap them.
 */
#ifndef TR_KERNELS_H
#define TR_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "function.h"

/* A window sliding over images. What sticks out behind follows from the sizes. */
typedef struct tr_window_sizes {
    int64_t n, ih, iw, ic; /* source */
    int64_t oh, ow, oc;    /* result; of a pooling oc = ic */
    int64_t kh, kw, sh, sw;
    int64_t top, left; /* rows and columns of padding before the source */
    /* Of convolutions: rows and columns left out between neighbours of the window; groups that the
     * channels are divided into, each convolved by itself: kernels are (kh kw ic/groups oc), where
     * oc counts group after group. 0 groups are one. */
    int64_t dh, dw, groups;
} tr_window_sizes;

typedef struct tr_inner_sizes {
    int64_t n, inputs, units;
} tr_inner_sizes;

/* What happens to a result as it is written: + bias[channel], then the functions in turn. */
enum { TR_MAX_FUNCTIONS = 2 };
typedef struct tr_epilogue {
    const float *bias; /* NULL: none */
    tr_function functions[TR_MAX_FUNCTIONS];
    int n_functions;
} tr_epilogue;

/* Convolution (cross-correlation) by one algorithm; the padding is zeros. */
typedef struct tr_conv_kernels {
    const char *name; /* "direct", "winograd", "split", "depthwise" */
    bool (*takes)(const tr_window_sizes *sizes);

    size_t (*forward_packed)(const tr_window_sizes *sizes); /* floats */
    void (*pack_forward)(const tr_window_sizes *sizes, const float *kernel, float *packed);
    size_t (*forward_scratch)(const tr_window_sizes *sizes); /* bytes */
    void (*forward)(const tr_window_sizes *sizes, const float *src, const float *packed,
                    const tr_epilogue *epilogue, float *dst, void *scratch);

    size_t (*backward_data_packed)(const tr_window_sizes *sizes);
    void (*pack_backward_data)(const tr_window_sizes *sizes, const float *kernel, float *packed);
    size_t (*backward_data_scratch)(const tr_window_sizes *sizes);
    void (*backward_data)(const tr_window_sizes *sizes, const float *diff_dst, const float *packed,
                          float *diff_src, void *scratch);

    size_t (*backward_weights_scratch)(const tr_window_sizes *sizes);
    /* diff_bias may be NULL. */
    void (*backward_weights)(const tr_window_sizes *sizes, const float *src, const float *diff_dst,
                             float *diff_kernel, float *diff_bias, void *scratch);
} tr_conv_kernels;

/* dst[n, units] = epilogue(src[n, inputs] . kernel[inputs, units]). */
typedef struct tr_inner_kernels {
    size_t (*forward_packed)(const tr_inner_sizes *sizes);
    void (*pack_forward)(const tr_inner_sizes *sizes, const float *kernel, float *packed);
    size_t (*forward_scratch)(const tr_inner_sizes *sizes);
    void (*forward)(const tr_inner_sizes *sizes, const float *src, const float *packed,
                    const tr_epilogue *epilogue, float *dst, void *scratch);

    size_t (*backward_data_packed)(const tr_inner_sizes *sizes);
    void (*pack_backward_data)(const tr_inner_sizes *sizes, const float *kernel, float *packed);
    size_t (*backward_data_scratch)(const tr_inner_sizes *sizes);
    void (*backward_data)(const tr_inner_sizes *sizes, const float *diff_dst, const float *packed,
                          float *diff_src, void *scratch);

    size_t (*backward_weights_scratch)(const tr_inner_sizes *sizes);
    void (*backward_weights)(const tr_inner_sizes *sizes, const float *src, const float *diff_dst,
                             float *diff_kernel, float *diff_bias, void *scratch);
} tr_inner_kernels;

/* Max pooling: padding never wins, ties go to the first in row order. `winners`, for backward, is
 * NULL where none follows. */
typedef struct tr_max_pool_kernels {
    size_t (*winners)(const tr_window_sizes *sizes); /* bytes */
    void (*forward)(const tr_window_sizes *sizes, const float *src, float *dst, void *winners);
    void (*backward)(const tr_window_sizes *sizes, const float *diff_dst, const void *winners,
                     float *diff_src);
} tr_max_pool_kernels;

/* An elementary function of `count` numbers; dst may be src. Backward: diff_src = diff_dst times
 * the derivative, taken from the result for relu, elu, logistic, tanh, clip, threshold, exp,
 * softsign and the two that shrink by alpha, from the argument for the others (which linear does
 * not look at).
 */
typedef struct tr_function_kernels {
    void (*forward)(const tr_function *function, int64_t count, const float *src, float *dst);
    void (*backward)(const tr_function *function, int64_t count, const float *from,
                     const float *diff_dst, float *diff_src);
} tr_function_kernels;

typedef struct tr_kernels {
    const char *name; /* of the instruction set: "avx2" */
    int width;        /* floats of a vector */
    const tr_conv_kernels *direct, *winograd, *split, *depthwise;
    const tr_inner_kernels *inner;
    const tr_max_pool_kernels *max_pool;
    const tr_function_kernels *function;
} tr_kernels;

/* In the order in which they are preferred. */
typedef enum tr_instruction_set {
    TR_SET_SCALAR, /* with a fused multiply-add */
    TR_SET_NEON,
    TR_SET_AVX2,
    TR_SET_AVX512,
    TR_N_SETS
} tr_instruction_set;

/* The kernels of an instruction set; NULL where this CPU, or this build, does not have it. */
const tr_kernels *tr_kernels_of(tr_instruction_set set);

/* Of the most preferred one up to `limit`; NULL: not even a fused multiply-add is there. */
const tr_kernels *tr_kernels_best(tr_instruction_set limit);

/* `kernels`, or those with vectors half as wide where so few channels fill no more than these: the
 * bits are the same, the time is not. */
const tr_kernels *tr_kernels_filled_by(const tr_kernels *kernels, int64_t channels);

#endif
