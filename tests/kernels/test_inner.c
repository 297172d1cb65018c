/* test_inner.c -- our dense product in its three directions: against float64, as each other's
 * adjoints, and the same bits on every instruction set; long sums stay exact.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_sets.h"

/* images, inputs, units: each order of sums, and what fills no vector, block or chain */
static const tr_inner_sizes cases[] = {
    {1, 1, 1},     {3, 1, 7},     {2, 5, 1},    {8, 36, 10},    {8, 16, 16},     {5, 17, 17},
    {8, 400, 120}, {1, 84, 10},   {3, 129, 33}, {7, 64, 24},    {8, 65, 300},    {2, 40, 257},
    {6, 7, 513},   {70, 20, 13},  {65, 9, 40},  {64, 50, 31},   {3, 4131, 5},    {2, 6, 4200},
    {9, 100, 47},  {8, 3136, 10}, {16, 31, 64}, {1, 300, 1000}, {4, 1100, 1000},
};
enum { N_CASES = sizeof cases / sizeof *cases };

/* All that goes in, and what comes out. */
typedef struct product {
    tr_inner_sizes s;
    float *src, *kernel, *bias, *diff_dst;
    float *dst, *diff_src, *diff_kernel, *diff_bias;
} product;

static product new_product(const tr_inner_sizes *s)
{
    return (product){.s = *s,
                     .src = new_floats(s->n * s->inputs, 1),
                     .kernel = new_floats(s->inputs * s->units, 2),
                     .bias = new_floats(s->units, 3),
                     .diff_dst = new_floats(s->n * s->units, 4),
                     .dst = new_floats(s->n * s->units, 0),
                     .diff_src = new_floats(s->n * s->inputs, 0),
                     .diff_kernel = new_floats(s->inputs * s->units, 0),
                     .diff_bias = new_floats(s->units, 0)};
}

static void free_product(product *p)
{
    float *all[] = {p->src, p->kernel,   p->bias,        p->diff_dst,
                    p->dst, p->diff_src, p->diff_kernel, p->diff_bias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* The kernel's own copy, to the byte, or NULL where it reads the parameter. */
static float *new_packed(const product *p, size_t count,
                         void (*pack)(const tr_inner_sizes *, const float *, float *))
{
    float *packed = count > 0 ? new_floats((int64_t)count, 0) : NULL;
    if (packed != NULL)
        pack(&p->s, p->kernel, packed);
    return packed;
}

static void *new_scratch(size_t bytes)
{
    return bytes > 0 ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
}

static void run(product *p, const tr_inner_kernels *by, const tr_epilogue *epilogue)
{
    float *packed = new_packed(p, by->forward_packed(&p->s), by->pack_forward);
    void *scratch = new_scratch(by->forward_scratch(&p->s));
    by->forward(&p->s, p->src, packed != NULL ? packed : p->kernel, epilogue, p->dst, scratch);
    free(packed);
    free(scratch);
    packed = new_packed(p, by->backward_data_packed(&p->s), by->pack_backward_data);
    scratch = new_scratch(by->backward_data_scratch(&p->s));
    by->backward_data(&p->s, p->diff_dst, packed != NULL ? packed : p->kernel, p->diff_src,
                      scratch);
    free(packed);
    free(scratch);
    scratch = new_scratch(by->backward_weights_scratch(&p->s));
    by->backward_weights(&p->s, p->src, p->diff_dst, p->diff_kernel, p->diff_bias, scratch);
    free(scratch);
}

/* ---- against float64 ---- */

/* A sum of products, and how large they were together. */
typedef struct sum {
    double value, size;
} sum;

static sum sum_of(const float *a, int64_t a_step, const float *b, int64_t b_step, int64_t count)
{
    sum s = {0.0, 0.0};
    for (int64_t k = 0; k < count; k++) {
        const double term = (double)a[k * a_step] * (double)b[k * b_step];
        s.value += term;
        s.size += fabs(term);
    }
    return s;
}

/* Within 8 roundings of the sum of sizes, as errors of either sign mostly cancel. */
static void assert_near(float got, sum want, const product *p, const char *what)
{
    cr_assert(fabs((double)got - want.value) <= 8.0 * 0x1p-24 * want.size,
              "%s of %lld x %lld x %lld: %.9g, not %.9g", what, (long long)p->s.n,
              (long long)p->s.inputs, (long long)p->s.units, (double)got, want.value);
}

static void assert_right(const product *p)
{
    const int64_t n = p->s.n, inputs = p->s.inputs, units = p->s.units;
    for (int64_t r = 0; r < n; r++)
        for (int64_t u = 0; u < units; u++) {
            sum want = sum_of(p->src + r * inputs, 1, p->kernel + u, units, inputs);
            want.value += (double)p->bias[u];
            want.size += fabs((double)p->bias[u]);
            assert_near(p->dst[r * units + u], want, p, "forward");
        }
    for (int64_t r = 0; r < n; r++)
        for (int64_t i = 0; i < inputs; i++)
            assert_near(p->diff_src[r * inputs + i],
                        sum_of(p->diff_dst + r * units, 1, p->kernel + i * units, 1, units), p,
                        "backward data");
    for (int64_t i = 0; i < inputs; i++)
        for (int64_t u = 0; u < units; u++)
            assert_near(p->diff_kernel[i * units + u],
                        sum_of(p->src + i, inputs, p->diff_dst + u, units, n), p,
                        "backward weights");
    const float one = 1.0f;
    for (int64_t u = 0; u < units; u++)
        assert_near(p->diff_bias[u], sum_of(p->diff_dst + u, units, &one, 0, n), p, "bias");
}

Test(inner, three_directions)
{
    for (int i = 0; i < N_CASES; i++) {
        product p = new_product(&cases[i]);
        run(&p, kernel_set(0)->inner, &(tr_epilogue){.bias = p.bias});
        assert_right(&p);
        free_product(&p);
    }
}

/* <y(x), d> is <x, diff_src(d)> and <kernel, diff_kernel(x, d)>, in float64. */
Test(inner, directions_are_adjoint)
{
    for (int i = 0; i < N_CASES; i++) {
        product p = new_product(&cases[i]);
        const int64_t n = p.s.n, weights = p.s.inputs * p.s.units;
        run(&p, tr_kernels_best(TR_N_SETS - 1)->inner, &(tr_epilogue){0});
        const sum forward = sum_of(p.dst, 1, p.diff_dst, 1, n * p.s.units);
        const sum data = sum_of(p.src, 1, p.diff_src, 1, n * p.s.inputs);
        const sum kernel = sum_of(p.kernel, 1, p.diff_kernel, 1, weights);
        const double allowed = 8.0 * 0x1p-24 * (forward.size + data.size + kernel.size);
        cr_assert(fabs(forward.value - data.value) <= allowed, "case %d", i);
        cr_assert(fabs(forward.value - kernel.value) <= allowed, "case %d", i);
        free_product(&p);
    }
}

/* ---- every set ---- */

Test(inner, sets_agree)
{
    for (int i = 0; i < N_CASES; i++) {
        product want = new_product(&cases[i]);
        const tr_inner_sizes s = want.s;
        run(&want, kernel_set(0)->inner, &(tr_epilogue){.bias = want.bias});
        for (int set = 1; kernel_set(set) != NULL; set++) {
            product got = new_product(&cases[i]);
            run(&got, kernel_set(set)->inner, &(tr_epilogue){.bias = got.bias});
            cr_assert(same_floats(got.dst, want.dst, s.n * s.units) &&
                          same_floats(got.diff_src, want.diff_src, s.n * s.inputs) &&
                          same_floats(got.diff_kernel, want.diff_kernel, s.inputs * s.units) &&
                          same_floats(got.diff_bias, want.diff_bias, s.units),
                      "%lld x %lld x %lld, %s", (long long)s.n, (long long)s.inputs,
                      (long long)s.units, kernel_set(set)->name);
            free_product(&got);
        }
        free_product(&want);
    }
}

/* ---- what is done to the result ---- */

/* No bias, several functions: hard_sigmoid is a line, clipped. A gradient of the bias is not
 * written where none is wanted. */
Test(inner, epilogue)
{
    const tr_epilogue hard_sigmoid = {
        .functions = {{TR_FN_LINEAR, 0.2f, 0.5f}, {TR_FN_CLIP, 0.0f, 1.0f}}, .n_functions = 2};
    for (int set = 0; kernel_set(set) != NULL; set++) {
        product p = new_product(&(tr_inner_sizes){3, 50, 21});
        const tr_inner_kernels *by = kernel_set(set)->inner;
        float *plain = new_floats(3 * 21, 0);
        by->forward(&p.s, p.src, p.kernel, &(tr_epilogue){0}, plain, NULL);
        by->forward(&p.s, p.src, p.kernel, &hard_sigmoid, p.dst, NULL);
        for (int i = 0; i < 3 * 21; i++)
            cr_assert_eq(p.dst[i], fminf(fmaxf(fmaf(0.2f, plain[i], 0.5f), 0.0f), 1.0f));
        by->backward_weights(&p.s, p.src, p.diff_dst, p.diff_kernel, NULL, NULL);
        free(plain);
        free_product(&p);
    }
}

/* A NaN in one image spoils its results, and in one input the gradients of its weights; nothing
 * beside them. */
static void assert_nan_stays(tr_inner_sizes s, const tr_kernels *by)
{
    product p = new_product(&s);
    const int64_t image = s.n - 1, input = s.inputs - 1;
    p.src[image * s.inputs + input] = NAN;
    run(&p, by->inner, &(tr_epilogue){.bias = p.bias});
    for (int64_t i = 0; i < s.n * s.units; i++)
        cr_assert_eq(isnan(p.dst[i]) != 0, i / s.units == image, "%s", by->name);
    for (int64_t i = 0; i < s.inputs * s.units; i++)
        cr_assert_eq(isnan(p.diff_kernel[i]) != 0, i / s.units == input, "%s", by->name);
    for (int64_t i = 0; i < s.n * s.inputs; i++)
        cr_assert(!isnan(p.diff_src[i]), "%s", by->name);
    free_product(&p);
}

Test(inner, nan_stays_where_it_is)
{
    for (int set = 0; kernel_set(set) != NULL; set++) {
        assert_nan_stays((tr_inner_sizes){3, 35, 11}, kernel_set(set));
        assert_nan_stays((tr_inner_sizes){5, 35, 45}, kernel_set(set));
        assert_nan_stays((tr_inner_sizes){9, 13, 263}, kernel_set(set));
    }
}

/* ---- long sums ---- */

/* Of 100,003 equal numbers, whose errors do not cancel: a running sum is wrong by 1.7e-4. */
static void assert_exact(tr_inner_sizes s)
{
    product p = new_product(&s);
    const float value = 0.337f;
    float *const equal[] = {p.src, p.kernel, p.diff_dst};
    const int64_t counts[] = {s.n * s.inputs, s.inputs * s.units, s.n * s.units};
    for (int k = 0; k < 3; k++)
        for (int64_t i = 0; i < counts[k]; i++)
            equal[k][i] = value;
    run(&p, tr_kernels_best(TR_N_SETS - 1)->inner, &(tr_epilogue){0});
    const double square = (double)value * (double)value, allowed = 2e-5;
    cr_assert_float_eq((double)p.dst[0] / (square * (double)s.inputs), 1.0, allowed);
    cr_assert_float_eq((double)p.diff_src[0] / (square * (double)s.units), 1.0, allowed);
    cr_assert_float_eq((double)p.diff_kernel[0] / (square * (double)s.n), 1.0, allowed);
    cr_assert_float_eq((double)p.diff_bias[0] / ((double)value * (double)s.n), 1.0, allowed);
    free_product(&p);
}

Test(inner, long_sums)
{
    assert_exact((tr_inner_sizes){1, 100003, 3});  /* inputs, by dots */
    assert_exact((tr_inner_sizes){1, 100003, 17}); /* by columns */
    assert_exact((tr_inner_sizes){1, 2, 100003});  /* units */
    assert_exact((tr_inner_sizes){100003, 2, 3});  /* images */
}
