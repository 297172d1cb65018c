/* test_direct.c -- our direct convolutions: right by a float64 definition, and the same bits on
 * every instruction set. Buffers have exactly the sizes that are asked for, so that
 * AddressSanitizer sees what is touched beside them.
 */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_sets.h"

/* What a window of `k` sees of `size` pixels. */
typedef struct side {
    int64_t size, result, k, stride, before;
} side;

typedef struct shape {
    int64_t n, ic, oc;
    side h, w;
} shape;

#define SAME(size, k)                                                                              \
    {                                                                                              \
        size, size, k, 1, ((k)-1) / 2                                                              \
    }
#define VALID(size, k)                                                                             \
    {                                                                                              \
        size, (size) - (k) + 1, k, 1, 0                                                            \
    }

static const shape shapes[] = {
    {1, 1, 1, VALID(1, 1), VALID(1, 1)},               /* a product */
    {2, 7, 5, VALID(3, 1), VALID(5, 1)},               /* one long row */
    {3, 64, 40, VALID(9, 1), VALID(7, 1)},             /* longer than a part */
    {2, 1, 32, SAME(28, 3), SAME(28, 3)},              /* one channel, several vectors */
    {2, 1, 6, VALID(28, 5), VALID(28, 5)},             /* filters that fill no vector */
    {2, 6, 16, VALID(14, 5), VALID(14, 5)},            /* LeNet's second */
    {1, 3, 16, SAME(32, 3), SAME(32, 3)},              /* colours */
    {3, 13, 17, SAME(7, 3), SAME(5, 3)},               /* primes */
    {9, 5, 33, SAME(4, 3), SAME(4, 3)},                /* more images than a part has */
    {1, 16, 3, SAME(6, 2), SAME(7, 4)},                /* even kernels */
    {2, 3, 7, {1, 1, 5, 1, 2}, {2, 2, 5, 1, 2}},       /* kernel larger than the image */
    {1, 4, 9, {3, 1, 3, 1, 0}, {3, 1, 3, 1, 0}},       /* a kernel of the image's size */
    {2, 5, 24, {9, 5, 3, 2, 1}, {10, 5, 3, 2, 0}},     /* strides; same pads behind only */
    {2, 16, 32, {8, 4, 1, 2, 0}, {8, 4, 1, 2, 0}},     /* pixels that no window covers */
    {1, 3, 4, {11, 3, 2, 4, 0}, {13, 5, 1, 3, 0}},     /* strides over the kernel */
    {2, 2, 3, {10, 4, 5, 3, 2}, {7, 3, 4, 3, 1}},      /* phases of unequal taps */
    {1, 2, 3, {4, 7, 3, 1, 3}, {4, 8, 3, 1, 4}},       /* windows in padding alone */
    {1, 1, 2, {2, 3, 2, 3, 3}, {2, 2, 2, 4, 2}},       /* the same, with strides */
    {1, 2, 11, {1, 1, 1, 1, 0}, {300, 298, 3, 1, 0}},  /* a row longer than a part */
    {1, 700, 5, {1, 1, 1, 1, 0}, {100, 100, 3, 1, 1}}, /* the same, forward, by bytes */
    {1, 200, 3, SAME(20, 3), SAME(20, 3)},             /* rows in parts, forward */
    {1, 2, 150, {21, 11, 3, 2, 1}, {41, 21, 3, 2, 1}}, /* the same, backward */
    {2, 3, 5, {6, 6, 3, 1, 1}, {1, 1, 1, 1, 0}},       /* a column */
    {5, 24, 48, VALID(1, 1), VALID(1, 1)},             /* dense, nearly */
    {3, 1, 10, SAME(5, 3), SAME(6, 3)},                /* short runs, odd filters */
    {2, 1, 20, SAME(9, 7), SAME(8, 5)},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static tr_window_sizes sizes_of(const shape *s)
{
    return (tr_window_sizes){.n = s->n,
                             .ih = s->h.size,
                             .iw = s->w.size,
                             .ic = s->ic,
                             .oh = s->h.result,
                             .ow = s->w.result,
                             .oc = s->oc,
                             .kh = s->h.k,
                             .kw = s->w.k,
                             .sh = s->h.stride,
                             .sw = s->w.stride,
                             .top = s->h.before,
                             .left = s->w.before};
}

/* A micro-batch with its results in all directions. */
typedef struct batch {
    tr_window_sizes s;
    int64_t src_count, dst_count, kernel_count;
    float *src, *kernel, *bias, *diff_dst;
    float *dst, *diff_src, *diff_kernel, *diff_bias;
} batch;

static batch *new_batch(const tr_window_sizes *s)
{
    batch *b = calloc(1, sizeof *b);
    b->s = *s;
    b->src_count = s->n * s->ih * s->iw * s->ic;
    b->dst_count = s->n * s->oh * s->ow * s->oc;
    b->kernel_count = s->kh * s->kw * s->ic * s->oc;
    b->src = new_floats(b->src_count, 1);
    b->kernel = new_floats(b->kernel_count, 2);
    b->bias = new_floats(s->oc, 3);
    b->diff_dst = new_floats(b->dst_count, 4);
    b->dst = new_floats(b->dst_count, 0);
    b->diff_src = new_floats(b->src_count, 0);
    b->diff_kernel = new_floats(b->kernel_count, 0);
    b->diff_bias = new_floats(s->oc, 0);
    return b;
}

static void free_batch(batch *b)
{
    float *const all[] = {b->src, b->kernel,   b->bias,        b->diff_dst,
                          b->dst, b->diff_src, b->diff_kernel, b->diff_bias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(b);
}

/* Scratch of exactly that size, and not zero before. */
static void *new_scratch(size_t bytes)
{
    void *scratch = NULL;
    cr_assert_eq(posix_memalign(&scratch, 64, bytes), 0);
    memset(scratch, 0xff, bytes);
    return scratch;
}

static void forward(const tr_conv_kernels *k, batch *b, const tr_epilogue *epilogue)
{
    float *packed = new_floats((int64_t)k->forward_packed(&b->s), 0);
    void *scratch = new_scratch(k->forward_scratch(&b->s));
    k->pack_forward(&b->s, b->kernel, packed);
    k->forward(&b->s, b->src, packed, epilogue, b->dst, scratch);
    free(packed);
    free(scratch);
}

static void backward(const tr_conv_kernels *k, batch *b)
{
    float *packed = new_floats((int64_t)k->backward_data_packed(&b->s), 0);
    void *scratch = new_scratch(k->backward_data_scratch(&b->s));
    k->pack_backward_data(&b->s, b->kernel, packed);
    k->backward_data(&b->s, b->diff_dst, packed, b->diff_src, scratch);
    free(packed);
    free(scratch);
    scratch = new_scratch(k->backward_weights_scratch(&b->s));
    k->backward_weights(&b->s, b->src, b->diff_dst, b->diff_kernel, b->diff_bias, scratch);
    free(scratch);
}

static void run(const tr_conv_kernels *k, batch *b)
{
    forward(k, b, &(tr_epilogue){.bias = b->bias});
    backward(k, b);
}

/* ---- by definition ---- */

/* The results in float64, and for each the sum of its terms' sizes and their number. */
typedef struct exact {
    double value, size, terms;
} exact;

static void add(exact *sum, double term)
{
    sum->value += term;
    sum->size += fabs(term);
    sum->terms += 1.0;
}

static void expect_near(const exact *expected, const float *found, int64_t count, int shape_i,
                        const tr_kernels *set, const char *what)
{
    for (int64_t i = 0; i < count; i++) {
        /* every addition rounds once, by half a unit of a partial sum at most */
        const double tolerance =
            (expected[i].terms + 1.0) * expected[i].size * (FLT_EPSILON / 2.0) * 1.01;
        cr_assert(fabs(expected[i].value - (double)found[i]) <= tolerance,
                  "shape %d, %s, %s [%lld]: %.9g, expected %.9g within %g", shape_i, set->name,
                  what, (long long)i, (double)found[i], expected[i].value, tolerance);
    }
}

/* All results of a batch by the definition of a convolution. */
static void by_definition(const batch *b, exact *dst, exact *diff_src, exact *diff_kernel,
                          exact *diff_bias)
{
    const tr_window_sizes *s = &b->s;
    for (int64_t o = 0; o < b->dst_count; o++) {
        const int64_t oc = o % s->oc, ow = o / s->oc % s->ow, oh = o / s->oc / s->ow % s->oh,
                      n = o / s->oc / s->ow / s->oh;
        const double diff = (double)b->diff_dst[o];
        add(&dst[o], (double)b->bias[oc]);
        add(&diff_bias[oc], diff);
        for (int64_t k = oc; k < b->kernel_count; k += s->oc) {
            const int64_t ic = k / s->oc % s->ic, kw = k / s->oc / s->ic % s->kw,
                          kh = k / s->oc / s->ic / s->kw;
            const int64_t ih = oh * s->sh + kh - s->top, iw = ow * s->sw + kw - s->left;
            if (ih < 0 || ih >= s->ih || iw < 0 || iw >= s->iw)
                continue;
            const int64_t i = ((n * s->ih + ih) * s->iw + iw) * s->ic + ic;
            add(&dst[o], (double)b->src[i] * (double)b->kernel[k]);
            add(&diff_src[i], diff * (double)b->kernel[k]);
            add(&diff_kernel[k], diff * (double)b->src[i]);
        }
    }
}

Test(direct, is_a_convolution)
{
    for (int i = 0; i < SHAPES; i++) {
        const tr_window_sizes sizes = sizes_of(&shapes[i]);
        batch *b = new_batch(&sizes);
        exact *dst = calloc((size_t)b->dst_count, sizeof *dst),
              *diff_src = calloc((size_t)b->src_count, sizeof *dst),
              *diff_kernel = calloc((size_t)b->kernel_count, sizeof *dst),
              *diff_bias = calloc((size_t)sizes.oc, sizeof *dst);
        by_definition(b, dst, diff_src, diff_kernel, diff_bias);
        const tr_kernels *set;
        for (int k = 0; (set = kernel_set(k)) != NULL; k++) {
            run(set->direct, b);
            expect_near(dst, b->dst, b->dst_count, i, set, "dst");
            expect_near(diff_src, b->diff_src, b->src_count, i, set, "diff_src");
            expect_near(diff_kernel, b->diff_kernel, b->kernel_count, i, set, "diff_kernel");
            expect_near(diff_bias, b->diff_bias, sizes.oc, i, set, "diff_bias");
        }
        free(dst);
        free(diff_src);
        free(diff_kernel);
        free(diff_bias);
        free_batch(b);
    }
}

/* ---- the same bits ---- */

static void expect_same(const float *a, const float *b, int64_t count, int shape_i,
                        const tr_kernels *set, const char *what)
{
    for (int64_t i = 0; i < count; i++)
        cr_assert((isnan(a[i]) && isnan(b[i])) || memcmp(&a[i], &b[i], sizeof *a) == 0,
                  "shape %d, %s, %s [%lld]: %a, scalar %a", shape_i, set->name, what, (long long)i,
                  (double)b[i], (double)a[i]);
}

static void expect_same_bits(void (*prepare)(batch *))
{
    for (int i = 0; i < SHAPES; i++) {
        const tr_window_sizes sizes = sizes_of(&shapes[i]);
        batch *scalar = new_batch(&sizes);
        prepare(scalar);
        run(kernel_set(0)->direct, scalar);
        const tr_kernels *set;
        for (int k = 1; (set = kernel_set(k)) != NULL; k++) {
            batch *b = new_batch(&sizes);
            prepare(b);
            run(set->direct, b);
            expect_same(scalar->dst, b->dst, b->dst_count, i, set, "dst");
            expect_same(scalar->diff_src, b->diff_src, b->src_count, i, set, "diff_src");
            expect_same(scalar->diff_kernel, b->diff_kernel, b->kernel_count, i, set,
                        "diff_kernel");
            expect_same(scalar->diff_bias, b->diff_bias, sizes.oc, i, set, "diff_bias");
            free_batch(b);
        }
        free_batch(scalar);
    }
}

static void leave(batch *b)
{
    (void)b;
}

/* Also where the order of operations decides whether it is a NaN: infinite, and cancelled. */
static void put_wild_numbers(batch *b)
{
    b->src[b->src_count / 2] = INFINITY;
    b->src[b->src_count - 1] = 3e38f;
    b->diff_dst[b->dst_count / 2] = -INFINITY;
    b->diff_dst[0] = NAN;
    b->kernel[0] = 3e38f;
    b->kernel[b->kernel_count - 1] = -0.0f;
}

Test(direct, has_the_same_bits_on_every_set)
{
    expect_same_bits(leave);
}

Test(direct, has_the_same_bits_with_numbers_that_are_not_finite)
{
    expect_same_bits(put_wild_numbers);
}

/* ---- adjoint: what makes the gradients those of forward ---- */

static double dot(const float *a, const float *b, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* <conv(x, w), y> = <x, conv_data(y, w)> = <w, conv_weights(x, y)> */
Test(direct, directions_are_adjoint)
{
    for (int i = 0; i < SHAPES; i++) {
        const tr_window_sizes sizes = sizes_of(&shapes[i]);
        batch *b = new_batch(&sizes);
        const tr_kernels *set;
        for (int k = 0; (set = kernel_set(k)) != NULL; k++) {
            forward(set->direct, b, &(tr_epilogue){0});
            backward(set->direct, b);
            const double y = dot(b->dst, b->diff_dst, b->dst_count),
                         x = dot(b->src, b->diff_src, b->src_count),
                         w = dot(b->kernel, b->diff_kernel, b->kernel_count);
            /* errors of thousands of float32 results, all in one direction at worst */
            const double tolerance = 1e-5 * sqrt(dot(b->dst, b->dst, b->dst_count) *
                                                 dot(b->diff_dst, b->diff_dst, b->dst_count));
            cr_assert(fabs(x - y) <= tolerance && fabs(w - y) <= tolerance,
                      "shape %d, %s: forward %.9g, data %.9g, weights %.9g", i, set->name, y, x, w);
        }
        free_batch(b);
    }
}

/* ---- what happens to the result ---- */

Test(direct, functions_come_after_the_sum)
{
    const tr_function leaky = {TR_FN_RELU, 0.25f, 0.0f}, twice = {TR_FN_LINEAR, 2.0f, 1.0f};
    const tr_epilogue epilogues[] = {
        {.functions = {leaky}, .n_functions = 1},
        {.functions = {leaky, twice}, .n_functions = 2},
        {.functions = {twice, leaky}, .n_functions = 2},
    };
    for (int i = 0; i < SHAPES; i++) {
        const tr_window_sizes sizes = sizes_of(&shapes[i]);
        const tr_kernels *set;
        for (int k = 0; (set = kernel_set(k)) != NULL; k++)
            for (int e = 0; e < 3; e++) {
                batch *plain = new_batch(&sizes), *b = new_batch(&sizes);
                forward(set->direct, plain, &(tr_epilogue){.bias = plain->bias});
                tr_epilogue epilogue = epilogues[e];
                epilogue.bias = b->bias;
                forward(set->direct, b, &epilogue);
                for (int64_t j = 0; j < b->dst_count; j++) {
                    float x = plain->dst[j];
                    x = e == 2 ? fmaf(2.0f, x, 1.0f) : x;
                    x = x > 0.0f ? x : 0.25f * x;
                    x = e == 1 ? fmaf(2.0f, x, 1.0f) : x;
                    cr_assert_eq(x, b->dst[j], "shape %d, %s, functions %d [%lld]: %a, expected %a",
                                 i, set->name, e, (long long)j, (double)b->dst[j], (double)x);
                }
                free_batch(plain);
                free_batch(b);
            }
    }
}

/* ---- what a micro-batch holds ---- */

Test(direct, images_do_not_depend_on_their_number)
{
    for (int i = 0; i < SHAPES; i++) {
        tr_window_sizes sizes = sizes_of(&shapes[i]);
        const tr_kernels *set;
        for (int k = 0; (set = kernel_set(k)) != NULL; k++) {
            batch *all = new_batch(&sizes);
            run(set->direct, all);
            sizes.n = 1; /* with the weights as they were packed for all */
            float *packed = new_floats((int64_t)set->direct->forward_packed(&all->s), 0);
            void *scratch = new_scratch(set->direct->forward_scratch(&sizes));
            batch *one = new_batch(&sizes);
            set->direct->pack_forward(&all->s, all->kernel, packed);
            set->direct->forward(&sizes, one->src, packed, &(tr_epilogue){.bias = one->bias},
                                 one->dst, scratch);
            expect_same(all->dst, one->dst, one->dst_count, i, set, "dst of one");
            sizes.n = all->s.n;
            free(packed);
            free(scratch);
            free_batch(one);
            free_batch(all);
        }
    }
}

Test(direct, bias_is_optional)
{
    const tr_window_sizes sizes = sizes_of(&shapes[7]);
    const tr_kernels *set;
    for (int k = 0; (set = kernel_set(k)) != NULL; k++) {
        batch *with = new_batch(&sizes), *without = new_batch(&sizes);
        memset(with->bias, 0, (size_t)sizes.oc * sizeof *with->bias);
        run(set->direct, with);
        forward(set->direct, without, &(tr_epilogue){0});
        void *scratch = new_scratch(set->direct->backward_weights_scratch(&sizes));
        set->direct->backward_weights(&sizes, without->src, without->diff_dst, without->diff_kernel,
                                      NULL, scratch);
        free(scratch);
        expect_same(with->dst, without->dst, with->dst_count, 7, set, "dst");
        expect_same(with->diff_kernel, without->diff_kernel, with->kernel_count, 7, set,
                    "diff_kernel");
        free_batch(with);
        free_batch(without);
    }
}
