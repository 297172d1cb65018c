/* test_elementary_math.c -- exp, log and their kin against the C library's, for special numbers,
 * and to the bit: what a training depends on must be the same wherever it runs.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "digest.h"
#include "elementary_math.h"

enum { N = 200000 };

/* 0 to 1, spread evenly. */
static double part(int i)
{
    return (double)((uint32_t)i * 2654435761u) / 4294967296.0;
}

/* In units of the last place of `want`. */
static double error_of(double got, double want)
{
    int exponent;
    frexp(want, &exponent);
    return fabs(got - want) / ldexp(1.0, exponent - 53);
}

static void assert_exact(double got, double want, double allowed, const char *what, double x)
{
    cr_assert(error_of(got, want) <= allowed, "%s of %.17g: %.17g, not %.17g", what, x, got, want);
}

/* The C library's own are wrong by up to 0.6 units. */
Test(elementary_math, values)
{
    for (int i = 0; i < N; i++) {
        const double x = part(i), wide = -700.0 + 1400.0 * x;
        assert_exact(tr_exp(wide), exp(wide), 2.0, "exp", wide);
        assert_exact(tr_exp(-40.0 * x), exp(-40.0 * x), 2.0, "exp", -40.0 * x);
        assert_exact(tr_log(exp(wide)), log(exp(wide)), 2.0, "log", exp(wide));
        assert_exact(tr_log(0.5 + 2.0 * x), log(0.5 + 2.0 * x), 2.0, "log", 0.5 + 2.0 * x);
        assert_exact(tr_log1p(exp(-60.0 * x)), log1p(exp(-60.0 * x)), 2.0, "log1p", exp(-60.0 * x));
        cr_assert_float_eq(tr_cos_pi(x), cos(M_PI * x), 0x1p-51);
        const double y = 3.0 * part(i + 1), power = pow(2.0 * x, y);
        assert_exact(tr_pow(2.0 * x, y), power, 4.0 * (1.0 + fabs(log(power))), "pow", 2.0 * x);
    }
}

/* In float32 it is the nearest number, nearly always. */
Test(elementary_math, float_exp)
{
    for (int i = 0; i < N; i++) {
        const float x = (float)(-87.0 + 175.0 * part(i));
        assert_exact((double)tr_expf(x), exp((double)x), 0.51 * 0x1p29, "expf", (double)x);
    }
}

/* Python's statistics.NormalDist().inv_cdf(), and the C library's erfc(). */
Test(elementary_math, normal_quantiles)
{
    static const double golden[][2] = {
        {0.5, 0.0},
        {0.75, 0.67448975019608174},
        {0.97724986805182079, 2.0},
        {0.99, 2.3263478740408411},
        {0.07, -1.4757910281791706},
        {0.0750001, -1.4395307645017297},
        {1e-5, -4.2648907939228247},
        {1e-12, -7.0344838253011321},
        {0x1p-54, -8.2923610758135951},
    };
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++)
        cr_expect_float_eq(tr_normal_quantile(golden[i][0]), golden[i][1],
                           1e-14 * (1.0 + fabs(golden[i][1])), "%.17g: %.17g", golden[i][0],
                           tr_normal_quantile(golden[i][0]));
    for (int i = 1; i < N; i++) { /* the inverse of the distribution function */
        const double p = part(i), x = tr_normal_quantile(p);
        cr_assert_float_eq(0.5 * erfc(-x / sqrt(2.0)), p, 1e-15 + 1e-13 * p, "%.17g", p);
    }
}

Test(elementary_math, special_arguments)
{
    const double infinity = (double)INFINITY, nan = (double)NAN;
    cr_assert_eq(tr_exp(infinity), infinity);
    cr_assert_eq(tr_exp(-infinity), 0.0);
    cr_assert_eq(tr_exp(-745.0), 0x1p-1074);
    cr_assert_eq(tr_exp(0.0), 1.0);
    cr_assert_eq(tr_expf(INFINITY), INFINITY);
    cr_assert_eq(tr_expf(-INFINITY), 0.0f);
    cr_assert_eq(tr_expf(0.0f), 1.0f);
    cr_assert_eq(tr_expf(89.0f), INFINITY);
    cr_assert_eq(tr_log(infinity), infinity);
    cr_assert_eq(tr_log(0.0), -infinity);
    cr_assert_eq(tr_log(1.0), 0.0);
    cr_assert_eq(tr_log(0x1p-1074), -1074.0 * M_LN2);
    cr_assert_eq(tr_log1p(0.0), 0.0);
    cr_assert_eq(tr_log1p(infinity), infinity);
    cr_assert_eq(tr_pow(0.0, 0.0), 1.0);
    cr_assert_eq(tr_pow(0.0, 0.5), 0.0);
    cr_assert_eq(tr_pow(1.0, 1e9), 1.0);
    cr_assert_eq(tr_pow(0.5, 3.0), 0.125);
    cr_assert_eq(tr_cos_pi(0.0), 1.0);
    cr_assert_eq(tr_cos_pi(0.5), 0.0);
    cr_assert_eq(tr_cos_pi(1.0), -1.0);
    cr_assert(isnan(tr_exp(nan)) && isnan(tr_expf(NAN)) && isnan(tr_log(nan)) &&
              isnan(tr_log(-1.0)) && isnan(tr_log1p(nan)) && isnan(tr_pow(nan, 0.5)));
}

/* Recorded with gcc 12 on x86-64; the same with clang, -O0 to -O3, with and without FMA. */
Test(elementary_math, same_bits_everywhere)
{
    char text[TR_DIGEST_TEXT];
    tr_digest *digest = tr_digest_new();
    cr_assert_not_null(digest);
    for (int i = 0; i < N; i++) {
        const double x = part(i);
        const double results[] = {tr_exp(-700.0 + 1400.0 * x),
                                  tr_log(0.01 + 100.0 * x),
                                  tr_log1p(x * x),
                                  tr_pow(x, 40.0 * part(i + 1)),
                                  tr_cos_pi(x),
                                  (double)tr_expf((float)(-100.0 + 190.0 * x))};
        tr_digest_add(digest, results, sizeof results);
    }
    tr_digest_text(digest, text);
    tr_digest_free(digest);
    cr_assert_str_eq(text, "5072821148c30375893d201d2a8dc600");
}
