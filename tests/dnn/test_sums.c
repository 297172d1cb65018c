/* test_sums.c -- sums over pixels and samples, within 1e-6 of double precision up to 1000 x 1000:
 * terms that are all equal are the worst for a running float32 sum, which errs by 1e-2 there.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "rng.h"

/* Sizes: odd ones, ones that fill vectors, the largest that must be right. */
static const int64_t sizes[][2] = {{1, 1}, {7, 9}, {33, 32}, {64, 65}, {200, 211}, {1000, 1000}};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

typedef enum terms { EQUAL, ONE_SIGN, BOTH_SIGNS, N_TERMS } terms;

static void fill(float *values, size_t n, terms kind)
{
    for (size_t i = 0; i < n; i++) {
        const float uniform = tr_random_uniform(7, TR_PURPOSE_INIT, 98, i);
        values[i] = kind == EQUAL ? 0.3f : kind == ONE_SIGN ? uniform : 2.0f * uniform - 1.0f;
    }
}

/* Within 1e-6 of the sum of absolute values, to which rounding is in proportion. */
static void expect_sum(const char *what, int64_t h, int64_t w, double got, double sum, double size)
{
    cr_expect(fabs(got - sum) <= 1e-6 * size, "%s, %d x %d: %.9g, not %.9g (%.2g off)", what,
              (int)h, (int)w, got, sum, fabs(got - sum) / size);
}

/* n images of h x w x c; per channel: the sum, and of absolute values. */
static void sum_channels(const float *values, int64_t n, int64_t pixels, int64_t c, double *sum,
                         double *size)
{
    memset(sum, 0, (size_t)(n * c) * sizeof *sum);
    memset(size, 0, (size_t)(n * c) * sizeof *size);
    for (int64_t i = 0; i < n * pixels; i++)
        for (int64_t k = 0; k < c; k++) {
            sum[i / pixels * c + k] += (double)values[i * c + k];
            size[i / pixels * c + k] += fabs((double)values[i * c + k]);
        }
}

static void check_average(int64_t h, int64_t w, int64_t c, terms kind)
{
    enum { N = 2, MAX_C = 32 };
    const int64_t shape[3] = {h, w, c};
    const size_t n = (size_t)(N * h * w * c);
    float *src = tr_alloc(n, sizeof *src), *diff_src = tr_alloc(n, sizeof *diff_src);
    float dst[N * MAX_C], diff[N * MAX_C];
    double sum[N * MAX_C], size[N * MAX_C];
    fill(src, n, kind);
    fill(diff, N * MAX_C, BOTH_SIGNS);
    test_net *net = test_net_new("[layer.a]\ntype = global_average_pooling2d\n", shape, N);
    test_net_forward(net, src, dst);
    test_net_backward(net, diff, diff_src);
    sum_channels(src, N, h * w, c, sum, size);
    const double pixels = (double)(h * w);
    for (int64_t k = 0; k < N * c; k++)
        expect_sum("global average", h, w, (double)dst[k], sum[k] / pixels, size[k] / pixels);
    for (size_t i = 0; i < n; i++) {
        const float d = diff[(int64_t)i / (h * w * c) * c + (int64_t)i % c];
        cr_assert_float_eq((double)diff_src[i], (double)d / pixels,
                           fabs((double)d) / pixels * 1e-6);
    }
    test_net_free(net);
    tr_free(src);
    tr_free(diff_src);
}

Test(sums, global_average)
{
    for (int s = 0; s < N_SIZES; s++)
        for (terms kind = EQUAL; kind < N_TERMS; kind++) {
            check_average(sizes[s][0], sizes[s][1], 1, kind);
            check_average(sizes[s][0], sizes[s][1], 3, kind);
        }
    check_average(200, 211, 17, EQUAL);
    check_average(200, 211, 32, EQUAL);
}

/* Overlapping, overhanging windows of up to 50 x 50: each result against its definition. */
static void check_windows(const char *ini, int64_t k, int64_t stride, int64_t c)
{
    enum { H = 61, W = 70 };
    const int64_t shape[3] = {H, W, c}, oh = (H - k) / stride + 1, ow = (W - k) / stride + 1;
    const size_t n = (size_t)(H * W * c);
    float *src = tr_alloc(n, sizeof *src), *dst = tr_alloc((size_t)(oh * ow * c), sizeof *dst);
    float *diff = tr_alloc((size_t)(oh * ow * c), sizeof *diff),
          *diff_src = tr_alloc(n, sizeof *src);
    double *sums = tr_alloc(n, sizeof *sums), *scale = tr_alloc(n, sizeof *scale);
    fill(src, n, ONE_SIGN);
    fill(diff, (size_t)(oh * ow * c), EQUAL);
    test_net *net = test_net_new(ini, shape, 1);
    cr_assert_eq(test_net_outputs(net), oh * ow * c);
    test_net_forward(net, src, dst);
    test_net_backward(net, diff, diff_src);
    const double share = 1.0 / (double)(k * k);
    for (int64_t o = 0; o < oh * ow * c; o++) {
        const int64_t y0 = o / c / ow * stride, x0 = o / c % ow * stride;
        double sum = 0.0;
        for (int64_t p = 0; p < k * k; p++) {
            const int64_t at = ((y0 + p / k) * W + x0 + p % k) * c + o % c;
            sum += (double)src[at];
            sums[at] += (double)diff[o] * share;
        }
        expect_sum("average", H, W, (double)dst[o], sum * share, sum * share);
    }
    for (size_t i = 0; i < n; i++)
        expect_sum("average's gradient", H, W, (double)diff_src[i], sums[i], sums[i]);
    test_net_free(net);
    void *all[] = {src, dst, diff, diff_src, sums, scale};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tr_free(all[i]);
}

Test(sums, average_of_windows)
{
    check_windows("[layer.a]\ntype = average_pooling2d\npool_size = 50\nstrides = 1\n", 50, 1, 1);
    check_windows("[layer.a]\ntype = average_pooling2d\npool_size = 20\nstrides = 3\n", 20, 3, 5);
    check_windows("[layer.a]\ntype = average_pooling2d\npool_size = 5\nstrides = 5\n", 5, 5, 16);
    check_windows("[layer.a]\ntype = average_pooling2d\npool_size = 4\nstrides = 1\n", 4, 1, 8);
}

/* ---- gradients of biases: those of the layer's results, summed ---- */

static void check_bias(const char *layer, const int64_t shape[3], int64_t n, int64_t pixels,
                       int64_t c, terms kind)
{
    const size_t n_dst = (size_t)(n * pixels * c);
    const size_t n_src = (size_t)(n * shape[0] * shape[1] * shape[2]);
    float *src = tr_alloc(n_src, sizeof *src), *dst = tr_alloc(n_dst, sizeof *dst);
    float *diff = tr_alloc(n_dst, sizeof *diff), *gradient = tr_alloc((size_t)c, sizeof *gradient);
    double *sum = tr_alloc((size_t)c, sizeof *sum), *size = tr_alloc((size_t)c, sizeof *size);
    fill(src, n_src, BOTH_SIGNS);
    fill(diff, n_dst, kind);
    test_net *net = test_net_new(layer, shape, n);
    test_net_forward(net, src, dst);
    test_net_backward(net, diff, src);
    test_net_gradient(net, 1, gradient);
    sum_channels(diff, 1, n * pixels, c, sum, size);
    for (int64_t k = 0; k < c; k++)
        expect_sum(layer, n, pixels, (double)gradient[k], sum[k], size[k]);
    test_net_free(net);
    void *all[] = {src, dst, diff, gradient, sum, size};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tr_free(all[i]);
}

Test(sums, bias_of_a_convolution)
{
    for (terms kind = EQUAL; kind < N_TERMS; kind++) {
        for (int s = 2; s < N_SIZES; s++) { /* 1056 pixels and more */
            const int64_t shape[3] = {sizes[s][0], sizes[s][1], 1};
            const int64_t pixels = shape[0] * shape[1];
            check_bias("[layer.a]\ntype = conv2d\nfilters = 1\nkernel_size = 1\n", shape, 1, pixels,
                       1, kind);
            check_bias("[layer.a]\ntype = conv2d\nfilters = 2\nkernel_size = 3\npadding = same\n",
                       shape, 2, pixels, 2, kind);
        }
        const int64_t shape[3] = {64, 65, 4};
        check_bias("[layer.a]\ntype = conv2d\nfilters = 24\nkernel_size = 3\npadding = same\n",
                   shape, 3, 64 * 65, 24, kind);
        const int64_t small[3] = {30, 31, 4};
        check_bias("[layer.a]\ntype = conv2d\nfilters = 17\nkernel_size = 3\npadding = same\n",
                   small, 16, 30 * 31, 17, kind);
    }
}

Test(sums, bias_of_a_dense_layer)
{
    const int64_t shape[3] = {1, 1, 5};
    for (terms kind = EQUAL; kind < N_TERMS; kind++)
        for (int64_t n = 16; n <= 4096; n *= 16)
            check_bias("[layer.f]\ntype = flatten\n[layer.a]\ntype = dense\nunits = 19\n", shape, n,
                       1, 19, kind);
}
