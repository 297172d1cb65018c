/* primitives.h -- what layers build networks from: oneDNN's operations, planned into a program.
 *
 * Every function appends to the program's current phase and returns new values. Layouts are asked
 * for with `any` and reordered where the answer differs from what is at hand: reusing the forward's
 * layouts in backward can fall to a reference kernel a thousand times slower. `*_hint` carries the
 * forward's plan to its backward; it belongs to the program. All of it is float32.
 */
#ifndef TR_PRIMITIVES_H
#define TR_PRIMITIVES_H

#include "function.h"
#include "penalty.h"
#include "program.h"
#include "section.h"

typedef void *tr_hint; /* a forward primitive descriptor; borrowed from the program */

/* ---- vector.c ---- */

/* A tensor as [n, h*w*c] in Keras's order, float32; and the gradient of such a vector as that of
 * the tensor `like` it was made from. */
tr_status tr_program_vector(tr_program *program, tr_value value, tr_value *vector, tr_error *err);
tr_status tr_program_unvector(tr_program *program, tr_value diff, tr_value like, tr_value *out,
                              tr_error *err);

/* The elements of a tensor in Keras's order under other dimensions, an image's (n c h w) or a
 * vector's (n c): itself where it has them, else float32. */
tr_status tr_program_reshape(tr_program *program, tr_value value, int n_dims, const int64_t *dims,
                             tr_value *out, tr_error *err);

/* ---- activation.c ---- */

typedef enum tr_activation_name {
    TR_LINEAR,
    TR_RELU,
    TR_SIGMOID,
    TR_TANH,
    TR_SOFTMAX,    /* over the channels: Keras's last axis */
    TR_LEAKY_RELU, /* negative_slope 0.2 */
    TR_ELU,        /* alpha 1 */
    TR_SELU,
    TR_GELU,         /* by erf, not the approximation by tanh */
    TR_HARD_SIGMOID, /* Keras 3: clip(x / 6 + 0.5, 0, 1) */
    TR_SOFTPLUS,
    TR_SWISH,
    TR_RELU6,
    TR_HARD_TANH,
    TR_SPARSE_SIGMOID,
    TR_CELU, /* alpha 1 */
    TR_SILU, /* swish */
    TR_HARD_SWISH,
    TR_HARD_SILU, /* the same */
    TR_MISH,
    TR_EXPONENTIAL,
    TR_SOFTSIGN,
    TR_LOG_SIGMOID,
    TR_SQUAREPLUS, /* b 4 */
    TR_SPARSE_PLUS,
    TR_SOFT_SHRINK, /* threshold 0.5 */
    TR_HARD_SHRINK, /* likewise */
    TR_TANH_SHRINK,
    TR_LOG_SOFTMAX, /* as softmax */
    TR_N_ACTIVATIONS
} tr_activation_name;

/* Keras's names, in the order of tr_activation_name, NULL-terminated. */
extern const char *const tr_activation_names[TR_N_ACTIVATIONS + 1];

/* A chain of elementary functions with numbers of their own: that of a name, or of a layer that has
 * numbers for it, whose name is then that of its kin. All 0: linear. */
enum { TR_MAX_STEPS = 2 };
typedef struct tr_activation {
    tr_activation_name name;
    int n_steps; /* none: linear; the two of softmax, which are no chains */
    tr_function steps[TR_MAX_STEPS];
} tr_activation;

/* The one that has that name in Keras. */
tr_activation tr_activation_named(tr_activation_name name);

#define TR_NOTHING_FUSED ((tr_activation){TR_LINEAR, 0, {{TR_FN_LINEAR, 0, 0}}})

bool tr_activation_is_linear(tr_activation activation);

/* softmax and log_softmax, which take all channels of a pixel, or all of a vector. */
bool tr_activation_is_over_channels(tr_activation activation);

/* Whether it is min(max(x, low), high), as linear and relu are, too. */
typedef struct tr_bounds {
    float low, high;
} tr_bounds;
bool tr_activation_cuts(tr_activation activation, tr_bounds *bounds);

/* The derivative may be taken after a max-pooling that follows, on fewer elements, with identical
 * values: it is computed from the result, and 0 or 1. */
bool tr_activation_commutes_with_max(tr_activation activation);

/* Whether convolution and inner product can apply it as they write their result. */
bool tr_activation_fuses(tr_activation activation);

/* What forward leaves for backward: argument and result of each elementary step. */
typedef struct tr_activation_tape {
    tr_value values[TR_MAX_STEPS + 1];
} tr_activation_tape;

/* dst = f(src), per element; softmax: exp(src - max) / sum over channels, and the log of it. */
tr_status tr_activation_forward(tr_program *program, tr_activation activation, tr_value src,
                                tr_activation_tape *tape, tr_value *dst, tr_error *err);

/* The tape of an activation that was fused: its result is all there is. */
tr_activation_tape tr_activation_fused_tape(tr_activation activation, tr_value dst);

/* diff_src = diff_dst * f'. The values that f' needs stay alive until here. */
tr_status tr_activation_backward(tr_program *program, tr_activation activation,
                                 const tr_activation_tape *tape, tr_value diff_dst,
                                 tr_value *diff_src, tr_error *err);

/* ---- windows: convolution.c, pooling.c, padding.c ---- */

/* A window sliding over an image; {height, width} each. */
typedef struct tr_geometry {
    int64_t kernel[2], strides[2];
    int64_t pad_before[2], pad_after[2]; /* top, left; bottom, right */
    int64_t out[2];                      /* size of the result */
    /* Of convolutions: pixels left out between neighbours of the window; parts that the channels
     * are divided into, each convolved by itself. 0: none. */
    int64_t dilates[2], groups;
} tr_geometry;

/* dst[n,oc,oh,ow] = fused(bias[oc] + sum over ic,kh,kw of src * kernel). `bias` may be NULL.
 * kernel->dims are Keras's: (kh, kw, ic / groups, oc), or, with a group for each channel,
 * (kh, kw, ic, oc / ic), which are the same numbers in the same order. */
tr_status tr_conv_forward(tr_program *program, const tr_geometry *geometry, tr_activation fused,
                          tr_param *kernel, tr_param *bias, tr_value src, tr_value *dst,
                          tr_hint *hint, tr_error *err);
tr_status tr_conv_backward_weights(tr_program *program, const tr_geometry *geometry,
                                   const tr_param *kernel, const tr_param *bias, tr_value src,
                                   tr_value diff_dst, tr_hint hint, tr_error *err);
tr_status tr_conv_backward_data(tr_program *program, const tr_geometry *geometry, tr_param *kernel,
                                tr_value src, tr_value diff_dst, tr_hint hint, tr_value *diff_src,
                                tr_error *err);

/* ---- transposed_convolution.c ---- */

/* The gradient of a convolution's source as a layer: dst = bias + that source's gradient where src
 * is the result's. `geometry` and kernel (kh, kw, dst's channels, src's) are that convolution's,
 * from dst, whose dimensions are n c h w, to src. */
tr_status tr_transposed_forward(tr_program *program, const tr_geometry *geometry,
                                tr_activation fused, tr_param *kernel, tr_param *bias, tr_value src,
                                const int64_t dims[4], tr_value *dst, tr_error *err);
tr_status tr_transposed_backward_weights(tr_program *program, const tr_geometry *geometry,
                                         tr_param *kernel, const tr_param *bias, tr_value src,
                                         tr_value diff_dst, tr_error *err);
tr_status tr_transposed_backward_data(tr_program *program, const tr_geometry *geometry,
                                      tr_param *kernel, tr_value diff_dst, tr_value *diff_src,
                                      tr_error *err);

/* ---- inner_product.c ---- */

/* dst[n,units] = fused(bias + src . kernel). src is [n,c] or an image [n,c,h,w], taken in Keras's
 * Flatten order (h, w, c) whatever its layout. kernel->dims are Keras's (inputs, units). */
tr_status tr_inner_product_forward(tr_program *program, tr_activation fused, tr_param *kernel,
                                   tr_param *bias, tr_value src, tr_value *dst, tr_hint *hint,
                                   tr_error *err);
tr_status tr_inner_product_backward_weights(tr_program *program, const tr_param *kernel,
                                            const tr_param *bias, tr_value src, tr_value diff_dst,
                                            tr_hint hint, tr_error *err);
tr_status tr_inner_product_backward_data(tr_program *program, tr_param *kernel, tr_value src,
                                         tr_value diff_dst, tr_hint hint, tr_value *diff_src,
                                         tr_error *err);

/* ---- pooling.c ---- */

/* Max: padding never wins, ties go to the first element in row order. Average: of the elements that
 * are not padding, as TensorFlow has it. Global max, of a window that is the whole image: ties
 * share the gradient. */
typedef enum tr_pooling { TR_POOLING_MAX, TR_POOLING_AVERAGE, TR_POOLING_GLOBAL_MAX } tr_pooling;

/* What forward gets and leaves for backward. `workspace` remembers the winners of a max pooling
 * (TR_NO_VALUE otherwise, and in an inference program). */
typedef struct tr_pool_tape {
    tr_value src, dst, workspace;
    tr_hint hint;
} tr_pool_tape;

/* tape->dst = max or average over the window of tape->src. */
tr_status tr_pool_forward(tr_program *program, tr_pooling pooling, const tr_geometry *geometry,
                          tr_pool_tape *tape, tr_error *err);
tr_status tr_pool_backward(tr_program *program, tr_pooling pooling, const tr_geometry *geometry,
                           const tr_pool_tape *tape, tr_value diff_dst, tr_value *diff_src,
                           tr_error *err);

/* ---- padding.c ---- */

/* dst = src with rows and columns of zeros around it: pad_before and pad_after of the geometry,
 * which also has the size of the result. Backward leaves their gradient out. */
tr_status tr_pad_forward(tr_program *program, const tr_geometry *geometry, tr_value src,
                         tr_value *dst, tr_error *err);
tr_status tr_pad_backward(tr_program *program, const tr_geometry *geometry, tr_value diff_dst,
                          tr_value *diff_src, tr_error *err);

/* dst = src without the rows and columns of that frame: the geometry has the size of src as `out`.
 * Backward gives them 0. */
tr_status tr_crop_forward(tr_program *program, const tr_geometry *geometry, tr_value src,
                          tr_value *dst, tr_error *err);
tr_status tr_crop_backward(tr_program *program, const tr_geometry *geometry, tr_value diff_dst,
                           tr_value *diff_src, tr_error *err);

/* ---- permutation.c ---- */

/* Axis i of the result, of height, width, channels, is axis axes[i] of the source. */
typedef struct tr_axes {
    int of[3];
} tr_axes;
tr_status tr_permute_forward(tr_program *program, const tr_axes *axes, tr_value src, tr_value *dst,
                             tr_error *err);
tr_status tr_permute_backward(tr_program *program, const tr_axes *axes, tr_value diff_dst,
                              tr_value *diff_src, tr_error *err);

/* ---- resampling.c ---- */

/* An image made `size` times as high and wide. Nearest: each pixel becomes a block. Bilinear: a
 * weighted mean of up to four pixels, whose centres are at 0.5, 1.5, ... in both images; beyond
 * the outermost centres, the pixel there. */
typedef struct tr_resampling {
    int64_t size[2];
    bool bilinear;
} tr_resampling;
tr_status tr_resample_forward(tr_program *program, const tr_resampling *how, tr_value src,
                              tr_value *dst, tr_error *err);
tr_status tr_resample_backward(tr_program *program, const tr_resampling *how, tr_value diff_dst,
                               tr_value *diff_src, tr_error *err);

/* ---- affine.c ---- */

/* Where the pixel in column x and row y of a result lies in its source: column a x + b y + c, row
 * d x + e y + f. */
typedef struct tr_affine {
    float a, b, c, d, e, f;
} tr_affine;

/* What lies beyond the rim of |abcd|: dcba|abcd|dcba, abcd|abcd|abcd, a number, aaaa|abcd|dddd. */
typedef enum tr_fill_mode {
    TR_FILL_REFLECT,
    TR_FILL_WRAP,
    TR_FILL_CONSTANT,
    TR_FILL_NEAREST
} tr_fill_mode;

/* Random numbers in [0, 1) that each sample has for itself in each augmenting layer and update. */
enum { TR_N_CHANCES = 8 };

/* How images become others of `out` height and width, each by a map of its own. */
typedef struct tr_sampling {
    int64_t out[2];
    int fill_mode; /* tr_fill_mode */
    bool bilinear; /* else the nearest pixel */
    double fill_value;
    bool random;    /* else no chances are drawn */
    uint32_t layer; /* part of their address */
    /* The map of a sample; `settings` stay where they are as long as the program. */
    void (*map)(const void *settings, const float chances[TR_N_CHANCES], tr_affine *map);
    const void *settings;
} tr_sampling;

/* dst = src at the places of its map, by the rules and in the float32 of TensorFlow's
 * ImageProjectiveTransformV3. *maps is for backward, which is the exact adjoint. */
tr_status tr_sample_forward(tr_program *program, const tr_sampling *how, tr_value src,
                            tr_value *dst, tr_value *maps, tr_error *err);
tr_status tr_sample_backward(tr_program *program, const tr_sampling *how, tr_value src,
                             tr_value maps, tr_value diff_dst, tr_value *diff_src, tr_error *err);

/* ---- tinting.c ---- */

/* What an image moves to or away from: nothing, each channel's mean, what each pixel is without
 * colour (of three channels: red, green, blue), and the image smoothed (3 x 3, the middle counts
 * five, zeros around it). */
typedef enum tr_tint_base { TR_TINT_ZERO, TR_TINT_MEAN, TR_TINT_GREY, TR_TINT_SMOOTH } tr_tint_base;

typedef struct tr_tint {
    float factor, shift;
} tr_tint;

typedef struct tr_tinting {
    tr_tint_base base;
    double low, high; /* what the result is kept between */
    uint32_t layer;   /* part of the chances' address */
    /* The tint of a sample; `settings` stay where they are as long as the program. */
    tr_tint (*tint)(const void *settings, const float chances[TR_N_CHANCES]);
    const void *settings;
} tr_tinting;

/* dst = min(max((src - base) factor + base + shift, low), high), in float32; base is a function of
 * src. For training programs. */
tr_status tr_tint_forward(tr_program *program, const tr_tinting *how, tr_value src, tr_value *dst,
                          tr_value *tints, tr_error *err);
tr_status tr_tint_backward(tr_program *program, const tr_tinting *how, tr_value src, tr_value tints,
                           tr_value diff_dst, tr_value *diff_src, tr_error *err);

/* ---- erasing.c ---- */

/* A rectangle of an image; rows y0 <= y < y1, columns likewise. Empty: nothing. */
typedef struct tr_rectangle {
    float y0, y1, x0, x1;
} tr_rectangle;

typedef struct tr_erasing {
    int n_fills; /* values of `fill`: one for all channels, or one for each; 0: normal numbers ...
                  */
    const double *fill;
    double deviation; /* ... of mean 0 and that deviation, of each element for itself */
    double low, high; /* what a filling is kept between */
    uint32_t layer;   /* part of the chances' address */
    tr_rectangle (*rectangle)(const void *settings, const float chances[TR_N_CHANCES]);
    const void *settings;
} tr_erasing;

/* dst = src with the sample's rectangle filled. For training programs. */
tr_status tr_erase_forward(tr_program *program, const tr_erasing *how, tr_value src, tr_value *dst,
                           tr_value *rectangles, tr_error *err);
tr_status tr_erase_backward(tr_program *program, const tr_erasing *how, tr_value rectangles,
                            tr_value diff_dst, tr_value *diff_src, tr_error *err);

/* ---- prelu.c ---- */

/* Where alpha has the slope of a number: from one to the next along an axis; 0: it is shared. */
typedef struct tr_slopes {
    int64_t step_h, step_w, step_c;
} tr_slopes;

/* dst = x > 0 ? x : alpha x, in float32. Backward writes the gradient of alpha where it is trained;
 * diff_src NULL: nothing else. */
tr_status tr_prelu_forward(tr_program *program, const tr_slopes *slopes, tr_param *alpha,
                           tr_value src, tr_value *dst, tr_error *err);
tr_status tr_prelu_backward(tr_program *program, const tr_slopes *slopes, tr_param *alpha,
                            tr_value src, tr_value diff_dst, tr_value *diff_src, tr_error *err);

/* ---- dropping.c ---- */

/* What randomness does to an element x, kept with probability p, with a standard normal z; and
 * a and b so that what has mean 0 and variance 1 keeps both. */
typedef enum tr_drop {
    TR_DROP_ELEMENTS,    /* kept ? x / p : 0 */
    TR_DROP_CHANNELS,    /* the same for all pixels of a channel */
    TR_DROP_TO_ALPHA,    /* a (kept ? x : -selu's limit) + b */
    TR_NOISE_ADDED,      /* x + deviation z */
    TR_NOISE_MULTIPLIED, /* x (1 + deviation z) */
} tr_drop;

typedef struct tr_dropping {
    tr_drop how;
    uint32_t layer;         /* < 2^24: part of the address, with what tr_replica_set_draw() said */
    uint32_t keep_of_65536; /* p in steps of 1/65536, the nearest to 1 - rate */
    float deviation;
} tr_dropping;

/* `rate` in [0, 1); of noise the deviation. */
tr_dropping tr_dropping_of(tr_drop how, double rate, uint32_t layer);

/* *mask is for backward, and `dst` tells it the layout. For training programs, and keep_of_65536
 * must not be 0. */
tr_status tr_drop_forward(tr_program *program, const tr_dropping *dropping, tr_value src,
                          tr_value *dst, tr_value *mask, tr_error *err);
tr_status tr_drop_backward(tr_program *program, const tr_dropping *dropping, tr_value dst,
                           tr_value mask, tr_value diff_dst, tr_value *diff_src, tr_error *err);

/* ---- normalization.c, measured_normalization.c ---- */

/* Numbers of a configuration, one for each channel or one for all. They stay where they are as long
 * as the program. */
typedef struct tr_scaling {
    tr_reals mean, scale, offset;
} tr_scaling;

/* Of each channel; `gamma` and `beta`, (c), may be NULL: 1 and 0. mean and variance, (c), are what
 * is applied (NULL: 0, and nothing is divided by), or where measured ones leave their trace (NULL:
 * nowhere). */
typedef struct tr_normalization {
    double epsilon;
    double least; /* that the square root of variance + epsilon is taken for */
    tr_param *gamma, *beta, *mean, *variance;
    const tr_scaling *scaling; /* instead of the four: (src - mean) * scale + offset; else NULL */
    tr_activation fused;       /* applied to the result; see tr_normalization_fuses() */
    /* Where they are measured: */
    double momentum;
    int64_t
        samples; /* together, or TR_WHOLE_BATCH; divides the micro-batch or is a multiple of it */
    int64_t channels; /* neighbouring ones, together: divides c */
} tr_normalization;

/* Which activations can be applied to the result: those that cut. */
bool tr_normalization_fuses(tr_activation activation);

/* dst = f((src - mean) * gamma / max(sqrt(variance + epsilon), least) + beta). Backward: the
 * gradient of src where all four are constants and f is linear; they get none. */
tr_status tr_normalize_forward(tr_program *program, const tr_normalization *with, tr_value src,
                               tr_value *dst, tr_error *err);
tr_status tr_normalize_backward(tr_program *program, const tr_normalization *with,
                                tr_value diff_dst, tr_value *diff_src, tr_error *err);

/* The gradient of a gamma alone: over samples and pixels, the sum of src * diff_dst. */
tr_status tr_channel_products(tr_program *program, tr_value src, tr_value diff_dst,
                              const tr_param *gamma, tr_error *err);

/* What measuring leaves for backward: values. */
typedef struct tr_normalization_tape {
    tr_value src, sums, factors;
} tr_normalization_tape;

/* The same with mean and biased variance of the samples themselves, those that are padding left
 * out; cuts the program where they lie in several micro-batches. with->mean and with->variance
 * become, at the end of the batch, themselves * momentum + the measured ones * (1 - momentum).
 * Backward differentiates f too, and writes the gradients of gamma and beta where they are
 * trained. diff_src NULL: nothing else. */
tr_status tr_measured_forward(tr_program *program, const tr_normalization *with, tr_value src,
                              tr_normalization_tape *tape, tr_value *dst, tr_error *err);
tr_status tr_measured_backward(tr_program *program, const tr_normalization *with,
                               const tr_normalization_tape *tape, tr_value diff_dst,
                               tr_value *diff_src, tr_error *err);

/* ---- pixel_normalization.c ---- */

/* The same with mean and biased variance of each pixel's channels, or each vector's. */
tr_status tr_pixel_normalize_forward(tr_program *program, const tr_normalization *with,
                                     tr_value src, tr_normalization_tape *tape, tr_value *dst,
                                     tr_error *err);
tr_status tr_pixel_normalize_backward(tr_program *program, const tr_normalization *with,
                                      const tr_normalization_tape *tape, tr_value diff_dst,
                                      tr_value *diff_src, tr_error *err);

/* ---- merging.c: n >= 2 tensors of the same dimensions, or of 1 where others have more: those are
 * repeated ---- */

/* Keras's add, multiply, average and maximum, from left to right. */
typedef enum tr_merge {
    TR_MERGE_SUM,
    TR_MERGE_PRODUCT,
    TR_MERGE_MEAN,
    TR_MERGE_MAXIMUM /* ties: the first gets the gradient, as in TensorFlow */
} tr_merge;

bool tr_merge_fuses(tr_activation activation);
tr_status tr_merge_forward(tr_program *program, tr_merge how, tr_activation fused,
                           const tr_value *srcs, int n, tr_value *dst, tr_error *err);
/* The gradients of those sources that are wanted. */
tr_status tr_merge_backward(tr_program *program, tr_merge how, const tr_value *srcs, int n,
                            const bool *wanted, tr_value diff_dst, tr_value *diff_srcs,
                            tr_error *err);

/* a + b, of two gradients of one value. */
tr_status tr_add(tr_program *program, tr_value a, tr_value b, tr_value *sum, tr_error *err);

/* ---- concatenation.c ---- */

/* Along the channels: n >= 2 images of the same height and width, or vectors [n, c] in Keras's
 * order. */
tr_status tr_concatenate_forward(tr_program *program, const tr_value *srcs, int n, tr_value *dst,
                                 tr_error *err);
tr_status tr_concatenate_backward(tr_program *program, const tr_value *srcs, int n,
                                  const bool *wanted, tr_value diff_dst, tr_value *diff_srcs,
                                  tr_error *err);

/* ---- activity.c ---- */

/* costs [n]: the penalty of each sample's elements, float32. */
tr_status tr_activity_forward(tr_program *program, tr_penalty penalty, tr_value src,
                              tr_value *costs, tr_error *err);
/* *diff_src = diff_dst with the gradient of the batch's mean cost added. */
tr_status tr_activity_backward(tr_program *program, tr_penalty penalty, tr_value src,
                               tr_value diff_dst, tr_value *diff_src, tr_error *err);

#endif
