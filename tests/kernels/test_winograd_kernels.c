/* test_winograd_kernels.c -- Winograd's convolution against its definition in double, all
 * instruction sets against each other, over sizes that leave every kind of edge.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_sets.h"

/* Points and factors are no powers of 2: the error is about ten roundings of the largest value. */
static const double error_bound = 3e-6;

static tr_window_sizes sizes(int64_t n, int64_t ih, int64_t iw, int64_t ic, int64_t oc, int64_t top,
                             int64_t left, int64_t bottom, int64_t right)
{
    return (tr_window_sizes){.n = n,
                             .ih = ih,
                             .iw = iw,
                             .ic = ic,
                             .oh = ih + top + bottom - 2,
                             .ow = iw + left + right - 2,
                             .oc = oc,
                             .kh = 3,
                             .kw = 3,
                             .sh = 1,
                             .sw = 1,
                             .top = top,
                             .left = left};
}

#define SAME(n, h, w, ic, oc) sizes(n, h, w, ic, oc, 1, 1, 1, 1)
#define VALID(n, h, w, ic, oc) sizes(n, h, w, ic, oc, 0, 0, 0, 0)

enum { N_CASES = 27 };

static tr_window_sizes case_of(int i)
{
    const tr_window_sizes cases[N_CASES] = {
        SAME(1, 1, 1, 1, 1),
        SAME(2, 1, 5, 3, 7),
        SAME(1, 2, 2, 5, 13),
        SAME(3, 3, 6, 7, 1),
        SAME(1, 4, 4, 8, 8),
        SAME(2, 5, 9, 13, 11),
        SAME(1, 6, 3, 17, 16),
        SAME(2, 7, 7, 16, 24),
        SAME(2, 8, 8, 24, 40),
        SAME(8, 14, 14, 32, 64), /* more than one block of tiles */
        SAME(2, 13, 21, 19, 33),
        SAME(1, 23, 2, 9, 65),
        SAME(5, 2, 23, 31, 15),
        SAME(7, 9, 1, 3, 5),
        SAME(1, 40, 40, 3, 4),
        SAME(2, 4, 4, 130, 70), /* more than one chain of channels */
        SAME(1, 3, 3, 256, 256),
        VALID(1, 3, 3, 4, 6),
        VALID(2, 8, 11, 20, 10),
        VALID(3, 16, 6, 16, 17),
        VALID(1, 4, 28, 5, 49),
        sizes(2, 5, 6, 7, 9, 2, 2, 2, 2),
        sizes(1, 1, 1, 3, 2, 2, 2, 2, 2),
        sizes(2, 9, 4, 6, 19, 0, 2, 1, 0),
        sizes(1, 6, 10, 18, 3, 2, 0, 0, 1),
        sizes(2, 10, 7, 33, 34, 0, 1, 2, 2),
        sizes(1, 12, 12, 8, 8, 0, 0, -3, -4), /* pixels that no window covers */
    };
    return cases[i];
}

/* ---- the definition, in double ---- */

typedef struct tensors {
    float *src, *kernel, *dst, *bias; /* or their gradients */
} tensors;

static int64_t src_count(const tr_window_sizes *s)
{
    return s->n * s->ih * s->iw * s->ic;
}

static int64_t dst_count(const tr_window_sizes *s)
{
    return s->n * s->oh * s->ow * s->oc;
}

static int64_t kernel_count(const tr_window_sizes *s)
{
    return 9 * s->ic * s->oc;
}

/* Calls `visit` for every product of the definition, with places in src, kernel and dst. */
typedef void visitor(void *into, const tensors *t, int64_t src, int64_t kernel, int64_t dst);

static void each_product(const tr_window_sizes *s, visitor *visit, void *into, const tensors *t)
{
    for (int64_t pixel = 0; pixel < s->n * s->oh * s->ow; pixel++) {
        const int64_t n = pixel / (s->oh * s->ow);
        for (int64_t tap = 0; tap < 9; tap++) {
            const int64_t y = pixel / s->ow % s->oh - s->top + tap / 3;
            const int64_t x = pixel % s->ow - s->left + tap % 3;
            if (y < 0 || y >= s->ih || x < 0 || x >= s->iw)
                continue;
            for (int64_t i = 0; i < s->ic; i++)
                for (int64_t o = 0; o < s->oc; o++)
                    visit(into, t, ((n * s->ih + y) * s->iw + x) * s->ic + i,
                          (tap * s->ic + i) * s->oc + o, pixel * s->oc + o);
        }
    }
}

static void add_dst(void *into, const tensors *t, int64_t src, int64_t kernel, int64_t dst)
{
    ((double *)into)[dst] += (double)t->src[src] * t->kernel[kernel];
}

static void add_src(void *into, const tensors *t, int64_t src, int64_t kernel, int64_t dst)
{
    ((double *)into)[src] += (double)t->dst[dst] * t->kernel[kernel];
}

static void add_kernel(void *into, const tensors *t, int64_t src, int64_t kernel, int64_t dst)
{
    ((double *)into)[kernel] += (double)t->src[src] * t->dst[dst];
}

static void expect_near(const float *result, const double *expected, int64_t count,
                        const char *what, int i)
{
    double largest = 0.0, error = 0.0;
    for (int64_t k = 0; k < count; k++) {
        cr_assert(isfinite(result[k]), "%s of case %d is not written in full", what, i);
        largest = fmax(largest, fabs(expected[k]));
        error = fmax(error, fabs(result[k] - expected[k]));
    }
    cr_expect(error <= error_bound * largest, "%s of case %d: error %g of %g", what, i, error,
              largest);
}

static void expect_product(const tr_window_sizes *s, visitor *visit, const tensors *t,
                           const float *result, int64_t count, const char *what, int i)
{
    double *expected = calloc((size_t)count, sizeof *expected);
    each_product(s, visit, expected, t);
    expect_near(result, expected, count, what, i);
    free(expected);
}

/* ---- the kernels ---- */

/* Memory to the byte, of no use before. */
static void *new_scratch(size_t bytes)
{
    void *scratch = NULL;
    cr_assert(posix_memalign(&scratch, 64, bytes) == 0);
    memset(scratch, 0xff, bytes);
    return scratch;
}

static float *new_forward(const tr_conv_kernels *k, const tr_window_sizes *s, const tensors *from,
                          const tr_epilogue *epilogue)
{
    float *packed = new_floats((int64_t)k->forward_packed(s), 0);
    float *dst = new_floats(dst_count(s), 0);
    void *scratch = new_scratch(k->forward_scratch(s));
    k->pack_forward(s, from->kernel, packed);
    k->forward(s, from->src, packed, epilogue, dst, scratch);
    free(packed);
    free(scratch);
    return dst;
}

static float *new_backward_data(const tr_conv_kernels *k, const tr_window_sizes *s,
                                const tensors *from)
{
    float *packed = new_floats((int64_t)k->backward_data_packed(s), 0);
    float *diff_src = new_floats(src_count(s), 0);
    void *scratch = new_scratch(k->backward_data_scratch(s));
    k->pack_backward_data(s, from->kernel, packed);
    k->backward_data(s, from->dst, packed, diff_src, scratch);
    free(packed);
    free(scratch);
    return diff_src;
}

static float *new_backward_weights(const tr_conv_kernels *k, const tr_window_sizes *s,
                                   const tensors *from, float *diff_bias)
{
    float *diff_kernel = new_floats(kernel_count(s), 0);
    void *scratch = new_scratch(k->backward_weights_scratch(s));
    k->backward_weights(s, from->src, from->dst, diff_kernel, diff_bias, scratch);
    free(scratch);
    return diff_kernel;
}

static tensors new_sources(const tr_window_sizes *s)
{
    return (tensors){new_floats(src_count(s), 1), new_floats(kernel_count(s), 2),
                     new_floats(dst_count(s), 3), new_floats(s->oc, 4)};
}

static tensors new_results(const tr_conv_kernels *k, const tr_window_sizes *s, const tensors *from)
{
    const tr_epilogue none = {0};
    tensors to = {.bias = new_floats(s->oc, 0)};
    to.dst = new_forward(k, s, from, &none);
    to.src = new_backward_data(k, s, from);
    to.kernel = new_backward_weights(k, s, from, to.bias);
    return to;
}

static void free_tensors(tensors *t)
{
    free(t->src);
    free(t->kernel);
    free(t->dst);
    free(t->bias);
}

static const tr_conv_kernels *winograd(int set)
{
    return kernel_set(set) != NULL ? kernel_set(set)->winograd : NULL;
}

/* ---- tests ---- */

Test(winograd, is_the_definition)
{
    for (int i = 0; i < N_CASES; i++) {
        const tr_window_sizes s = case_of(i);
        tensors from = new_sources(&s);
        tensors to = new_results(winograd(0), &s, &from);
        expect_product(&s, add_dst, &from, to.dst, dst_count(&s), "the result", i);
        expect_product(&s, add_src, &from, to.src, src_count(&s), "the source's gradient", i);
        expect_product(&s, add_kernel, &from, to.kernel, kernel_count(&s), "the kernel's gradient",
                       i);
        double *bias = calloc((size_t)s.oc, sizeof *bias);
        for (int64_t k = 0; k < dst_count(&s); k++)
            bias[k % s.oc] += from.dst[k];
        expect_near(to.bias, bias, s.oc, "the bias's gradient", i);
        free(bias);
        free_tensors(&from);
        free_tensors(&to);
    }
}

Test(winograd, has_the_same_bits_on_every_set)
{
    for (int i = 0; i < N_CASES; i++) {
        const tr_window_sizes s = case_of(i);
        tensors from = new_sources(&s);
        tensors first = new_results(winograd(0), &s, &from);
        for (int set = 1; winograd(set) != NULL; set++) {
            tensors to = new_results(winograd(set), &s, &from);
            const char *name = kernel_set(set)->name;
            cr_expect_arr_eq(to.dst, first.dst, dst_count(&s) * 4, "%s: forward, case %d", name, i);
            cr_expect_arr_eq(to.src, first.src, src_count(&s) * 4, "%s: data, case %d", name, i);
            cr_expect_arr_eq(to.kernel, first.kernel, kernel_count(&s) * 4, "%s: weights, case %d",
                             name, i);
            cr_expect_arr_eq(to.bias, first.bias, s.oc * 4, "%s: bias, case %d", name, i);
            free_tensors(&to);
        }
        free_tensors(&from);
        free_tensors(&first);
    }
}

/* What tiles are worked on together must not show: an image alone is what it is among others. */
Test(winograd, computes_an_image_as_if_it_were_alone)
{
    const tr_window_sizes all = SAME(9, 11, 13, 12, 20);
    tr_window_sizes one = all;
    one.n = 1;
    tensors from = new_sources(&all);
    tensors to = new_results(kernel_set(0)->winograd, &all, &from);
    for (int64_t n = 0; n < all.n; n++) {
        const tensors image = {from.src + n * src_count(&one), from.kernel,
                               from.dst + n * dst_count(&one), from.bias};
        tensors alone = new_results(kernel_set(0)->winograd, &one, &image);
        cr_expect_arr_eq(alone.dst, to.dst + n * dst_count(&one), dst_count(&one) * 4);
        cr_expect_arr_eq(alone.src, to.src + n * src_count(&one), src_count(&one) * 4);
        free_tensors(&alone);
    }
    free_tensors(&from);
    free_tensors(&to);
}

static double dot(const float *a, const float *b, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* <forward(src), dst> = <src, data(dst)> = <kernel, weights(src, dst)>: of sizes too large for the
 * definition. The bound is that of the results, in relation to the terms of the sum. */
Test(winograd, is_adjoint_in_its_directions)
{
    const tr_window_sizes cases[] = {SAME(8, 14, 14, 32, 64), SAME(2, 15, 33, 48, 20),
                                     VALID(1, 30, 17, 64, 64), SAME(3, 4, 4, 300, 120)};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tr_window_sizes *s = &cases[i];
        tensors from = new_sources(s);
        tensors to = new_results(winograd(1) != NULL ? winograd(1) : winograd(0), s, &from);
        const double forward = dot(to.dst, from.dst, dst_count(s));
        const double data = dot(from.src, to.src, src_count(s));
        const double weights = dot(from.kernel, to.kernel, kernel_count(s));
        const double terms = sqrt(dot(to.dst, to.dst, dst_count(s)) * (double)dst_count(s) / 3.0);
        cr_expect(fabs(forward - data) < error_bound * terms, "%g, %g", forward, data);
        cr_expect(fabs(forward - weights) < error_bound * terms, "%g, %g", forward, weights);
        free_tensors(&from);
        free_tensors(&to);
    }
}

static float relu(float x, float alpha)
{
    return x > 0.0f ? x : alpha * x;
}

Test(winograd, ends_with_bias_and_functions)
{
    const tr_window_sizes s = SAME(2, 7, 10, 9, 21);
    const int64_t count = dst_count(&s);
    tensors from = new_sources(&s);
    for (int set = 0; winograd(set) != NULL; set++) {
        const tr_kernels *k = kernel_set(set);
        tr_epilogue epilogue = {0};
        float *plain = new_forward(k->winograd, &s, &from, &epilogue);
        epilogue.bias = from.bias;
        float *biased = new_forward(k->winograd, &s, &from, &epilogue);
        for (int64_t i = 0; i < count; i++)
            cr_assert(biased[i] == plain[i] + from.bias[i % s.oc]);
        for (int leaky = 0; leaky < 2; leaky++) {
            epilogue.functions[0] = (tr_function){TR_FN_RELU, leaky ? 0.25f : 0.0f, 0.0f};
            epilogue.functions[1] = (tr_function){TR_FN_LINEAR, 2.0f, 1.0f};
            epilogue.n_functions = 2;
            float *result = new_forward(k->winograd, &s, &from, &epilogue);
            for (int64_t i = 0; i < count; i++)
                cr_assert(result[i] ==
                          fmaf(relu(biased[i], epilogue.functions[0].alpha), 2.0f, 1.0f));
            free(result);
        }
        epilogue.functions[0] = (tr_function){TR_FN_TANH, 0.0f, 0.0f};
        epilogue.n_functions = 1;
        float *result = new_forward(k->winograd, &s, &from, &epilogue);
        k->function->forward(&epilogue.functions[0], count, biased, biased);
        cr_expect_arr_eq(result, biased, (size_t)count * sizeof *biased);
        free(result);
        free(biased);
        free(plain);
    }
    free_tensors(&from);
}

static void mark(void *into, const tensors *t, int64_t src, int64_t kernel, int64_t dst)
{
    (void)kernel;
    if (!isfinite(t->src[src]))
        ((bool *)into)[dst] = true;
}

/* A tile spreads them further, but never loses one. */
Test(winograd, lets_infinities_and_nans_through)
{
    const tr_window_sizes s = SAME(1, 10, 11, 3, 4);
    const tr_epilogue none = {0};
    tensors from = new_sources(&s);
    for (int64_t place = 0; place < src_count(&s); place++) {
        const float was = from.src[place];
        from.src[place] = place % 3 == 0 ? NAN : place % 3 == 1 ? INFINITY : -INFINITY;
        bool *marked = calloc((size_t)dst_count(&s), sizeof *marked);
        each_product(&s, mark, marked, &from);
        float *dst = new_forward(winograd(0), &s, &from, &none);
        for (int64_t i = 0; i < dst_count(&s); i++)
            cr_assert(!marked[i] || !isfinite(dst[i]), "%ld does not reach %ld", (long)place,
                      (long)i);
        free(dst);
        free(marked);
        from.src[place] = was;
    }
    free_tensors(&from);
}

Test(winograd, takes_what_it_is_faster_at)
{
    const tr_window_sizes good = SAME(8, 14, 14, 32, 64);
    cr_expect(winograd(0)->takes(&good));
    tr_window_sizes s = good;
    s.kh = 5;
    cr_expect_not(winograd(0)->takes(&s));
    s = good;
    s.sw = 2;
    cr_expect_not(winograd(0)->takes(&s));
    s = good;
    s.top = 3;
    cr_expect_not(winograd(0)->takes(&s));
    s = SAME(8, 28, 28, 1, 32); /* transforms alone are more than is saved */
    cr_expect_not(winograd(0)->takes(&s));
    s = SAME(8, 2, 2, 256, 256); /* nothing is saved */
    cr_expect_not(winograd(0)->takes(&s));
    for (int i = 0; i < N_CASES; i++) /* the same on every set */
        for (int set = 1; winograd(set) != NULL; set++) {
            s = case_of(i);
            cr_expect_eq(winograd(set)->takes(&s), winograd(0)->takes(&s));
        }
}
