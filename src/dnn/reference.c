/* reference.c -- pooling by definition; see reference.h. */
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
