/* test_functions.c -- our elementary functions and their derivatives: against float64, for the
 * numbers that are special, and the same bits on every instruction set.
 */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_sets.h"
#include "threads.h"

static const tr_function functions[] = {
    {TR_FN_LINEAR, 2.0f, 0.5f},
    {TR_FN_RELU, 0.0f, 0.0f},
    {TR_FN_RELU, 0.3f, 0.0f},
    {TR_FN_ELU, 1.0f, 0.0f},
    {TR_FN_ELU, 0.4f, 0.0f},
    {TR_FN_LOGISTIC, 0.0f, 0.0f},
    {TR_FN_TANH, 0.0f, 0.0f},
    {TR_FN_GELU, 0.0f, 0.0f},
    {TR_FN_SWISH, 1.0f, 0.0f},
    {TR_FN_SWISH, 1.7f, 0.0f},
    {TR_FN_SOFTPLUS, 0.0f, 0.0f},
    {TR_FN_CLIP, -2.0f, 6.0f},
    {TR_FN_THRESHOLD, 0.25f, 1.5f},
    {TR_FN_EXP, 0, 0},
    {TR_FN_LOG_SIGMOID, 0, 0},
    {TR_FN_SOFTSIGN, 0, 0},
    {TR_FN_SQUAREPLUS, 4, 0},
    {TR_FN_SPARSE_PLUS, 0, 0},
    {TR_FN_MISH, 0, 0},
    {TR_FN_HARD_SWISH, 0, 0},
    {TR_FN_SOFT_SHRINK, 0.5f, 0},
    {TR_FN_HARD_SHRINK, 0.5f, 0},
    {TR_FN_TANH_SHRINK, 0, 0},
};
enum { N_FUNCTIONS = sizeof functions / sizeof *functions };

/* ---- what they are, and how exact ---- */

static double normal_distribution(double x)
{
    return 0.5 * erfc(-x * M_SQRT1_2);
}

static double logistic(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double mish_gate(double x)
{
    return x > 40.0 ? 1.0 : expm1(2.0 * log1p(exp(x))) / (exp(2.0 * log1p(exp(x))) + 1.0);
}

static double value_of(const tr_function *f, double x)
{
    const double alpha = (double)f->alpha, beta = (double)f->beta;
    switch (f->kind) {
    case TR_FN_LINEAR:
        return alpha * x + beta;
    case TR_FN_RELU:
        return x > 0.0 ? x : alpha * x;
    case TR_FN_ELU:
        return x > 0.0 ? x : alpha * expm1(x);
    case TR_FN_LOGISTIC:
        return logistic(x);
    case TR_FN_TANH:
        return tanh(x);
    case TR_FN_GELU:
        return x * normal_distribution(x);
    case TR_FN_SWISH:
        return x * logistic(alpha * x);
    case TR_FN_SOFTPLUS:
        return fmax(x, 0.0) + log1p(exp(-fabs(x)));
    case TR_FN_CLIP:
        return fmin(fmax(x, alpha), beta);
    case TR_FN_THRESHOLD:
        return x > beta ? x : alpha * (x - beta);
    case TR_FN_EXP:
        return exp(x);
    case TR_FN_LOG_SIGMOID:
        return fmin(x, 0.0) - log1p(exp(-fabs(x)));
    case TR_FN_SOFTSIGN:
        return x / (1.0 + fabs(x));
    case TR_FN_SQUAREPLUS: /* the root of a sum that cancels */
        return x > 0.0 ? 0.5 * (x + sqrt(x * x + alpha)) : 0.5 * alpha / (sqrt(x * x + alpha) - x);
    case TR_FN_SPARSE_PLUS:
        return x > 1.0 ? x : 0.25 * pow(fmax(x + 1.0, 0.0), 2.0);
    case TR_FN_MISH:
        return x * mish_gate(x);
    case TR_FN_HARD_SWISH:
        return x * fmin(fmax(x / 6.0 + 0.5, 0.0), 1.0);
    case TR_FN_SOFT_SHRINK:
        return x > alpha ? x - alpha : x < -alpha ? x + alpha : 0.0;
    case TR_FN_HARD_SHRINK:
        return fabs(x) > alpha ? x : 0.0;
    case TR_FN_TANH_SHRINK:
        return x - tanh(x);
    case TR_N_FUNCTIONS:
        break;
    }
    return NAN;
}

/* Of the argument x, whatever the kernel takes it from. */
static double slope_of(const tr_function *f, double x)
{
    const double alpha = (double)f->alpha, beta = (double)f->beta;
    switch (f->kind) {
    case TR_FN_LINEAR:
        return alpha;
    case TR_FN_RELU:
        return x > 0.0 ? 1.0 : alpha;
    case TR_FN_ELU:
        return x < 0.0 ? alpha * exp(x) : 1.0;
    case TR_FN_LOGISTIC:
        return logistic(x) * logistic(-x);
    case TR_FN_TANH:
        return 1.0 - tanh(x) * tanh(x);
    case TR_FN_GELU:
        return normal_distribution(x) + x * exp(-0.5 * x * x) / sqrt(2.0 * M_PI);
    case TR_FN_SWISH:
        return logistic(alpha * x) * (1.0 + alpha * x * logistic(-alpha * x));
    case TR_FN_SOFTPLUS:
        return logistic(x);
    case TR_FN_CLIP:
        return x > alpha && x < beta ? 1.0 : 0.0;
    case TR_FN_THRESHOLD:
        return x > beta ? 1.0 : alpha;
    case TR_FN_EXP:
        return exp(x);
    case TR_FN_LOG_SIGMOID:
        return logistic(-x);
    case TR_FN_SOFTSIGN:
        return pow(1.0 + fabs(x), -2.0);
    case TR_FN_SQUAREPLUS:
        return value_of(f, x) / sqrt(x * x + alpha);
    case TR_FN_SPARSE_PLUS:
        return fmin(fmax(0.5 * (x + 1.0), 0.0), 1.0);
    case TR_FN_MISH:
        return mish_gate(x) + x * logistic(x) * (1.0 - pow(mish_gate(x), 2.0));
    case TR_FN_HARD_SWISH:
        return x < -3.0 ? 0.0 : x > 3.0 ? 1.0 : x / 3.0 + 0.5;
    case TR_FN_SOFT_SHRINK:
    case TR_FN_HARD_SHRINK:
        return fabs(x) > alpha ? 1.0 : 0.0;
    case TR_FN_TANH_SHRINK:
        return pow(tanh(x), 2.0);
    case TR_N_FUNCTIONS:
        break;
    }
    return NAN;
}

static bool from_result(const tr_function *f)
{
    return f->kind == TR_FN_RELU || f->kind == TR_FN_ELU || f->kind == TR_FN_LOGISTIC ||
           f->kind == TR_FN_TANH || f->kind == TR_FN_CLIP || f->kind == TR_FN_THRESHOLD ||
           f->kind == TR_FN_EXP || f->kind == TR_FN_SOFTSIGN || f->kind == TR_FN_SOFT_SHRINK ||
           f->kind == TR_FN_HARD_SHRINK;
}

/* In units of the last place; elementary.h says what was measured. */
static double value_error(const tr_function *f, double x)
{
    switch (f->kind) {
    case TR_FN_LINEAR:
    case TR_FN_RELU:
    case TR_FN_CLIP:
        return 0.5;
    case TR_FN_GELU:
    case TR_FN_MISH:
        return 7.0;
    case TR_FN_SWISH: /* exp's argument alpha x is rounded */
        return 3.5 + (f->alpha == 1.0f ? 0.0 : fmin(fabs((double)f->alpha * x), 90.0));
    default:
        return 3.0;
    }
}

/* Near a zero other than that of x: as exact as x is, as in Keras. */
static bool cancels(const tr_function *f)
{
    return f->kind == TR_FN_TANH_SHRINK || f->kind == TR_FN_HARD_SWISH;
}

/* ---- arguments: all magnitudes, and more of those that matter ---- */

enum { N_ARGUMENTS = 400003 }; /* fills no vector */

static float *new_arguments(void)
{
    float *x = malloc(N_ARGUMENTS * sizeof *x);
    cr_assert_not_null(x);
    for (int i = 0; i < N_ARGUMENTS / 2; i++) {
        const uint32_t bits = (uint32_t)i * 2654435761u;
        memcpy(&x[i], &bits, sizeof bits);
    }
    for (int i = N_ARGUMENTS / 2; i < N_ARGUMENTS; i++)
        x[i] = -20.0f + 1e-4f * 2.0f * (float)(i - N_ARGUMENTS / 2);
    return x;
}

Test(functions, values)
{
    float *x = new_arguments(), *y = new_floats(N_ARGUMENTS, 0);
    for (int k = 0; k < N_FUNCTIONS; k++) {
        const tr_function *f = &functions[k];
        kernel_set(0)->function->forward(f, N_ARGUMENTS, x, y);
        for (int i = 0; i < N_ARGUMENTS; i++) {
            const double want = value_of(f, (double)x[i]);
            if (!isfinite(x[i]) || fabs(want) > 3.4e38)
                continue;
            int exponent;
            frexp(want, &exponent);
            /* Steps on the way lie below the smallest normal number and are 0, times x up to 90. */
            const double allowed = value_error(f, (double)x[i]) * ldexp(1.0, exponent - 24) +
                                   2e-36 + (cancels(f) ? 0x1p-21 * fabs((double)x[i]) : 0.0);
            cr_assert(fabs((double)y[i] - want) <= allowed, "function %d of %.9g: %.9g, not %.17g",
                      f->kind, (double)x[i], (double)y[i], want);
        }
    }
    free(x);
    free(y);
}

/* To 2^-21 of 1, or of the slope where it is larger: the error of a result near 1, twice. */
Test(functions, slopes)
{
    float *x = new_arguments(), *y = new_floats(N_ARGUMENTS, 0);
    float *diff_dst = new_floats(N_ARGUMENTS, 3), *diff_src = new_floats(N_ARGUMENTS, 0);
    for (int k = 0; k < N_FUNCTIONS; k++) {
        const tr_function *f = &functions[k];
        kernel_set(0)->function->forward(f, N_ARGUMENTS, x, y);
        kernel_set(0)->function->backward(f, N_ARGUMENTS, from_result(f) ? y : x, diff_dst,
                                          diff_src);
        for (int i = 0; i < N_ARGUMENTS; i++) {
            const double slope = slope_of(f, (double)x[i]), want = (double)diff_dst[i] * slope;
            /* Not where alpha x overflows, nor where relu's result is 0 for another reason. */
            if (!(fabsf(x[i]) < 1e38f) || !(fabs(slope) < 3e38) ||
                (f->kind == TR_FN_RELU && fabsf(x[i]) < 1e-37f))
                continue;
            cr_assert(fabs((double)diff_src[i] - want) <=
                          0x1p-21 * fabs((double)diff_dst[i]) * fmax(1.0, fabs(slope)),
                      "slope of function %d at %.9g: %.9g, not %.17g", f->kind, (double)x[i],
                      (double)diff_src[i], want);
        }
    }
    free(x);
    free(y);
    free(diff_dst);
    free(diff_src);
}

/* ---- special arguments: what oneDNN 2.6.3 gives, but for gelu and swish of -infinity, which are
 * NaN in both: 0 times infinity ---- */

typedef struct special {
    tr_function f;
    float of_nan, of_infinity, of_minus_infinity, of_minus_zero; /* -0 counts as 0 */
} special;

static const special specials[] = {
    {{TR_FN_LINEAR, 2.0f, 0.5f}, NAN, INFINITY, -INFINITY, 0.5f},
    {{TR_FN_RELU, 0.0f, 0.0f}, 0.0f, INFINITY, 0.0f, 0.0f},
    {{TR_FN_RELU, 0.3f, 0.0f}, NAN, INFINITY, -INFINITY, 0.0f},
    {{TR_FN_ELU, 0.5f, 0.0f}, NAN, INFINITY, -0.5f, 0.0f},
    {{TR_FN_LOGISTIC, 0.0f, 0.0f}, NAN, 1.0f, 0.0f, 0.5f},
    {{TR_FN_TANH, 0.0f, 0.0f}, NAN, 1.0f, -1.0f, 0.0f},
    {{TR_FN_GELU, 0.0f, 0.0f}, NAN, INFINITY, NAN, 0.0f},
    {{TR_FN_SWISH, 1.0f, 0.0f}, NAN, INFINITY, NAN, 0.0f},
    {{TR_FN_SOFTPLUS, 0.0f, 0.0f}, NAN, INFINITY, 0.0f, 0.693147182f},
    {{TR_FN_CLIP, -2.0f, 6.0f}, -2.0f, 6.0f, -2.0f, 0.0f},
    {{TR_FN_EXP, 0.0f, 0.0f}, NAN, INFINITY, 0.0f, 1.0f},
    {{TR_FN_LOG_SIGMOID, 0.0f, 0.0f}, NAN, 0.0f, -INFINITY, -0.693147182f},
    {{TR_FN_SOFTSIGN, 0.0f, 0.0f}, NAN, 1.0f, -1.0f, 0.0f},
    {{TR_FN_SQUAREPLUS, 4.0f, 0.0f}, NAN, INFINITY, 0.0f, 1.0f},
    {{TR_FN_MISH, 0.0f, 0.0f}, NAN, INFINITY, NAN, 0.0f},
};

static void assert_number(float got, float want, const special *at, const char *argument)
{
    cr_assert(isnan(want) ? isnan(got) : got == want, "function %d of %s: %g, not %g", at->f.kind,
              argument, (double)got, (double)want);
}

Test(functions, special_arguments)
{
    const float x[4] = {NAN, INFINITY, -INFINITY, -0.0f};
    for (size_t k = 0; k < sizeof specials / sizeof *specials; k++) {
        float y[4];
        kernel_set(0)->function->forward(&specials[k].f, 4, x, y);
        assert_number(y[0], specials[k].of_nan, &specials[k], "NaN");
        assert_number(y[1], specials[k].of_infinity, &specials[k], "infinity");
        assert_number(y[2], specials[k].of_minus_infinity, &specials[k], "-infinity");
        assert_number(y[3], specials[k].of_minus_zero, &specials[k], "-0");
    }
}

/* A NaN from behind stays one, and 0 times infinity is one. */
Test(functions, special_gradients)
{
    const float from[3] = {0.25f, 0.25f, -3.0f}, diff_dst[3] = {NAN, -INFINITY, INFINITY};
    float diff_src[3];
    for (int k = 0; k < N_FUNCTIONS; k++) {
        kernel_set(0)->function->backward(&functions[k], 3, from, diff_dst, diff_src);
        cr_assert(isnan(diff_src[0]), "function %d", functions[k].kind);
        cr_assert(diff_src[1] == -INFINITY, "function %d", functions[k].kind);
    }
    kernel_set(0)->function->backward(&functions[1], 3, from, diff_dst, diff_src);
    cr_assert(isnan(diff_src[2]));
}

/* ---- every set, any count, nothing touched behind ---- */

static void assert_same_everywhere(int64_t count, const float *x, const float *diff_dst)
{
    float *want = new_floats(count, 0), *want_diff = new_floats(count, 0);
    for (int k = 0; k < N_FUNCTIONS; k++) {
        const tr_function *f = &functions[k];
        kernel_set(0)->function->forward(f, count, x, want);
        kernel_set(0)->function->backward(f, count, x, diff_dst, want_diff);
        for (int set = 1; kernel_set(set) != NULL; set++) {
            float *got = new_floats(count, 0), *got_diff = new_floats(count, 0);
            kernel_set(set)->function->forward(f, count, x, got);
            kernel_set(set)->function->backward(f, count, x, diff_dst, got_diff);
            cr_assert(same_floats(got, want, count) && same_floats(got_diff, want_diff, count),
                      "function %d of %lld numbers, %s", f->kind, (long long)count,
                      kernel_set(set)->name);
            free(got);
            free(got_diff);
        }
    }
    free(want);
    free(want_diff);
}

Test(functions, sets_agree)
{
    float *x = new_arguments(), *diff_dst = new_floats(N_ARGUMENTS, 5);
    assert_same_everywhere(N_ARGUMENTS, x, diff_dst);
    /* As in a training, which has no denormals then: what only copies a number might keep one. */
    const unsigned before = tr_flush_denormals();
    for (int i = 0; i < N_ARGUMENTS; i++)
        x[i] = fabsf(x[i]) < FLT_MIN ? 0.0f : x[i];
    assert_same_everywhere(N_ARGUMENTS, x, diff_dst);
    tr_restore_denormals(before);
    for (int64_t count = 0; count < 40; count++) {
        float *few = new_floats(count, 7), *few_diff = new_floats(count, 8); /* to the byte */
        assert_same_everywhere(count, few, few_diff);
        free(few);
        free(few_diff);
    }
    free(x);
    free(diff_dst);
}

Test(functions, in_place)
{
    float *x = new_floats(37, 9), *y = new_floats(37, 0);
    const tr_function_kernels *kernels = tr_kernels_best(TR_N_SETS - 1)->function;
    kernels->forward(&functions[5], 37, x, y);
    kernels->forward(&functions[5], 37, x, x);
    cr_assert(same_floats(x, y, 37));
    free(x);
    free(y);
}
