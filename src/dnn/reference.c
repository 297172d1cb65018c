/* reference.c -- pooling, zero padding and dropout by definition; see reference.h. */
#include "reference.h"

#include "dropping.h"

#include <math.h>
#include <string.h>

#include "rng.h"

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

/* Windows that have one element in common. */
static int64_t overlapping(const tr_geometry *geometry)
{
    int64_t windows = 1;
    for (int axis = 0; axis < 2; axis++)
        windows *= (geometry->kernel[axis] + geometry->strides[axis] - 1) / geometry->strides[axis];
    return windows;
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
    return overlapping(geometry);
}

/* ---- the maximum of an image ---- */

int64_t tr_reference_global_max_forward(const tr_tensor *src, tr_tensor *dst)
{
    const int64_t image = src->dims[2] * src->dims[3];
    for (int64_t i = 0; i < tr_tensor_elements(dst); i++) {
        double max = -INFINITY;
        for (int64_t k = i * image; k < (i + 1) * image; k++)
            max = src->values[k] > max || isnan(src->values[k]) ? src->values[k] : max;
        dst->values[i] = max;
        dst->scale[i] = 0.0;
    }
    return 1;
}

int64_t tr_reference_global_max_backward(const tr_tensor *src, const tr_tensor *dst,
                                         const tr_tensor *diff_dst, tr_tensor *diff_src)
{
    const int64_t image = src->dims[2] * src->dims[3];
    for (int64_t i = 0; i < tr_tensor_elements(dst); i++) {
        double maxima = 0.0;
        for (int64_t k = i * image; k < (i + 1) * image; k++)
            maxima += src->values[k] == dst->values[i];
        for (int64_t k = i * image; k < (i + 1) * image; k++) {
            const bool is = src->values[k] == dst->values[i];
            diff_src->values[k] = is ? diff_dst->values[i] / maxima : 0.0;
            diff_src->scale[k] = maxima > 1.0 ? fabs(diff_src->values[k]) : 0.0;
        }
    }
    return 1;
}

/* ---- the gradient of a bias ---- */

int64_t tr_reference_channel_sums(const tr_tensor *src, tr_tensor *sums)
{
    const int64_t c = src->dims[1], image = src->dims[2] * src->dims[3];
    memset(sums->values, 0, (size_t)c * sizeof(double));
    memset(sums->scale, 0, (size_t)c * sizeof(double));
    for (int64_t i = 0; i < tr_tensor_elements(src); i++) {
        sums->values[i / image % c] += src->values[i];
        sums->scale[i / image % c] += fabs(src->values[i]);
    }
    return 1; /* not a running sum: pixels.h */
}

/* ---- average pooling ---- */

/* The part of a window that lies in the image, along one axis: [*first, *end). */
static void inside(const tr_geometry *g, int axis, int64_t size, int64_t at, int64_t *first,
                   int64_t *end)
{
    const int64_t begin = at * g->strides[axis] - g->pad_before[axis];
    *first = begin > 0 ? begin : 0;
    *end = begin + g->kernel[axis] < size ? begin + g->kernel[axis] : size;
}

/* Each result dst[i] and each element src[k] of its window: to[...] gets share * from[...]. */
static void average(const tr_geometry *g, const tr_tensor *src, const tr_tensor *dst, bool forward)
{
    const tr_tensor *to = forward ? dst : src, *from = forward ? src : dst;
    const int64_t h = src->dims[2], w = src->dims[3], image = g->out[0] * g->out[1];
    memset(to->values, 0, (size_t)tr_tensor_elements(to) * sizeof(double));
    memset(to->scale, 0, (size_t)tr_tensor_elements(to) * sizeof(double));
    for (int64_t i = 0; i < tr_tensor_elements(dst); i++) {
        int64_t y0, y1, x0, x1;
        inside(g, 0, h, i % image / g->out[1], &y0, &y1);
        inside(g, 1, w, i % g->out[1], &x0, &x1);
        const double share = 1.0 / (double)((y1 - y0) * (x1 - x0));
        for (int64_t y = y0; y < y1; y++)
            for (int64_t x = x0; x < x1; x++) {
                const int64_t k = i / image * h * w + y * w + x;
                const double term = share * from->values[forward ? k : i];
                to->values[forward ? i : k] += term;
                to->scale[forward ? i : k] += fabs(term);
            }
    }
}

int64_t tr_reference_average_pool_forward(const tr_geometry *geometry, const tr_tensor *src,
                                          tr_tensor *dst)
{
    average(geometry, src, dst, true);
    return geometry->kernel[0] * geometry->kernel[1];
}

int64_t tr_reference_average_pool_backward(const tr_geometry *geometry, const tr_tensor *diff_dst,
                                           tr_tensor *diff_src)
{
    average(geometry, diff_src, diff_dst, false);
    return overlapping(geometry);
}

/* ---- zero padding ---- */

/* The element of the image within that an element of the padded image shows, or -1. */
static int64_t shown(const tr_geometry *g, const tr_tensor *within, int64_t i)
{
    const int64_t h = within->dims[2], w = within->dims[3], image = g->out[0] * g->out[1];
    const int64_t y = i % image / g->out[1] - g->pad_before[0];
    const int64_t x = i % g->out[1] - g->pad_before[1];
    return y < 0 || y >= h || x < 0 || x >= w ? -1 : i / image * h * w + y * w + x;
}

int64_t tr_reference_pad_forward(const tr_geometry *geometry, const tr_tensor *src, tr_tensor *dst)
{
    for (int64_t i = 0; i < tr_tensor_elements(dst); i++) {
        const int64_t from = shown(geometry, src, i);
        dst->values[i] = from < 0 ? 0.0 : src->values[from];
        dst->scale[i] = 0.0;
    }
    return 1;
}

int64_t tr_reference_pad_backward(const tr_geometry *geometry, const tr_tensor *diff_dst,
                                  tr_tensor *diff_src)
{
    for (int64_t i = 0; i < tr_tensor_elements(diff_dst); i++) {
        const int64_t to = shown(geometry, diff_src, i);
        if (to < 0)
            continue;
        diff_src->values[to] = diff_dst->values[i];
        diff_src->scale[to] = 0.0;
    }
    return 1;
}

/* ---- dropout: both directions are the same ---- */

int64_t tr_reference_activity_forward(tr_penalty penalty, const tr_tensor *src, tr_tensor *costs)
{
    const int64_t n = src->dims[0], elements = tr_tensor_elements(src) / n;
    for (int64_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (int64_t k = 0; k < elements; k++) {
            const double x = src->values[i * elements + k];
            sum += (double)penalty.l1 * fabs(x) + (double)penalty.l2 * x * x;
        }
        costs->values[i] = costs->scale[i] = sum;
    }
    return elements;
}

int64_t tr_reference_activity_backward(tr_penalty penalty, const tr_draw *draw,
                                       const tr_tensor *src, const tr_tensor *diff_dst,
                                       tr_tensor *diff_src)
{
    const int64_t elements = tr_tensor_elements(src) / src->dims[0];
    const int64_t batch = draw->batch > 0 ? draw->batch : draw->n;
    for (int64_t i = 0; i < tr_tensor_elements(src); i++) {
        const double x = src->values[i], sign = (double)((x > 0.0) - (x < 0.0));
        const double own =
            i / elements < draw->n
                ? ((double)penalty.l1 * sign + 2.0 * (double)penalty.l2 * x) / (double)batch
                : 0.0;
        diff_src->values[i] = diff_dst->values[i] + own;
        diff_src->scale[i] = fabs(diff_dst->values[i]) + fabs(own);
    }
    return 3;
}

static double noised(const tr_dropping *dropping, const tr_mask_address *address, bool forward,
                     int64_t element, double x)
{
    float normals[4];
    tr_random_normals(address, element / 4 * 4, 4, normals);
    const double noise = (double)dropping->deviation * (double)normals[element % 4];
    return dropping->how == TR_NOISE_MULTIPLIED ? x * (1.0 + noise) : forward ? x + noise : x;
}

int64_t tr_reference_dropout(const tr_dropping *dropping, bool forward, const tr_draw *draw,
                             const tr_tensor *src, tr_tensor *dst)
{
    const int64_t c = src->dims[1], image = src->dims[2] * src->dims[3];
    const bool noise = dropping->how == TR_NOISE_ADDED || dropping->how == TR_NOISE_MULTIPLIED;
    const tr_drop_line line = noise ? (tr_drop_line){0} : tr_drop_line_of(dropping);
    for (int64_t i = 0; i < tr_tensor_elements(src); i++) {
        const int64_t n = i / (c * image), channel = i / image % c;
        const int64_t element =
            dropping->how == TR_DROP_CHANNELS ? channel : i % image * c + channel;
        const double x = src->values[i];
        const tr_mask_address address = {.seed = draw->seed,
                                         .layer = dropping->layer,
                                         .update = (uint32_t)draw->update,
                                         .sample = draw->samples == NULL ? (uint32_t)n
                                                   : n < draw->n         ? draw->samples[n]
                                                                         : 0};
        if (noise)
            dst->values[i] = n < draw->n ? noised(dropping, &address, forward, element, x) : x;
        else if (n < draw->n && tr_random_keeps(&address, dropping->keep_of_65536, element))
            dst->values[i] = x * line.scale + (forward ? line.shift : 0.0);
        else
            dst->values[i] = forward ? line.dropped : 0.0;
        dst->scale[i] =
            fabs(dst->values[i]) + (forward || noise ? fabs(x) + fabs(line.shift) : 0.0);
    }
    return 1;
}
