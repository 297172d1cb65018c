/* elementary_math.c -- see elementary_math.h. Arguments are reduced to where a short power series
 * has the accuracy; compilers work out its quotients exactly rounded.
 */
#include "elementary_math.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^n for -1023 < n < 1024 */
static double power_of_2(int n)
{
    return of_bits((uint64_t)(n + 1023) << 52);
}

/* To an integer, ties to even, for |x| < 2^51. */
static double rounded(double x)
{
    return x + 0x1.8p52 - 0x1.8p52;
}

/* c[0] + c[1] x + ... */
static double series(const double *c, int n, double x)
{
    double sum = c[n - 1];
    for (int i = n - 2; i >= 0; i--)
        sum = sum * x + c[i];
    return sum;
}

/* log 2, whose first part has zeros enough for products with exponents to be exact */
static const double log_2_high = 0x1.62e42feep-1, log_2_low = 0x1.a39ef35793c76p-33;

/* exp(x) = 2^(k / 32) 2^r: a table, and a cubic with the coefficients of ARM's optimized routines,
 * which the C libraries of Linux use too: the results are theirs. */
float tr_expf(float x)
{
    static const double table[32] = {0x1.00p+0,
                                     0x1.059b0d3158574p+0,
                                     0x1.0b5586cf9890fp+0,
                                     0x1.11301d0125b51p+0,
                                     0x1.172b83c7d517bp+0,
                                     0x1.1d4873168b9aap+0,
                                     0x1.2387a6e756238p+0,
                                     0x1.29e9df51fdee1p+0,
                                     0x1.306fe0a31b715p+0,
                                     0x1.371a7373aa9cbp+0,
                                     0x1.3dea64c123422p+0,
                                     0x1.44e086061892dp+0,
                                     0x1.4bfdad5362a27p+0,
                                     0x1.5342b569d4f82p+0,
                                     0x1.5ab07dd485429p+0,
                                     0x1.6247eb03a5585p+0,
                                     0x1.6a09e667f3bcdp+0,
                                     0x1.71f75e8ec5f74p+0,
                                     0x1.7a11473eb0187p+0,
                                     0x1.82589994cce13p+0,
                                     0x1.8ace5422aa0dbp+0,
                                     0x1.93737b0cdc5e5p+0,
                                     0x1.9c49182a3f090p+0,
                                     0x1.a5503b23e255dp+0,
                                     0x1.ae89f995ad3adp+0,
                                     0x1.b7f76f2fb5e47p+0,
                                     0x1.c199bdd85529cp+0,
                                     0x1.cb720dcef9069p+0,
                                     0x1.d5818dcfba487p+0,
                                     0x1.dfc97337b9b5fp+0,
                                     0x1.ea4afa2a490dap+0,
                                     0x1.f50765b6e4540p+0};
    if (isnan(x) || x > 89.0f || x < -105.0f)
        return isnan(x) ? x : x > 0.0f ? INFINITY : 0.0f;
    const double scaled = 0x1.71547652b82fep+0 * 32.0 * (double)x, whole = rounded(scaled);
    const int k = (int)whole;
    const double r = scaled - whole;
    const double cube = 0x1.c6af84b912394p-5 / 32768.0 * r + 0x1.ebfce50fac4f3p-3 / 1024.0;
    const double line = 0x1.62e42ff0c52d6p-1 / 32.0 * r + 1.0;
    const int place = (k % 32 + 32) % 32;
    return (float)((cube * (r * r) + line) * (table[place] * power_of_2((k - place) / 32)));
}

/* x = n log 2 + r: 2^n (1 + r + r^2 p(r)), in two steps as neither 2^1024 nor 2^-1074 is normal. */
double tr_exp(double x)
{
    static const double p[] = {1.0 / 2.0,        1.0 / 6.0,         1.0 / 24.0,
                               1.0 / 120.0,      1.0 / 720.0,       1.0 / 5040.0,
                               1.0 / 40320.0,    1.0 / 362880.0,    1.0 / 3628800.0,
                               1.0 / 39916800.0, 1.0 / 479001600.0, 1.0 / 6227020800.0};
    if (isnan(x) || x > 710.0 || x < -746.0)
        return isnan(x) ? x : x > 0.0 ? INFINITY : 0.0;
    const double n = rounded(x * 0x1.71547652b82fep+0);
    const double high = x - n * log_2_high, low = n * log_2_low, r = high - low;
    const double rest = (high - r) - low; /* of r, where it was rounded */
    const double y = 1.0 + (r + (rest + r * r * series(p, sizeof p / sizeof *p, r)));
    const int half = (int)n / 2;
    return y * power_of_2(half) * power_of_2((int)n - half);
}

/* x = 2^k (1 + f), sqrt(1/2) < 1 + f < sqrt(2), s = f / (2 + f), log(1 + f) = 2 atanh(s) =
 * f - f^2 / 2 + s (f^2 / 2 + 2 s^2 p(s^2)) */
double tr_log(double x)
{
    static const double p[] = {1.0 / 3.0,  1.0 / 5.0,  1.0 / 7.0,  1.0 / 9.0,  1.0 / 11.0,
                               1.0 / 13.0, 1.0 / 15.0, 1.0 / 17.0, 1.0 / 19.0, 1.0 / 21.0};
    if (!(x > 0.0) || x > 0x1.fffffffffffffp1023)
        return x == 0.0 ? -INFINITY : x > 0.0 ? x : NAN;
    int k = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        k = -54;
    }
    const uint64_t bits = bits_of(x) + (0x3ff0000000000000 - 0x3fe6a09e00000000);
    k += (int)(bits >> 52) - 1023;
    const double f = of_bits((bits & 0xfffffffffffff) + 0x3fe6a09e00000000) - 1.0;
    const double s = f / (2.0 + f), z = s * s, half = 0.5 * f * f;
    const double r = 2.0 * z * series(p, sizeof p / sizeof *p, z);
    return (double)k * log_2_high - ((half - (s * (half + r) + (double)k * log_2_low)) - f);
}

double tr_log1p(double x)
{
    const double y = 1.0 + x;
    return y > 0x1p60 ? tr_log(y) : tr_log(y) + (x - (y - 1.0)) / y; /* what y was rounded by */
}

double tr_pow(double x, double y)
{
    if (y >= 0.0 && y <= 32.0 && y == rounded(y)) { /* exact where numbers are few */
        double product = 1.0;
        for (int i = 0; i < (int)y; i++)
            product *= x;
        return product;
    }
    return tr_exp(y * tr_log(x));
}

/* From the nearest of 0, 1/2 and 1, where cos or sin of up to pi / 4 is needed. */
double tr_cos_pi(double turns)
{
    static const double pi = 3.14159265358979323846;
    static const double even[] = {1.0 / 1.0,         -1.0 / 2.0,           1.0 / 24.0,
                                  -1.0 / 720.0,      1.0 / 40320.0,        -1.0 / 3628800.0,
                                  1.0 / 479001600.0, -1.0 / 87178291200.0, 1.0 / 20922789888000.0};
    static const double odd[] = {
        1.0 / 1.0,      -1.0 / 6.0,        1.0 / 120.0,        -1.0 / 5040.0,
        1.0 / 362880.0, -1.0 / 39916800.0, 1.0 / 6227020800.0, -1.0 / 1307674368000.0};
    if (turns > 0.5)
        return -tr_cos_pi(1.0 - turns);
    const double x = pi * (turns <= 0.25 ? turns : 0.5 - turns);
    return turns <= 0.25 ? series(even, sizeof even / sizeof *even, x * x)
                         : x * series(odd, sizeof odd / sizeof *odd, x * x);
}
