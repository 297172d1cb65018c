/* reference.c -- max pooling, elementwise functions and softmax by definition; see reference.h. */
#include "reference.h"

#include <math.h>
#include <string.h>

/* ---- max pooling ---- */

/* The index in src's image of the window's largest element; ties go to the first in row order. */
static int64_t winner(const tr_geometry *g, const double *image, int64_t h, int64_t w, int64_t y,
                      int64_t x)
{
    int64_t best = -1;
    for (int64_t ky = 0; ky < g->kernel[0]; ky++)
        for (int64_t kx = 0; kx < g->kernel[1]; kx++) {
            const int64_t src_y = y * g->strides[0] - g->pad_before[0] + ky;
            const int64_t src_x = x * g->strides[1] - g->pad_before[1] + kx;
            if (src_y < 0 || src_y >= h || src_x < 0 || src_x >= w)
                continue; /* padding never wins */
            const int64_t at = src_y * w + src_x;
            if (best < 0 || image[at] > image[best])
                best = at;
        }
    return best;
}

int64_t tr_reference_max_pool_forward(const tr_geometry *geometry, const tr_tensor *src,
                                      tr_tensor *dst, int64_t *winners)
{
    const int64_t h = src->dims[2], w = src->dims[3];
    const int64_t image = geometry->out[0] * geometry->out[1];
    for (int64_t i = 0; i < tr_tensor_elements(dst); i++) {
        const int64_t from = i / image * h * w;
        winners[i] = from + winner(geometry, src->values + from, h, w, i % image / geometry->out[1],
                                   i % geometry->out[1]);
        dst->values[i] = src->values[winners[i]];
        dst->scale[i] = 0.0;
    }
    return 1;
}

int64_t tr_reference_max_pool_backward(const tr_geometry *geometry, const int64_t *winners,
                                       const tr_tensor *diff_dst, tr_tensor *diff_src)
{
    const size_t bytes = (size_t)tr_tensor_elements(diff_src) * sizeof(double);
    memset(diff_src->values, 0, bytes);
    memset(diff_src->scale, 0, bytes);
    for (int64_t i = 0; i < tr_tensor_elements(diff_dst); i++) {
        double *value = &diff_src->values[winners[i]], *scale = &diff_src->scale[winners[i]];
        if (*scale > 0.0)
            *scale += fabs(diff_dst->values[i]);
        else if (*value != 0.0) /* the second term: from here on it is a sum */
            *scale = fabs(*value) + fabs(diff_dst->values[i]);
        *value += diff_dst->values[i];
    }
    int64_t terms = 1; /* windows that overlap in one element */
    for (int axis = 0; axis < 2; axis++)
        terms *= (geometry->kernel[axis] + geometry->strides[axis] - 1) / geometry->strides[axis];
    return terms;
}

/* ---- elementwise ---- */

static double function(tr_activation activation, double x)
{
    switch (activation) {
    case TR_RELU:
        return x > 0.0 ? x : 0.0;
    case TR_SIGMOID:
        return 1.0 / (1.0 + exp(-x));
    case TR_TANH:
        return tanh(x);
    default:
        return x;
    }
}

/* From the result y. */
static double derivative(tr_activation activation, double y)
{
    switch (activation) {
    case TR_RELU:
        return y > 0.0 ? 1.0 : 0.0;
    case TR_SIGMOID:
        return y * (1.0 - y);
    case TR_TANH:
        return 1.0 - y * y;
    default:
        return 1.0;
    }
}

/* Sigmoid and tanh are approximated: good to the rounding of their range, 1. None of the functions
 * is steeper than 1, so the argument's error does not grow. */
static double own_scale(tr_activation activation)
{
    return activation == TR_SIGMOID || activation == TR_TANH ? 1.0 : 0.0;
}

void tr_reference_fuse(tr_activation fused, tr_tensor *dst)
{
    for (int64_t i = 0; i < tr_tensor_elements(dst); i++) {
        dst->values[i] = function(fused, dst->values[i]);
        dst->scale[i] += own_scale(fused);
    }
}

/* ---- softmax over dimension 1, one position at a time ---- */

/* exp(x - max) inherits the rounding of its argument, which is as large as x - max. */
static void softmax_forward(const double *src, double *dst, double *scale, int64_t c, int64_t step)
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

static void softmax_backward(const double *y, const double *dy, double *dx, double *scale,
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

/* ---- activations ---- */

int64_t tr_reference_activation_forward(tr_activation activation, const tr_tensor *src,
                                        tr_tensor *dst)
{
    const int64_t n = tr_tensor_elements(src), c = src->dims[1];
    const int64_t image = src->dims[2] * src->dims[3];
    if (activation == TR_SOFTMAX) {
        for (int64_t k = 0; k < n / c; k++) {
            const int64_t from = k / image * c * image + k % image;
            softmax_forward(src->values + from, dst->values + from, dst->scale + from, c, image);
        }
        return c;
    }
    for (int64_t i = 0; i < n; i++) {
        dst->values[i] = src->values[i];
        dst->scale[i] = 0.0;
    }
    tr_reference_fuse(activation, dst);
    return 1;
}

int64_t tr_reference_activation_backward(tr_activation activation, const tr_tensor *dst,
                                         const tr_tensor *diff_dst, tr_tensor *diff_src)
{
    const int64_t n = tr_tensor_elements(dst), c = dst->dims[1];
    const int64_t image = dst->dims[2] * dst->dims[3];
    if (activation == TR_SOFTMAX) {
        for (int64_t k = 0; k < n / c; k++) {
            const int64_t from = k / image * c * image + k % image;
            softmax_backward(dst->values + from, diff_dst->values + from, diff_src->values + from,
                             diff_src->scale + from, c, image);
        }
        return c;
    }
    for (int64_t i = 0; i < n; i++) {
        diff_src->values[i] = diff_dst->values[i] * derivative(activation, dst->values[i]);
        diff_src->scale[i] = own_scale(activation) * fabs(diff_dst->values[i]);
    }
    return 1;
}
