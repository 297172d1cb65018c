/* reference_eltwise.c -- elementary functions, activations and softmax by definition; see
 * reference.h.
 */
#include <math.h>

#include "program_internal.h"
#include "reference.h"

/* ---- elementary functions ---- */

static double normal_distribution(double x)
{
    return 0.5 * (1.0 + erf(x * M_SQRT1_2));
}

static double normal_density(double x)
{
    return exp(-0.5 * x * x) * 0.5 * M_SQRT1_2 * M_2_SQRTPI;
}

static double logistic(double x)
{
    return 1.0 / (1.0 + exp(-x));
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
    case TR_FN_SQUAREPLUS:
        return 0.5 * (x + sqrt(x * x + alpha));
    case TR_FN_SPARSE_PLUS:
        return x > 1.0 ? x : 0.25 * fmax(x + 1.0, 0.0) * fmax(x + 1.0, 0.0);
    case TR_FN_MISH:
        return x * tanh(log1p(exp(x)));
    case TR_FN_HARD_SWISH:
        return x * fmin(fmax(x / 6.0 + 0.5, 0.0), 1.0);
    case TR_FN_SOFT_SHRINK:
        return x - fmin(fmax(x, -alpha), alpha);
    case TR_FN_HARD_SHRINK:
        return fabs(x) > alpha ? x : 0.0;
    case TR_FN_TANH_SHRINK:
        return x - tanh(x);
    case TR_N_FUNCTIONS:
        break;
    }
    return NAN;
}

/* From the result or from the argument, as tr_function_derivative() says. */
static double slope_of(const tr_function *f, double from)
{
    const double alpha = (double)f->alpha, beta = (double)f->beta;
    switch (f->kind) {
    case TR_FN_LINEAR:
        return alpha;
    case TR_FN_RELU:
        return from > 0.0 ? 1.0 : alpha;
    case TR_FN_ELU:
        return from < 0.0 ? from + alpha : 1.0;
    case TR_FN_LOGISTIC:
        return from * (1.0 - from);
    case TR_FN_TANH:
        return 1.0 - from * from;
    case TR_FN_GELU:
        return normal_distribution(from) + from * normal_density(from);
    case TR_FN_SWISH:
        return logistic(alpha * from) * (1.0 + alpha * from * (1.0 - logistic(alpha * from)));
    case TR_FN_SOFTPLUS:
        return logistic(from);
    case TR_FN_CLIP:
        return from > alpha && from < beta ? 1.0 : 0.0;
    case TR_FN_THRESHOLD:
        return from > 0.0 ? 1.0 : alpha;
    case TR_FN_EXP:
        return from;
    case TR_FN_LOG_SIGMOID:
        return logistic(-from);
    case TR_FN_SOFTSIGN:
        return (1.0 - fabs(from)) * (1.0 - fabs(from));
    case TR_FN_SQUAREPLUS:
        return 0.5 * (1.0 + from / sqrt(from * from + alpha));
    case TR_FN_SPARSE_PLUS:
        return fmin(fmax(0.5 * (from + 1.0), 0.0), 1.0);
    case TR_FN_MISH: {
        const double gate = tanh(log1p(exp(from)));
        return gate + from * logistic(from) * (1.0 - gate * gate);
    }
    case TR_FN_HARD_SWISH:
        return from <= -3.0 ? 0.0 : from >= 3.0 ? 1.0 : from / 3.0 + 0.5;
    case TR_FN_SOFT_SHRINK:
    case TR_FN_HARD_SHRINK:
        return from != 0.0 ? 1.0 : 0.0;
    case TR_FN_TANH_SHRINK:
        return tanh(from) * tanh(from);
    case TR_N_FUNCTIONS:
        break;
    }
    return NAN;
}

/* What a function's own rounding is in proportion to. Those that choose or copy have none; the
 * approximated ones are good to the rounding of their range or, where they grow, of their argument.
 * oneDNN's softplus is less exact than the others: 1e-6 where it is near 0. */
static double value_scale(const tr_function *f, double x)
{
    switch (f->kind) {
    case TR_FN_LINEAR:
        return fabs((double)f->alpha * x) + fabs((double)f->beta);
    case TR_FN_RELU:
        return x > 0.0 ? 0.0 : fabs((double)f->alpha * x);
    case TR_FN_ELU:
        return x > 0.0 ? 0.0 : (double)f->alpha;
    case TR_FN_LOGISTIC:
    case TR_FN_TANH:
        return 1.0;
    case TR_FN_GELU:
    case TR_FN_SWISH:
        return 1.0 + 2.0 * fabs(x);
    case TR_FN_SOFTPLUS:
        return 4.0 + fabs(x);
    case TR_FN_THRESHOLD:
        return x > (double)f->beta ? 0.0 : fabs((double)f->alpha) * (fabs(x) + (double)f->beta);
    case TR_FN_EXP:
        return (1.0 + fabs(x)) * exp(x);
    case TR_FN_LOG_SIGMOID:
    case TR_FN_MISH:
    case TR_FN_HARD_SWISH:
    case TR_FN_TANH_SHRINK:
    case TR_FN_SOFT_SHRINK:
    case TR_FN_SPARSE_PLUS:
        return 1.0 + 2.0 * fabs(x);
    case TR_FN_SOFTSIGN:
        return 1.0;
    case TR_FN_SQUAREPLUS:
        return sqrt(x * x + (double)f->alpha);
    case TR_FN_CLIP:
    case TR_FN_HARD_SHRINK:
    case TR_N_FUNCTIONS:
        return 0.0;
    }
    return NAN;
}

static double slope_scale(const tr_function *f, double from)
{
    switch (f->kind) {
    case TR_FN_LINEAR:
        return fabs((double)f->alpha);
    case TR_FN_RELU:
        return from > 0.0 ? 0.0 : (double)f->alpha;
    case TR_FN_ELU:
        return from < 0.0 ? 2.0 * (double)f->alpha : 0.0;
    case TR_FN_LOGISTIC:
    case TR_FN_TANH:
    case TR_FN_SOFTPLUS:
        return 1.0;
    case TR_FN_GELU:
    case TR_FN_SWISH:
    case TR_FN_MISH:
    case TR_FN_SQUAREPLUS:
        return 2.0 + fabs(from);
    case TR_FN_THRESHOLD:
        return from > 0.0 ? 0.0 : (double)f->alpha;
    case TR_FN_EXP:
        return fabs(from);
    case TR_FN_LOG_SIGMOID:
    case TR_FN_SOFTSIGN:
    case TR_FN_SPARSE_PLUS:
    case TR_FN_HARD_SWISH:
    case TR_FN_TANH_SHRINK:
        return 1.0;
    case TR_FN_CLIP:
    case TR_FN_SOFT_SHRINK:
    case TR_FN_HARD_SHRINK:
    case TR_N_FUNCTIONS:
        return 0.0;
    }
    return NAN;
}

int64_t tr_reference_function_forward(const tr_function *function, const tr_tensor *src,
                                      tr_tensor *dst)
{
    for (int64_t i = 0; i < tr_tensor_elements(src); i++) {
        dst->values[i] = value_of(function, src->values[i]);
        dst->scale[i] = value_scale(function, src->values[i]);
    }
    return 1;
}

int64_t tr_reference_function_backward(const tr_function *function, const tr_tensor *from,
                                       const tr_tensor *diff_dst, tr_tensor *diff_src)
{
    for (int64_t i = 0; i < tr_tensor_elements(diff_dst); i++) {
        diff_src->values[i] = diff_dst->values[i] * slope_of(function, from->values[i]);
        diff_src->scale[i] = fabs(diff_dst->values[i]) * slope_scale(function, from->values[i]);
    }
    return 1;
}

/* The argument's error grows where the function is steeper than 1. */
static double steepness(const tr_function *f)
{
    const bool scales = f->kind == TR_FN_LINEAR || f->kind == TR_FN_RELU || f->kind == TR_FN_ELU;
    return scales ? fmax(1.0, fabs((double)f->alpha)) : 1.0;
}

void tr_reference_fuse(tr_activation fused, tr_tensor *dst)
{
    for (int k = 0; k < fused.n_steps; k++)
        for (int64_t i = 0; i < tr_tensor_elements(dst); i++) {
            const tr_function *step = &fused.steps[k];
            dst->scale[i] = dst->scale[i] * steepness(step) + value_scale(step, dst->values[i]);
            dst->values[i] = value_of(step, dst->values[i]);
        }
}

int64_t tr_reference_copy(const tr_tensor *src, tr_tensor *dst)
{
    for (int64_t i = 0; i < tr_tensor_elements(src); i++) {
        dst->values[i] = src->values[i];
        dst->scale[i] = 0.0;
    }
    return 1;
}

/* ---- prelu ---- */

/* The number of the slope of element i of a tensor [n, c, h, w]. */
static int64_t slope_number(const tr_slopes *slopes, const tr_tensor *of, int64_t i)
{
    const int64_t w = of->dims[3], h = of->dims[2], c = of->dims[1];
    return i / w % h * slopes->step_h + i % w * slopes->step_w + i / (w * h) % c * slopes->step_c;
}

int64_t tr_reference_prelu_forward(const tr_slopes *slopes, const tr_tensor *src,
                                   const tr_tensor *alpha, tr_tensor *dst)
{
    for (int64_t i = 0; i < tr_tensor_elements(src); i++) {
        const double x = src->values[i];
        dst->values[i] = x > 0.0 ? x : x * alpha->values[slope_number(slopes, src, i)];
        dst->scale[i] = fabs(dst->values[i]);
    }
    return 1;
}

int64_t tr_reference_prelu_backward(const tr_slopes *slopes, const tr_tensor *src,
                                    const tr_tensor *alpha, const tr_tensor *diff_dst,
                                    tr_tensor *diff_src, tr_tensor *diff_alpha)
{
    for (int64_t i = 0; i < tr_tensor_elements(src); i++) {
        const double x = src->values[i], d = diff_dst->values[i];
        const int64_t k = slope_number(slopes, src, i);
        if (diff_src != NULL) {
            diff_src->values[i] = x > 0.0 ? d : d * alpha->values[k];
            diff_src->scale[i] = fabs(diff_src->values[i]);
        }
        if (diff_alpha != NULL && !(x > 0.0)) {
            diff_alpha->values[k] += x * d;
            diff_alpha->scale[k] += fabs(x * d);
        }
    }
    return diff_alpha == NULL ? 1 : tr_tensor_elements(src) / tr_tensor_elements(diff_alpha);
}

/* ---- softmax over dimension 1, one position at a time ---- */

/* exp(x - max) inherits the rounding of its argument, which is as large as x - max. */
static void softmax_row_forward(const double *src, double *dst, double *scale, int64_t c,
                                int64_t step)
{
    double max = -INFINITY, sum = 0.0;
    for (int64_t i = 0; i < c; i++)
        max = fmax(max, src[i * step]);
    for (int64_t i = 0; i < c; i++)
        sum += exp(src[i * step] - max);
    for (int64_t i = 0; i < c; i++) {
        dst[i * step] = exp(src[i * step] - max) / sum;
        scale[i * step] = dst[i * step] * (1.0 + max - src[i * step]);
    }
}

static void softmax_row_backward(const double *y, const double *dy, double *dx, double *scale,
                                 int64_t c, int64_t step)
{
    double sum = 0.0, size = 0.0;
    for (int64_t i = 0; i < c; i++) {
        sum += dy[i * step] * y[i * step];
        size += fabs(dy[i * step] * y[i * step]);
    }
    for (int64_t i = 0; i < c; i++) {
        dx[i * step] = y[i * step] * (dy[i * step] - sum);
        scale[i * step] = fabs(y[i * step]) * (fabs(dy[i * step]) + size);
    }
}

/* x - max - log(sum) is as exact as its terms. */
static void log_row_forward(const double *src, double *dst, double *scale, int64_t c, int64_t step)
{
    double max = -INFINITY, sum = 0.0;
    for (int64_t i = 0; i < c; i++)
        max = fmax(max, src[i * step]);
    for (int64_t i = 0; i < c; i++)
        sum += exp(src[i * step] - max);
    for (int64_t i = 0; i < c; i++) {
        dst[i * step] = src[i * step] - max - log(sum);
        scale[i * step] = 1.0 + max - src[i * step] + log(sum);
    }
}

static void log_row_backward(const double *y, const double *dy, double *dx, double *scale,
                             int64_t c, int64_t step)
{
    double sum = 0.0, size = 0.0;
    for (int64_t i = 0; i < c; i++) {
        sum += dy[i * step];
        size += fabs(dy[i * step]);
    }
    for (int64_t i = 0; i < c; i++) {
        const double p = exp(y[i * step]);
        dx[i * step] = dy[i * step] - p * sum;
        scale[i * step] = fabs(dy[i * step]) + p * size * (1.0 + fabs(y[i * step]));
    }
}

int64_t tr_reference_softmax_forward(bool log, const tr_tensor *src, tr_tensor *dst)
{
    const int64_t n = tr_tensor_elements(src), c = src->dims[1];
    const int64_t image = src->dims[2] * src->dims[3];
    for (int64_t k = 0; k < n / c; k++) {
        const int64_t from = k / image * c * image + k % image;
        (log ? log_row_forward : softmax_row_forward)(src->values + from, dst->values + from,
                                                      dst->scale + from, c, image);
    }
    return c;
}

int64_t tr_reference_softmax_backward(bool log, const tr_tensor *dst, const tr_tensor *diff_dst,
                                      tr_tensor *diff_src)
{
    const int64_t n = tr_tensor_elements(dst), c = dst->dims[1];
    const int64_t image = dst->dims[2] * dst->dims[3];
    for (int64_t k = 0; k < n / c; k++) {
        const int64_t from = k / image * c * image + k % image;
        (log ? log_row_backward : softmax_row_backward)(dst->values + from, diff_dst->values + from,
                                                        diff_src->values + from,
                                                        diff_src->scale + from, c, image);
    }
    return c;
}
