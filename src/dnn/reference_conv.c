/* reference_conv.c -- convolution, and with it the inner product, by definition; see reference.h.
 *
 *     dst[n,o,y,x] = sum over i,ky,kx of src[n,i,y',x'] * kernel[o,i,ky,kx]
 *     y' = y * stride - pad + ky * (1 + dilates), likewise x'; terms outside of the image are none.
 *     With groups, i runs over the channels of src that belong to o's, counted in kernel from 0.
 *
 * The three directions are the same terms, each added to another of the three tensors.
 */
#include <math.h>
#include <string.h>

#include "reference.h"

/* A row of terms: for k = 0 .. n-1, src[src + k * step], kernel[kernel], dst[dst + k]. */
typedef struct row {
    int64_t src, kernel, dst, n, step;
} row;

typedef struct tensors {
    const tr_tensor *src, *kernel, *dst;
} tensors;

typedef void add_row(const tensors *of, const row *at);

static void add(tr_tensor const *to, int64_t i, double term)
{
    to->values[i] += term;
    to->scale[i] += fabs(term);
}

static void add_to_dst(const tensors *of, const row *at)
{
    const double weight = of->kernel->values[at->kernel];
    for (int64_t k = 0; k < at->n; k++)
        add(of->dst, at->dst + k, weight * of->src->values[at->src + k * at->step]);
}

static void add_to_src(const tensors *of, const row *at)
{
    const double weight = of->kernel->values[at->kernel];
    for (int64_t k = 0; k < at->n; k++)
        add(of->src, at->src + k * at->step, weight * of->dst->values[at->dst + k]);
}

static void add_to_kernel(const tensors *of, const row *at)
{
    for (int64_t k = 0; k < at->n; k++)
        add(of->kernel, at->kernel,
            of->src->values[at->src + k * at->step] * of->dst->values[at->dst + k]);
}

/* The rows of one pair of images, src[n,i] and dst[n,o]. `at` holds where they and the kernel of
 * the pair begin. */
static void each_row(const tr_geometry *g, const tensors *of, row at, add_row *operation)
{
    const int64_t h = of->src->dims[2], w = of->src->dims[3];
    const row begin = at;
    at.step = g->strides[1];
    for (int64_t ky = 0; ky < g->kernel[0]; ky++)
        for (int64_t kx = 0; kx < g->kernel[1]; kx++)
            for (int64_t y = 0; y < g->out[0]; y++) {
                const int64_t src_y =
                    y * g->strides[0] - g->pad_before[0] + ky * (1 + g->dilates[0]);
                /* src_x = x * stride + left */
                const int64_t left = kx * (1 + g->dilates[1]) - g->pad_before[1];
                if (src_y < 0 || src_y >= h)
                    continue;
                int64_t first = 0, end = g->out[1];
                while (first < end && first * at.step + left < 0)
                    first++;
                while (end > first && (end - 1) * at.step + left >= w)
                    end--;
                at.src = begin.src + src_y * w + first * at.step + left;
                at.kernel = begin.kernel + ky * g->kernel[1] + kx;
                at.dst = begin.dst + y * g->out[1] + first;
                at.n = end - first;
                operation(of, &at);
            }
}

static void each_pair(const tr_geometry *g, const tensors *of, add_row *operation)
{
    const int64_t out = of->dst->dims[1], out_of_group = out / tr_groups_of(g);
    const int64_t all_in = of->src->dims[1], in = all_in / tr_groups_of(g);
    const int64_t src_image = of->src->dims[2] * of->src->dims[3];
    const int64_t dst_image = g->out[0] * g->out[1], window = g->kernel[0] * g->kernel[1];
    for (int64_t n = 0; n < of->src->dims[0]; n++)
        for (int64_t o = 0; o < out; o++)
            for (int64_t i = 0; i < in; i++) {
                const int64_t from = o / out_of_group * in + i;
                const row begin = {.src = (n * all_in + from) * src_image,
                                   .kernel = (o * in + i) * window,
                                   .dst = (n * out + o) * dst_image};
                each_row(g, of, begin, operation);
            }
}

static void clear(const tr_tensor *tensor)
{
    const size_t bytes = (size_t)tr_tensor_elements(tensor) * sizeof(double);
    memset(tensor->values, 0, bytes);
    memset(tensor->scale, 0, bytes);
}

int64_t tr_tensor_elements(const tr_tensor *tensor)
{
    return tensor->dims[0] * tensor->dims[1] * tensor->dims[2] * tensor->dims[3];
}

tr_geometry tr_reference_whole(const tr_tensor *src)
{
    return (tr_geometry){.kernel = {src->dims[2], src->dims[3]}, .strides = {1, 1}, .out = {1, 1}};
}

int64_t tr_reference_conv_forward(const tr_geometry *geometry, tr_activation fused,
                                  const tr_tensor *src, const tr_tensor *kernel,
                                  const tr_tensor *bias, tr_tensor *dst)
{
    const tensors of = {src, kernel, dst};
    const int64_t image = geometry->out[0] * geometry->out[1];
    clear(dst);
    each_pair(geometry, &of, add_to_dst);
    for (int64_t i = 0; bias != NULL && i < tr_tensor_elements(dst); i++)
        add(dst, i, bias->values[i / image % dst->dims[1]]);
    tr_reference_fuse(fused, dst);
    return src->dims[1] / tr_groups_of(geometry) * geometry->kernel[0] * geometry->kernel[1] +
           (bias != NULL);
}

int64_t tr_reference_conv_backward_data(const tr_geometry *geometry, const tr_tensor *kernel,
                                        const tr_tensor *diff_dst, tr_tensor *diff_src)
{
    const tensors of = {diff_src, kernel, diff_dst};
    clear(diff_src);
    each_pair(geometry, &of, add_to_src);
    return diff_dst->dims[1] / tr_groups_of(geometry) * geometry->kernel[0] * geometry->kernel[1];
}

int64_t tr_reference_conv_backward_weights(const tr_geometry *geometry, const tr_tensor *src,
                                           const tr_tensor *diff_dst, tr_tensor *diff_kernel,
                                           tr_tensor *diff_bias)
{
    const tensors of = {src, diff_kernel, diff_dst};
    const int64_t image = geometry->out[0] * geometry->out[1];
    clear(diff_kernel);
    each_pair(geometry, &of, add_to_kernel);
    if (diff_bias != NULL) {
        clear(diff_bias);
        for (int64_t i = 0; i < tr_tensor_elements(diff_dst); i++)
            add(diff_bias, i / image % diff_dst->dims[1], diff_dst->values[i]);
    }
    return diff_dst->dims[0] * image;
}
