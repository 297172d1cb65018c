/* winograd_transforms.h -- the lines of Winograd's F(4, 3) and F(2, 3), one vector of channels
 * wide.
 *
 * Four results of a filter of three taps are a product of polynomials: source and filter are
 * evaluated at six points, multiplied there, and the results are interpolated. In two dimensions
 * each transform goes over the columns, then over the rows. The points are
 *
 *     0   +A   -A   +B   -B   infinity         A = 0.625, B = 1.5
 *
 * whose errors are a half of those of 0, 1, -1, 2, -2, infinity. Lines of two results or fewer, at
 * the end of an image (`few`), need four of the points, 0, +A, -A and infinity: F(2, 3), scaled to
 * the same evaluated filter. What a transform of such a line leaves out stays unset.
 *
 * Each function is the chain of operations of its elements, as it stands here.
 */
#ifndef TR_WINOGRAD_TRANSFORMS_H
#define TR_WINOGRAD_TRANSFORMS_H

#include "vector.h"

enum {
    POINTS = 6,
    ALL_POINTS = POINTS * POINTS,
    TILE = 4, /* results of a line */
    FEW = 2,  /* of a line at the end */
    TAPS = 3
};

static const float POINT_A = 0.625f, POINT_B = 1.5f;
static const float A_2 = 0.390625f, B_2 = 2.25f; /* their squares */
static const float A_3 = 0.244140625f, B_3 = 3.375f;
static const float A_2_B_2 = 0.87890625f, A_2_PLUS_B_2 = 2.640625f, A_2_MINUS_B_2 = -1.859375f;
/* The filter's factors: 1 / (A^2 B^2), 1 / (2 A^2 (A^2 - B^2)), 1 / (2 B^2 (B^2 - A^2)). */
static const float AT_0 = (float)(1.0 / 0.87890625);
static const float AT_A = (float)(1.0 / (2.0 * 0.390625 * -1.859375));
static const float AT_B = (float)(1.0 / (2.0 * 2.25 * 1.859375));

/* Does a line with few results leave out this point? */
TR_INLINE bool outer_point(int point)
{
    return point == 3 || point == 4;
}

TR_INLINE int line_sources(bool few)
{
    return few ? FEW + TAPS - 1 : TILE + TAPS - 1;
}

/* Six (few: four) numbers of the source at the points. */
TR_INLINE void line_of_source(bool few, const vec *d, vec *at)
{
    if (few) {
        const vec even = v_mul(v_set(A_2_MINUS_B_2), d[2]), odd = v_mul(v_set(A_2_MINUS_B_2), d[1]);
        at[0] = v_fma(v_set(A_2_B_2), d[0], v_mul(v_set(-B_2), d[2]));
        at[1] = v_fma(v_set(POINT_A), odd, even);
        at[2] = v_fnma(v_set(POINT_A), odd, even);
        at[5] = v_fnma(v_set(A_2), d[1], d[3]);
        return;
    }
    const vec even_a = v_fnma(v_set(B_2), d[2], d[4]), odd_a = v_fnma(v_set(B_2), d[1], d[3]);
    const vec even_b = v_fnma(v_set(A_2), d[2], d[4]), odd_b = v_fnma(v_set(A_2), d[1], d[3]);
    at[0] = v_fma(v_set(A_2_B_2), d[0], v_fnma(v_set(A_2_PLUS_B_2), d[2], d[4]));
    at[1] = v_fma(v_set(POINT_A), odd_a, even_a);
    at[2] = v_fnma(v_set(POINT_A), odd_a, even_a);
    at[3] = v_fma(v_set(POINT_B), odd_b, even_b);
    at[4] = v_fnma(v_set(POINT_B), odd_b, even_b);
    at[5] = v_fma(v_set(A_2_B_2), d[1], v_fnma(v_set(A_2_PLUS_B_2), d[3], d[5]));
}

/* Four (few: two) results from the products at the points. */
TR_INLINE void line_of_result(bool few, const vec *at, vec *y)
{
    const vec even_a = v_add(at[1], at[2]), odd_a = v_sub(at[1], at[2]);
    if (few) {
        y[0] = v_add(at[0], even_a);
        y[1] = v_fma(v_set(POINT_A), odd_a, at[5]);
        return;
    }
    const vec even_b = v_add(at[3], at[4]), odd_b = v_sub(at[3], at[4]);
    y[0] = v_add(at[0], v_add(even_a, even_b));
    y[1] = v_fma(v_set(POINT_B), odd_b, v_mul(v_set(POINT_A), odd_a));
    y[2] = v_fma(v_set(B_2), even_b, v_mul(v_set(A_2), even_a));
    y[3] = v_fma(v_set(B_3), odd_b, v_fma(v_set(A_3), odd_a, at[5]));
}

/* The transpose of line_of_result: gradients of the results at the points. */
TR_INLINE void line_of_gradient(bool few, const vec *y, vec *at)
{
    at[0] = y[0];
    if (few) {
        at[1] = v_fma(v_set(POINT_A), y[1], y[0]);
        at[2] = v_fnma(v_set(POINT_A), y[1], y[0]);
        at[5] = y[1];
        return;
    }
    const vec even_a = v_fma(v_set(A_2), y[2], y[0]), odd_a = v_fma(v_set(A_2), y[3], y[1]);
    const vec even_b = v_fma(v_set(B_2), y[2], y[0]), odd_b = v_fma(v_set(B_2), y[3], y[1]);
    at[1] = v_fma(v_set(POINT_A), odd_a, even_a);
    at[2] = v_fnma(v_set(POINT_A), odd_a, even_a);
    at[3] = v_fma(v_set(POINT_B), odd_b, even_b);
    at[4] = v_fnma(v_set(POINT_B), odd_b, even_b);
    at[5] = y[3];
}

/* Three taps of a filter at the points. */
TR_INLINE void line_of_filter(const vec *w, vec *at)
{
    const vec even_a = v_mul(v_set(AT_A), v_fma(v_set(A_2), w[2], w[0]));
    const vec odd_a = v_mul(v_set(AT_A * POINT_A), w[1]);
    const vec even_b = v_mul(v_set(AT_B), v_fma(v_set(B_2), w[2], w[0]));
    const vec odd_b = v_mul(v_set(AT_B * POINT_B), w[1]);
    at[0] = v_mul(v_set(AT_0), w[0]);
    at[1] = v_add(even_a, odd_a);
    at[2] = v_sub(even_a, odd_a);
    at[3] = v_add(even_b, odd_b);
    at[4] = v_sub(even_b, odd_b);
    at[5] = w[2];
}

/* Its transpose: the gradient of three taps from that of the filter at the points. */
TR_INLINE void line_of_filter_gradient(const vec *at, vec *w)
{
    const vec even_a = v_mul(v_set(AT_A), v_add(at[1], at[2]));
    const vec odd_a = v_mul(v_set(AT_A), v_sub(at[1], at[2]));
    const vec even_b = v_mul(v_set(AT_B), v_add(at[3], at[4]));
    const vec odd_b = v_mul(v_set(AT_B), v_sub(at[3], at[4]));
    w[0] = v_fma(v_set(AT_0), at[0], v_add(even_a, even_b));
    w[1] = v_fma(v_set(POINT_B), odd_b, v_mul(v_set(POINT_A), odd_a));
    w[2] = v_fma(v_set(B_2), even_b, v_fma(v_set(A_2), even_a, at[5]));
}

#endif
