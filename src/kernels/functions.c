/* functions.c -- the elementary functions and their derivatives, of one number after the other; see
 * function.h and elementary.h. As in oneDNN, a derivative multiplies what comes from behind: 0
 * times infinity is NaN.
 */
#include "elementary.h"
#include "set.h"

/* ---- one vector ---- */

/* min(max(x / 6 + 1/2, 0), 1) */
TR_INLINE vec v_hard_gate(vec x)
{
    const vec gate = v_fma(v_set(1.0f / 6.0f), x, v_set(0.5f));
    return v_min(v_set(1.0f), v_max(v_set(0.0f), gate));
}

/* sqrt(x^2 + a), where a square is too large |x|. */
TR_INLINE vec v_root_of_square(vec x, vec a)
{
    return v_select(v_gt(v_abs(x), v_set(1e15f)), v_abs(x), v_sqrt(v_fma(x, x, a)));
}

/* Those without exp. */
TR_INLINE vec rational_value_of(tr_function_kind kind, tr_function f, vec x)
{
    const vec zero = v_set(0.0f), half = v_set(0.5f), one = v_set(1.0f), alpha = v_set(f.alpha);
    switch (kind) {
    case TR_FN_SOFTSIGN: {
        const vec most = v_set(1e30f), at = v_min(most, v_max(v_negative(most), x));
        return v_div(at, v_add(one, v_abs(at)));
    }
    case TR_FN_SQUAREPLUS: { /* below 0 x and the root would cancel */
        const vec root = v_root_of_square(x, alpha);
        return v_select(v_gt(x, zero), v_fma(half, x, v_mul(half, root)),
                        v_div(v_mul(half, alpha), v_sub(root, x)));
    }
    case TR_FN_SPARSE_PLUS: {
        const vec above = v_max(zero, v_add(x, one));
        return v_select(v_gt(x, one), x, v_mul(v_mul(half, above), v_mul(half, above)));
    }
    case TR_FN_SOFT_SHRINK:
        return v_sub(x, v_min(alpha, v_max(v_negative(alpha), x)));
    case TR_FN_HARD_SHRINK:
        return v_select(v_gt(v_abs(x), alpha), x, zero);
    default:
        return zero;
    }
}

TR_INLINE vec rational_slope_of(tr_function_kind kind, tr_function f, vec from)
{
    const vec zero = v_set(0.0f), half = v_set(0.5f), one = v_set(1.0f), alpha = v_set(f.alpha);
    switch (kind) {
    case TR_FN_SOFTSIGN: {
        const vec rest = v_sub(one, v_abs(from));
        return v_mul(rest, rest);
    }
    case TR_FN_SQUAREPLUS:
        return v_div(rational_value_of(kind, f, from), v_root_of_square(from, alpha));
    case TR_FN_SPARSE_PLUS:
        return v_min(one, v_max(zero, v_fma(half, from, half)));
    case TR_FN_HARD_SWISH: {
        const vec inside = v_fma(v_set(1.0f / 3.0f), from, half), three = v_set(3.0f);
        return v_select(v_gt(from, three), one,
                        v_select(v_gt(v_negative(from), three), zero, inside));
    }
    case TR_FN_SOFT_SHRINK:
    case TR_FN_HARD_SHRINK:
        return v_select(v_gt(v_abs(from), zero), one, zero);
    default:
        return zero;
    }
}

/* `kind` is f.kind as a constant, so that each function has a loop of its own. */
TR_INLINE vec value_of(tr_function_kind kind, tr_function f, vec x)
{
    const vec zero = v_set(0.0f), alpha = v_set(f.alpha), beta = v_set(f.beta);
    vec other;
    switch (kind) {
    case TR_FN_LINEAR:
        return v_fma(alpha, x, beta);
    case TR_FN_RELU:
        return v_relu(x, f.alpha);
    case TR_FN_ELU:
        return v_select(v_gt(x, zero), x, v_mul(alpha, v_expm1(v_min(zero, x))));
    case TR_FN_LOGISTIC:
        return v_logistic(x, &other);
    case TR_FN_TANH:
        return v_tanh(x);
    case TR_FN_GELU:
        return v_mul(x, v_normal(x, &other));
    case TR_FN_SWISH:
        return v_mul(x, v_logistic(v_mul(alpha, x), &other));
    case TR_FN_SOFTPLUS:
        return v_add(v_max(x, zero), v_log1p(v_exp(v_negative(v_abs(x)))));
    case TR_FN_CLIP:
        return v_min(v_max(x, alpha), beta);
    case TR_FN_THRESHOLD:
        return v_select(v_gt(x, beta), x, v_mul(alpha, v_sub(x, beta)));
    case TR_FN_EXP:
        return v_exp_of_any(x);
    case TR_FN_LOG_SIGMOID:
        return v_sub(v_min(zero, x), v_log1p(v_exp(v_negative(v_abs(x)))));
    case TR_FN_MISH:
        return v_mul(x, v_mish_gate(x, &other));
    case TR_FN_HARD_SWISH:
        return v_mul(x, v_hard_gate(x));
    case TR_FN_TANH_SHRINK:
        return v_sub(x, v_tanh(x));
    default:
        return rational_value_of(kind, f, x);
    }
}

/* From the result for those of which kernels.h says so, else from the argument. */
TR_INLINE vec slope_of(tr_function_kind kind, tr_function f, vec from)
{
    const vec zero = v_set(0.0f), one = v_set(1.0f);
    const vec alpha = v_set(f.alpha), beta = v_set(f.beta);
    vec other;
    switch (kind) {
    case TR_FN_LINEAR:
        return alpha;
    case TR_FN_RELU:
        return v_select(v_gt(from, zero), one, alpha);
    case TR_FN_ELU:
        return v_select(v_gt(zero, from), v_add(from, alpha), one);
    case TR_FN_LOGISTIC:
        return v_mul(from, v_sub(one, from));
    case TR_FN_TANH:
        return v_fnma(from, from, one);
    case TR_FN_GELU: {
        const vec distribution = v_normal(from, &other);
        return v_fma(from, other, distribution);
    }
    case TR_FN_SWISH: {
        const vec x = v_mul(alpha, from), y = v_logistic(x, &other);
        return v_mul(y, v_fma(x, other, one));
    }
    case TR_FN_SOFTPLUS:
        return v_logistic(from, &other);
    case TR_FN_CLIP:
        return v_select(v_gt(from, alpha), v_select(v_gt(beta, from), one, zero), zero);
    case TR_FN_THRESHOLD:
        return v_select(v_gt(from, zero), one, alpha);
    case TR_FN_EXP:
        return from;
    case TR_FN_LOG_SIGMOID:
        return v_logistic(v_negative(from), &other);
    case TR_FN_MISH: {
        const vec gate = v_mish_gate(from, &other), rest = v_mul(other, v_add(one, gate));
        return v_fma(v_mul(from, v_logistic(from, &other)), rest, gate);
    }
    case TR_FN_TANH_SHRINK: {
        const vec y = v_tanh(from);
        return v_mul(y, y);
    }
    default:
        return rational_slope_of(kind, f, from);
    }
}

/* ---- many ---- */

TR_INLINE void forward_all(tr_function_kind kind, tr_function f, int64_t count, const float *src,
                           float *dst)
{
    int64_t i = 0;
    for (; i + VL <= count; i += VL)
        v_store(dst + i, value_of(kind, f, v_load(src + i)));
    if (i < count)
        v_store_n(dst + i, value_of(kind, f, v_load_n(src + i, count - i)), count - i);
}

TR_INLINE void backward_all(tr_function_kind kind, tr_function f, int64_t count, const float *from,
                            const float *diff_dst, float *diff_src)
{
    int64_t i = 0;
    for (; i + VL <= count; i += VL)
        v_store(diff_src + i, v_mul(v_load(diff_dst + i), slope_of(kind, f, v_load(from + i))));
    if (i < count) {
        const vec slope = slope_of(kind, f, v_load_n(from + i, count - i));
        v_store_n(diff_src + i, v_mul(v_load_n(diff_dst + i, count - i), slope), count - i);
    }
}

#define EACH_KIND(CASE)                                                                            \
    CASE(TR_FN_LINEAR)                                                                             \
    CASE(TR_FN_RELU)                                                                               \
    CASE(TR_FN_ELU)                                                                                \
    CASE(TR_FN_LOGISTIC)                                                                           \
    CASE(TR_FN_TANH)                                                                               \
    CASE(TR_FN_GELU)                                                                               \
    CASE(TR_FN_SWISH)                                                                              \
    CASE(TR_FN_SOFTPLUS)                                                                           \
    CASE(TR_FN_CLIP)                                                                               \
    CASE(TR_FN_THRESHOLD)                                                                          \
    CASE(TR_FN_EXP)                                                                                \
    CASE(TR_FN_LOG_SIGMOID)                                                                        \
    CASE(TR_FN_SOFTSIGN)                                                                           \
    CASE(TR_FN_SQUAREPLUS)                                                                         \
    CASE(TR_FN_SPARSE_PLUS)                                                                        \
    CASE(TR_FN_MISH)                                                                               \
    CASE(TR_FN_HARD_SWISH)                                                                         \
    CASE(TR_FN_SOFT_SHRINK) CASE(TR_FN_HARD_SHRINK) CASE(TR_FN_TANH_SHRINK)

static void forward(const tr_function *function, int64_t count, const float *src, float *dst)
{
    const tr_function f = *function;
    switch (f.kind) {
#define FORWARD(kind)                                                                              \
    case kind:                                                                                     \
        forward_all(kind, f, count, src, dst);                                                     \
        return;
        EACH_KIND(FORWARD)
    case TR_N_FUNCTIONS:
        return;
    }
}

static void backward(const tr_function *function, int64_t count, const float *from,
                     const float *diff_dst, float *diff_src)
{
    const tr_function f = *function;
    switch (f.kind) {
#define BACKWARD(kind)                                                                             \
    case kind:                                                                                     \
        backward_all(kind, f, count, from, diff_dst, diff_src);                                    \
        return;
        EACH_KIND(BACKWARD)
    case TR_N_FUNCTIONS:
        return;
    }
}

const tr_function_kernels TR_OF_SET(tr_functions) = {.forward = forward, .backward = backward};
