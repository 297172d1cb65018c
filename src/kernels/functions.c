/* functions.c -- the elementary functions and their derivatives, of one number after the other; see
 * function.h and elementary.h. As in oneDNN, a derivative multiplies what comes from behind: 0
 * times infinity is NaN.
 */
#include "elementary.h"
#include "set.h"

/* ---- one vector ---- */

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
    }
    return zero;
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
    }
    return zero;
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
    CASE(TR_FN_TANH) CASE(TR_FN_GELU) CASE(TR_FN_SWISH) CASE(TR_FN_SOFTPLUS) CASE(TR_FN_CLIP)

static void forward(const tr_function *function, int64_t count, const float *src, float *dst)
{
    const tr_function f = *function;
    switch (f.kind) {
#define FORWARD(kind)                                                                              \
    case kind:                                                                                     \
        forward_all(kind, f, count, src, dst);                                                     \
        return;
        EACH_KIND(FORWARD)
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
    }
}

const tr_function_kernels TR_OF_SET(tr_functions) = {.forward = forward, .backward = backward};
