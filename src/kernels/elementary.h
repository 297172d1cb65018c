/* elementary.h -- exp and its kin in vectors, from fma, add, multiply, divide and operations on
 * bits alone, so that a lane's bits are the same on every instruction set.
 *
 * Where a NaN goes in, a NaN comes out, but for v_relu; infinite and huge arguments give the
 * limits; what float32 has no normal number for is 0 where denormals are flushed.
 */
#ifndef TR_ELEMENTARY_H
#define TR_ELEMENTARY_H

#include "vector.h"

/* v_max(a, b) is b where one of them is a NaN: limits come first where NaNs are to stay. */

/* x > 0 ? x : alpha x. As in oneDNN's kernels, a plain relu (alpha 0) of a NaN or of -infinity is
 * 0; a leaky one keeps the NaN. */
TR_INLINE vec v_relu(vec x, float alpha)
{
    if (alpha == 0.0f)
        return v_max(x, v_set(0.0f));
    return v_select(v_gt(x, v_set(0.0f)), x, v_mul(v_set(alpha), x));
}

TR_INLINE vec v_negative(vec x)
{
    return v_sub(v_set(0.0f), x);
}

TR_INLINE vec v_abs(vec x)
{
    return v_of_bits(vi_and(v_bits(x), vi_set(INT32_MAX)));
}

/* c[0] x^(n - 1) + ... + c[n - 1] */
TR_INLINE vec v_polynomial_(const float *c, int n, vec x)
{
    vec sum = v_set(c[0]);
    TR_UNROLL
    for (int i = 1; i < n; i++)
        sum = v_fma(sum, x, v_set(c[i]));
    return sum;
}

/* ---- exp: x = n log 2 + r with |r| <= log(2) / 2, exp(x) = 2^n exp(r) ---- */

/* r and n. Adding 1.5 * 2^23 rounds to an integer and leaves it in the last bits. */
TR_INLINE vec v_reduce_(vec x, veci *n)
{
    const vec magic = v_set(12582912.0f);
    const vec shifted = v_fma(x, v_set(1.44269504f), magic), whole = v_sub(shifted, magic);
    *n = vi_sub(v_bits(shifted), v_bits(magic));
    const vec r = v_fma(whole, v_set(-0.693359375f), x); /* log 2 in two parts */
    return v_fma(whole, v_set(2.12194440e-4f), r);
}

/* exp(r) - 1 = r + r^2 p(r) */
TR_INLINE vec v_expm1_reduced_(vec r)
{
    static const float p[] = {1.39261862e-3f, 8.36318108e-3f, 4.16665546e-2f, 1.66665770e-1f, 0.5f};
    return v_fma(v_mul(r, r), v_polynomial_(p, 5, r), r);
}

/* 2^n for -127 < n < 128, and 0 for -127 */
TR_INLINE vec v_power_of_2_(veci n)
{
    return v_of_bits(vi_shift_left(vi_add(n, vi_set(127)), 23));
}

/* For x <= 0, which is all that is asked for; 0 below -87.7, for which there is no normal number.
 */
TR_INLINE vec v_exp(vec x)
{
    veci n;
    const vec r = v_reduce_(v_max(v_set(-88.0f), x), &n);
    return v_mul(v_add(v_expm1_reduced_(r), v_set(1.0f)), v_power_of_2_(n));
}

/* For any x. 2^n in two steps above 0, where n may be 128. */
TR_INLINE vec v_exp_of_any(vec x)
{
    veci n;
    const vec one = v_set(1.0f);
    const vec r = v_reduce_(v_min(v_set(89.0f), v_max(v_set(-88.0f), x)), &n);
    const vmask positive = v_gt(x, v_set(0.0f));
    const vec less = v_power_of_2_(vi_sub(n, vi_set(1))), power = v_power_of_2_(n);
    const vec scaled = v_mul(v_add(v_expm1_reduced_(r), one), v_select(positive, less, power));
    return v_select(positive, v_add(scaled, scaled), scaled);
}

/* exp(x) - 1 for x <= 0: 2^n (exp(r) - 1) + (2^n - 1) */
TR_INLINE vec v_expm1(vec x)
{
    veci n;
    const vec r = v_reduce_(v_max(v_set(-88.0f), x), &n);
    const vec power = v_power_of_2_(n);
    return v_fma(power, v_expm1_reduced_(r), v_sub(power, v_set(1.0f)));
}

/* ---- what follows from it ---- */

/* 1 / (1 + exp(-x)); *rest is 1 less that, without cancellation */
TR_INLINE vec v_logistic(vec x, vec *rest)
{
    const vec one = v_set(1.0f), e = v_exp(v_negative(v_abs(x)));
    const vec more = v_div(one, v_add(one, e)), less = v_mul(e, more);
    const vmask positive = v_gt(x, v_set(0.0f));
    *rest = v_select(positive, less, more);
    return v_select(positive, more, less);
}

/* -e / (2 + e), e = exp(-2|x|) - 1, with the sign of x */
TR_INLINE vec v_tanh(vec x)
{
    const vec e = v_expm1(v_mul(v_set(-2.0f), v_abs(x)));
    const vec y = v_div(v_negative(e), v_add(v_set(2.0f), e));
    return v_of_bits(vi_or(v_bits(y), vi_and(v_bits(x), vi_set(INT32_MIN))));
}

/* log(1 + u) for 0 <= u <= 1: 2 atanh(s) = 2 s + 2 s^3 p(s^2), s = u / (2 + u) */
TR_INLINE vec v_log1p(vec u)
{
    static const float p[] = {1.16121646e-1f, 1.08532879e-1f, 1.42961790e-1f, 1.99998532e-1f,
                              3.33333337e-1f};
    const vec s = v_div(u, v_add(v_set(2.0f), u)), z = v_mul(s, s), twice = v_add(s, s);
    return v_fma(v_mul(twice, z), v_polynomial_(p, 5, z), twice);
}

/* tanh(log(1 + exp(x))); *rest is 1 less that, without cancellation. With u = exp(-|x|) and its
 * square both are fractions of polynomials. */
TR_INLINE vec v_mish_gate(vec x, vec *rest)
{
    const vec two = v_set(2.0f), u = v_exp(v_negative(v_abs(x)));
    const vmask positive = v_gt(x, v_set(0.0f));
    const vec above = v_select(positive, v_fma(two, u, v_set(1.0f)), v_mul(u, v_add(u, two)));
    const vec beside = v_select(positive, v_mul(two, v_mul(u, u)), two);
    const vec whole = v_add(above, beside);
    *rest = v_div(beside, whole);
    return v_div(above, whole);
}

/* The normal distribution (1 + erf(x / sqrt 2)) / 2, and its density. With g = exp(-x^2 / 2),
 * a = |x|, t = 1 / (1 + 0.3 a): distribution(-a) = g t p(1 - 2 t), exact in the tail as well. The
 * square's rounding error, s - x^2, is made good, as exp would magnify it. */
TR_INLINE vec v_normal(vec x, vec *density)
{
    static const float p[] = {4.08483589e-5f,  7.78345832e-5f, -2.80416936e-4f, -5.70513842e-4f,
                              2.42316349e-3f,  1.81621516e-3f, -2.77602578e-2f, 8.65496965e-2f,
                              -1.64579490e-1f, 2.21970613e-1f};
    const vec one = v_set(1.0f), a = v_min(v_set(20.0f), v_abs(x));
    const vec s = v_mul(a, a), rest = v_fma(a, a, v_negative(s));
    const vec rounded = v_exp(v_mul(v_set(-0.5f), s));
    const vec g = v_fma(v_mul(v_set(-0.5f), rest), rounded, rounded);
    const vec t = v_div(one, v_fma(v_set(0.3f), a, one)), v = v_fma(v_set(-2.0f), t, one);
    const vec tail = v_mul(v_mul(g, t), v_polynomial_(p, 10, v));
    *density = v_mul(g, v_set(0.398942280f));
    return v_select(v_gt(x, v_set(0.0f)), v_sub(one, tail), tail);
}

#endif
