/* elementary_math.h -- exp, log and their kin for results that a training depends on, with the same
 * bits on every CPU and under every C library, whose own differ in the last place.
 *
 * Of additions, multiplications, divisions and square roots in a written order. Errors in units of
 * the last place: tr_expf 0.51, tr_exp, tr_log and tr_log1p 1, tr_cos_pi 1 of a number near 1;
 * tr_pow as many more as the logarithm of its result is large. NaN, infinities and 0 as in C.
 */
#ifndef TR_ELEMENTARY_MATH_H
#define TR_ELEMENTARY_MATH_H

float tr_expf(float x);
double tr_exp(double x);
double tr_log(double x);
double tr_log1p(double x);         /* log(1 + x) for x >= 0 */
double tr_pow(double x, double y); /* for x >= 0 */
double tr_cos_pi(double turns);    /* cos(pi turns) for 0 <= turns <= 1 */

/* The number below which a standard normal variable is with probability p, 0 < p < 1; to 2^-50 of
 * it. Of a uniform p it is one. */
double tr_normal_quantile(double p);

#endif
