/* conv_batch.c -- see conv_batch.h. */
#include "conv_batch.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t conv_groups(const tr_window_sizes *s)
{
    return s->groups > 0 ? s->groups : 1;
}

conv_batch *conv_batch_new(const tr_window_sizes *s)
{
    conv_batch *b = calloc(1, sizeof *b);
    b->s = *s;
    b->src_count = s->n * s->ih * s->iw * s->ic;
    b->dst_count = s->n * s->oh * s->ow * s->oc;
    b->kernel_count = s->kh * s->kw * (s->ic / conv_groups(s)) * s->oc;
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

void conv_batch_free(conv_batch *b)
{
    float *const all[] = {b->src, b->kernel,   b->bias,        b->diff_dst,
                          b->dst, b->diff_src, b->diff_kernel, b->diff_bias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(b);
}

/* Scratch of exactly that size, and not zero before. */
static void *conv_scratch(size_t bytes)
{
    void *scratch = NULL;
    cr_assert_eq(posix_memalign(&scratch, 64, bytes), 0);
    memset(scratch, 0xff, bytes);
    return scratch;
}

void conv_forward(const tr_conv_kernels *k, conv_batch *b, const tr_epilogue *epilogue)
{
    float *packed = new_floats((int64_t)k->forward_packed(&b->s), 0);
    void *scratch = conv_scratch(k->forward_scratch(&b->s));
    k->pack_forward(&b->s, b->kernel, packed);
    k->forward(&b->s, b->src, packed, epilogue, b->dst, scratch);
    free(packed);
    free(scratch);
}

void conv_backward(const tr_conv_kernels *k, conv_batch *b)
{
    float *packed = new_floats((int64_t)k->backward_data_packed(&b->s), 0);
    void *scratch = conv_scratch(k->backward_data_scratch(&b->s));
    k->pack_backward_data(&b->s, b->kernel, packed);
    k->backward_data(&b->s, b->diff_dst, packed, b->diff_src, scratch);
    free(packed);
    free(scratch);
    scratch = conv_scratch(k->backward_weights_scratch(&b->s));
    k->backward_weights(&b->s, b->src, b->diff_dst, b->diff_kernel, b->diff_bias, scratch);
    free(scratch);
}

void conv_run(const tr_conv_kernels *k, conv_batch *b)
{
    conv_forward(k, b, &(tr_epilogue){.bias = b->bias});
    conv_backward(k, b);
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
static void by_definition(const conv_batch *b, exact *dst, exact *diff_src, exact *diff_kernel,
                          exact *diff_bias)
{
    const tr_window_sizes *s = &b->s;
    const int64_t in = s->ic / conv_groups(s);
    for (int64_t o = 0; o < b->dst_count; o++) {
        const int64_t oc = o % s->oc, ow = o / s->oc % s->ow, oh = o / s->oc / s->ow % s->oh,
                      n = o / s->oc / s->ow / s->oh;
        const double diff = (double)b->diff_dst[o];
        add(&dst[o], (double)b->bias[oc]);
        add(&diff_bias[oc], diff);
        for (int64_t k = oc; k < b->kernel_count; k += s->oc) {
            const int64_t kw = k / s->oc / in % s->kw, kh = k / s->oc / in / s->kw;
            const int64_t ic = oc / (s->oc / conv_groups(s)) * in + k / s->oc % in;
            const int64_t ih = oh * s->sh + kh * (s->dh + 1) - s->top,
                          iw = ow * s->sw + kw * (s->dw + 1) - s->left;
            if (ih < 0 || ih >= s->ih || iw < 0 || iw >= s->iw)
                continue;
            const int64_t i = ((n * s->ih + ih) * s->iw + iw) * s->ic + ic;
            add(&dst[o], (double)b->src[i] * (double)b->kernel[k]);
            add(&diff_src[i], diff * (double)b->kernel[k]);
            add(&diff_kernel[k], diff * (double)b->src[i]);
        }
    }
}

/* ---- the same bits ---- */

static void conv_expect_same(const float *a, const float *b, int64_t count, int shape_i,
                             const tr_kernels *set, const char *what)
{
    for (int64_t i = 0; i < count; i++)
        cr_assert((isnan(a[i]) && isnan(b[i])) || memcmp(&a[i], &b[i], sizeof *a) == 0,
                  "shape %d, %s, %s [%lld]: %a, scalar %a", shape_i, set->name, what, (long long)i,
                  (double)b[i], (double)a[i]);
}

void conv_expect_right(const tr_window_sizes *sizes, int i, conv_of *of)
{
    conv_batch *b = conv_batch_new(sizes);
    exact *dst = calloc((size_t)b->dst_count, sizeof *dst),
          *diff_src = calloc((size_t)b->src_count, sizeof *dst),
          *diff_kernel = calloc((size_t)b->kernel_count, sizeof *dst),
          *diff_bias = calloc((size_t)sizes->oc, sizeof *dst);
    by_definition(b, dst, diff_src, diff_kernel, diff_bias);
    const tr_kernels *set;
    for (int k = 0; (set = kernel_set(k)) != NULL; k++) {
        conv_run(of(set), b);
        expect_near(dst, b->dst, b->dst_count, i, set, "dst");
        expect_near(diff_src, b->diff_src, b->src_count, i, set, "diff_src");
        expect_near(diff_kernel, b->diff_kernel, b->kernel_count, i, set, "diff_kernel");
        expect_near(diff_bias, b->diff_bias, sizes->oc, i, set, "diff_bias");
    }
    free(dst);
    free(diff_src);
    free(diff_kernel);
    free(diff_bias);
    conv_batch_free(b);
}

static void expect_same_bits(const tr_window_sizes *sizes, int i, conv_of *of,
                             void (*prepare)(conv_batch *))
{
    conv_batch *scalar = conv_batch_new(sizes);
    prepare(scalar);
    conv_run(of(kernel_set(0)), scalar);
    const tr_kernels *set;
    for (int k = 1; (set = kernel_set(k)) != NULL; k++) {
        conv_batch *b = conv_batch_new(sizes);
        prepare(b);
        conv_run(of(set), b);
        conv_expect_same(scalar->dst, b->dst, b->dst_count, i, set, "dst");
        conv_expect_same(scalar->diff_src, b->diff_src, b->src_count, i, set, "diff_src");
        conv_expect_same(scalar->diff_kernel, b->diff_kernel, b->kernel_count, i, set,
                         "diff_kernel");
        conv_expect_same(scalar->diff_bias, b->diff_bias, sizes->oc, i, set, "diff_bias");
        conv_batch_free(b);
    }
    conv_batch_free(scalar);
}

static void leave(conv_batch *b)
{
    (void)b;
}

/* Also where the order of operations decides whether it is a NaN: infinite, and cancelled. */
static void put_wild_numbers(conv_batch *b)
{
    b->src[b->src_count / 2] = INFINITY;
    b->src[b->src_count - 1] = 3e38f;
    b->diff_dst[b->dst_count / 2] = -INFINITY;
    b->diff_dst[0] = NAN;
    b->kernel[0] = 3e38f;
    b->kernel[b->kernel_count - 1] = -0.0f;
}

void conv_expect_same_bits(const tr_window_sizes *sizes, int i, conv_of *of)
{
    expect_same_bits(sizes, i, of, leave);
    expect_same_bits(sizes, i, of, put_wild_numbers);
}

static double dot(const float *a, const float *b, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* <conv(x, w), y> = <x, conv_data(y, w)> = <w, conv_weights(x, y)> */
void conv_expect_adjoint(const tr_window_sizes *sizes, int i, conv_of *of)
{
    conv_batch *b = conv_batch_new(sizes);
    const tr_kernels *set;
    for (int k = 0; (set = kernel_set(k)) != NULL; k++) {
        conv_forward(of(set), b, &(tr_epilogue){0});
        conv_backward(of(set), b);
        const double y = dot(b->dst, b->diff_dst, b->dst_count),
                     x = dot(b->src, b->diff_src, b->src_count),
                     w = dot(b->kernel, b->diff_kernel, b->kernel_count);
        /* errors of thousands of float32 results, all in one direction at worst */
        const double tolerance = 1e-5 * sqrt(dot(b->dst, b->dst, b->dst_count) *
                                             dot(b->diff_dst, b->diff_dst, b->dst_count));
        cr_assert(fabs(x - y) <= tolerance && fabs(w - y) <= tolerance,
                  "shape %d, %s: forward %.9g, data %.9g, weights %.9g", i, set->name, y, x, w);
    }
    conv_batch_free(b);
}

void conv_expect_functions(const tr_window_sizes *sizes, int i, conv_of *of)
{
    const tr_function leaky = {TR_FN_RELU, 0.25f, 0.0f}, twice = {TR_FN_LINEAR, 2.0f, 1.0f};
    const tr_epilogue epilogues[] = {
        {.functions = {leaky}, .n_functions = 1},
        {.functions = {leaky, twice}, .n_functions = 2},
        {.functions = {twice, leaky}, .n_functions = 2},
    };
    const tr_kernels *set;
    for (int k = 0; (set = kernel_set(k)) != NULL; k++)
        for (int e = 0; e < 3; e++) {
            conv_batch *plain = conv_batch_new(sizes), *b = conv_batch_new(sizes);
            conv_forward(of(set), plain, &(tr_epilogue){.bias = plain->bias});
            tr_epilogue epilogue = epilogues[e];
            epilogue.bias = b->bias;
            conv_forward(of(set), b, &epilogue);
            for (int64_t j = 0; j < b->dst_count; j++) {
                float x = plain->dst[j];
                x = e == 2 ? fmaf(2.0f, x, 1.0f) : x;
                x = x > 0.0f ? x : 0.25f * x;
                x = e == 1 ? fmaf(2.0f, x, 1.0f) : x;
                cr_assert_eq(x, b->dst[j], "shape %d, %s, functions %d [%lld]: %a, expected %a", i,
                             set->name, e, (long long)j, (double)b->dst[j], (double)x);
            }
            conv_batch_free(plain);
            conv_batch_free(b);
        }
}

void conv_expect_images_alone(const tr_window_sizes *sizes, int i, conv_of *of)
{
    const tr_kernels *set;
    tr_window_sizes single = *sizes;
    for (int k = 0; (set = kernel_set(k)) != NULL; k++) {
        conv_batch *all = conv_batch_new(sizes);
        conv_run(of(set), all);
        single.n = 1; /* with the weights as they were packed for all */
        float *packed = new_floats((int64_t)of(set)->forward_packed(&all->s), 0);
        void *scratch = conv_scratch(of(set)->forward_scratch(&single));
        conv_batch *one = conv_batch_new(&single);
        of(set)->pack_forward(&all->s, all->kernel, packed);
        of(set)->forward(&single, one->src, packed, &(tr_epilogue){.bias = one->bias}, one->dst,
                         scratch);
        conv_expect_same(all->dst, one->dst, one->dst_count, i, set, "dst of one");
        free(packed);
        free(scratch);
        conv_batch_free(one);
        conv_batch_free(all);
    }
}

void conv_expect_bias_optional(const tr_window_sizes *sizes, int i, conv_of *of)
{
    const tr_kernels *set;
    for (int k = 0; (set = kernel_set(k)) != NULL; k++) {
        conv_batch *with = conv_batch_new(sizes), *without = conv_batch_new(sizes);
        memset(with->bias, 0, (size_t)sizes->oc * sizeof *with->bias);
        conv_run(of(set), with);
        conv_forward(of(set), without, &(tr_epilogue){0});
        void *scratch = conv_scratch(of(set)->backward_weights_scratch(sizes));
        of(set)->backward_weights(sizes, without->src, without->diff_dst, without->diff_kernel,
                                  NULL, scratch);
        free(scratch);
        conv_expect_same(with->dst, without->dst, with->dst_count, i, set, "dst");
        conv_expect_same(with->diff_kernel, without->diff_kernel, with->kernel_count, i, set,
                         "diff_kernel");
        conv_batch_free(with);
        conv_batch_free(without);
    }
}
