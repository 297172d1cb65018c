/* test_reference.c -- the plain reference by hand, and its gradients by what defines them. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "reference.h"

/* ---- helpers ---- */

static tr_tensor zeros(int64_t a, int64_t b, int64_t c, int64_t d)
{
    tr_tensor tensor = {.n_dims = 4, .dims = {a, b, c, d}};
    tensor.values = tr_alloc((size_t)tr_tensor_elements(&tensor), sizeof(double));
    tensor.scale = tr_alloc((size_t)tr_tensor_elements(&tensor), sizeof(double));
    return tensor;
}

static tr_tensor numbers(int64_t a, int64_t b, int64_t c, int64_t d, unsigned seed)
{
    tr_tensor tensor = zeros(a, b, c, d);
    const size_t n = (size_t)tr_tensor_elements(&tensor);
    float *values = tr_alloc(n, sizeof *values);
    test_fill(values, n, seed);
    for (size_t i = 0; i < n; i++)
        tensor.values[i] = (double)values[i];
    tr_free(values);
    return tensor;
}

static void discard(tr_tensor *tensor)
{
    tr_free(tensor->values);
    tr_free(tensor->scale);
}

static double dot(const tr_tensor *a, const tr_tensor *b)
{
    double sum = 0.0;
    for (int64_t i = 0; i < tr_tensor_elements(a); i++)
        sum += a->values[i] * b->values[i];
    return sum;
}

static void expect(const char *what, const double *values, const double *expected, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cr_assert(fabs(values[i] - expected[i]) <= 1e-12, "%s[%zu]: %.15g, expected %.15g", what, i,
                  values[i], expected[i]);
}

/* ---- convolution ---- */

/* 3 x 3 image, 2 x 2 kernel, stride 2, padding after: the last row and column see one element of
 * the kernel's other half. */
Test(reference, convolution_by_hand)
{
    double src_values[] = {1, 2, 3, 4, 5, 6, 7, 8, -9}, kernel_values[] = {1, 10, 100, -1000};
    double bias_values[] = {0.5};
    const tr_geometry geometry = {
        .kernel = {2, 2}, .strides = {2, 2}, .pad_after = {1, 1}, .out = {2, 2}};
    const tr_tensor src = {.n_dims = 4, .dims = {1, 1, 3, 3}, .values = src_values};
    const tr_tensor kernel = {.n_dims = 4, .dims = {1, 1, 2, 2}, .values = kernel_values};
    const tr_tensor bias = {.n_dims = 1, .dims = {1, 1, 1, 1}, .values = bias_values};
    tr_tensor dst = zeros(1, 1, 2, 2);
    cr_assert_eq(tr_reference_conv_forward(&geometry, TR_LINEAR, &src, &kernel, &bias, &dst), 5);
    expect("dst", dst.values, (double[]){-4578.5, 603.5, 87.5, -8.5}, 4);
    expect("scale", dst.scale, (double[]){5421.5, 603.5, 87.5, 9.5}, 4);
    tr_reference_conv_forward(&geometry, TR_RELU, &src, &kernel, NULL, &dst);
    expect("relu", dst.values, (double[]){0, 603, 87, 0}, 4);
    discard(&dst);
}

/* Channels: n c h w and o i h w. An inner product is the window that covers the image. */
Test(reference, inner_product_by_hand)
{
    double src_values[] = {1, 2, 3, 4, 5, 6, 7, 8}, kernel_values[] = {1, 0, 0, 2, 0, 3, 1, 0};
    const tr_tensor src = {.n_dims = 4, .dims = {2, 2, 1, 2}, .values = src_values};
    const tr_tensor kernel = {.n_dims = 4, .dims = {2, 2, 1, 2}, .values = kernel_values};
    const tr_geometry whole = tr_reference_whole(&src);
    tr_tensor dst = zeros(2, 2, 1, 1);
    tr_reference_conv_forward(&whole, TR_LINEAR, &src, &kernel, NULL, &dst);
    expect("dst", dst.values, (double[]){1 + 8, 6 + 3, 5 + 16, 18 + 7}, 4);
    discard(&dst);
}

/* The gradients are the adjoints of the forward map: for every dy,
 * <dy, conv(x, w)> = <backward_data(w, dy), x> = <backward_weights(x, dy), w>. */
static void adjoint(const tr_geometry *g, int64_t n, int64_t in, int64_t out, int64_t h, int64_t w)
{
    tr_tensor src = numbers(n, in, h, w, 1), diff_src = zeros(n, in, h, w);
    tr_tensor kernel = numbers(out, in, g->kernel[0], g->kernel[1], 2);
    tr_tensor diff_kernel = zeros(out, in, g->kernel[0], g->kernel[1]);
    tr_tensor dst = zeros(n, out, g->out[0], g->out[1]);
    tr_tensor diff_dst = numbers(n, out, g->out[0], g->out[1], 3);
    tr_tensor bias = numbers(out, 1, 1, 1, 4), diff_bias = zeros(out, 1, 1, 1);
    tr_reference_conv_forward(g, TR_LINEAR, &src, &kernel, NULL, &dst);
    const double expected = dot(&dst, &diff_dst);
    tr_reference_conv_backward_data(g, &kernel, &diff_dst, &diff_src);
    cr_assert_float_eq(dot(&diff_src, &src), expected, 1e-10);
    const int64_t terms =
        tr_reference_conv_backward_weights(g, &src, &diff_dst, &diff_kernel, &diff_bias);
    cr_assert_eq(terms, n * g->out[0] * g->out[1]);
    cr_assert_float_eq(dot(&diff_kernel, &kernel), expected, 1e-10);
    tr_reference_conv_forward(g, TR_LINEAR, &src, &kernel, &bias, &dst);
    cr_assert_float_eq(dot(&dst, &diff_dst), expected + dot(&diff_bias, &bias), 1e-10);
    cr_assert_gt(fabs(expected), 1e-3);
    tr_tensor *all[] = {&src, &diff_src, &kernel, &diff_kernel, &dst, &diff_dst, &bias, &diff_bias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        discard(all[i]);
}

Test(reference, convolution_gradients_are_adjoints)
{
    adjoint(&(tr_geometry){.kernel = {3, 2},
                           .strides = {1, 2},
                           .pad_before = {1, 0},
                           .pad_after = {1, 1},
                           .out = {5, 3}},
            2, 3, 4, 5, 6);
    adjoint(&(tr_geometry){.kernel = {1, 2}, .strides = {3, 4}, .out = {2, 2}}, 1, 2, 3, 5, 7);
    adjoint(&(tr_geometry){.kernel = {5, 5},
                           .strides = {1, 1},
                           .pad_before = {2, 2},
                           .pad_after = {2, 2},
                           .out = {2, 1}},
            1, 1, 2, 2, 1);
}

/* ---- max pooling ---- */

Test(reference, max_pooling_by_hand)
{
    /* The first window has a tie; the others overhang, and padding must not win over -1. */
    double src_values[] = {3, 3, -1, 1, 3, -2, -5, -6, -7};
    double diff_values[] = {1, 10, 100, 1000};
    int64_t winners[4];
    const tr_geometry geometry = {
        .kernel = {2, 2}, .strides = {2, 2}, .pad_after = {1, 1}, .out = {2, 2}};
    const tr_geometry dense = {.kernel = {2, 2}, .strides = {1, 1}, .out = {2, 2}};
    const tr_tensor src = {.n_dims = 4, .dims = {1, 1, 3, 3}, .values = src_values};
    const tr_tensor diff_dst = {.n_dims = 4, .dims = {1, 1, 2, 2}, .values = diff_values};
    tr_tensor dst = zeros(1, 1, 2, 2), diff_src = zeros(1, 1, 3, 3);
    tr_reference_max_pool_forward(&geometry, &src, &dst, winners);
    expect("dst", dst.values, (double[]){3, -1, -5, -7}, 4);
    cr_assert_eq(memcmp(winners, (int64_t[]){0, 2, 6, 8}, sizeof winners), 0);
    cr_assert_eq(tr_reference_max_pool_backward(&geometry, winners, &diff_dst, &diff_src), 1);
    expect("diff_src", diff_src.values, (double[]){1, 0, 10, 0, 0, 0, 100, 0, 1000}, 9);
    expect("scale", diff_src.scale, (double[9]){0}, 9);
    /* Overlapping windows add up, and only then something can be rounded. */
    tr_reference_max_pool_forward(&dense, &src, &dst, winners);
    cr_assert_eq(memcmp(winners, (int64_t[]){0, 1, 4, 4}, sizeof winners), 0);
    cr_assert_eq(tr_reference_max_pool_backward(&dense, winners, &diff_dst, &diff_src), 4);
    expect("diff_src", diff_src.values, (double[]){1, 10, 0, 0, 1100, 0, 0, 0, 0}, 9);
    expect("scale", diff_src.scale, (double[]){0, 0, 0, 0, 1100, 0, 0, 0, 0}, 9);
    discard(&dst);
    discard(&diff_src);
}

/* ---- activations ---- */

static double sum_of_forward(tr_activation activation, const tr_tensor *src,
                             const tr_tensor *weights, tr_tensor *dst)
{
    tr_reference_activation_forward(activation, src, dst);
    return dot(dst, weights);
}

/* Backward against central differences of forward, whose values are checked below. */
Test(reference, activation_gradients_are_derivatives)
{
    static const double h = 1e-5;
    for (int i = 0; i < TR_N_ACTIVATIONS; i++) {
        const tr_activation activation = (tr_activation)i;
        tr_tensor src = numbers(2, 3, 2, 1, 5), diff_dst = numbers(2, 3, 2, 1, 6);
        tr_tensor dst = zeros(2, 3, 2, 1), diff_src = zeros(2, 3, 2, 1);
        tr_reference_activation_forward(activation, &src, &dst);
        tr_reference_activation_backward(activation, &dst, &diff_dst, &diff_src);
        for (int k = 0; k < 12; k++) {
            const double x = src.values[k];
            src.values[k] = x + h;
            const double above = sum_of_forward(activation, &src, &diff_dst, &dst);
            src.values[k] = x - h;
            const double below = sum_of_forward(activation, &src, &diff_dst, &dst);
            src.values[k] = x;
            cr_assert_float_eq(diff_src.values[k], (above - below) / (2 * h), 1e-8, "%s at %d",
                               tr_activation_names[i], k);
        }
        discard(&src);
        discard(&dst);
        discard(&diff_dst);
        discard(&diff_src);
    }
}

Test(reference, activations_by_hand)
{
    double values[] = {-1.0, 0.0, 0.5, 2.0};
    const tr_tensor src = {.n_dims = 4, .dims = {1, 2, 1, 2}, .values = values};
    tr_tensor dst = zeros(1, 2, 1, 2);
    tr_reference_activation_forward(TR_LINEAR, &src, &dst);
    expect("linear", dst.values, values, 4);
    tr_reference_activation_forward(TR_RELU, &src, &dst);
    expect("relu", dst.values, (double[]){0, 0, 0.5, 2}, 4);
    tr_reference_activation_forward(TR_SIGMOID, &src, &dst);
    expect("sigmoid", dst.values,
           (double[]){0.268941421369995, 0.5, 0.622459331201855, 0.880797077977882}, 4);
    tr_reference_activation_forward(TR_TANH, &src, &dst);
    expect("tanh", dst.values,
           (double[]){-0.761594155955765, 0, 0.462117157260010, 0.964027580075817}, 4);
    /* Over the channels: -1 with 0.5, 0 with 2. */
    cr_assert_eq(tr_reference_activation_forward(TR_SOFTMAX, &src, &dst), 2);
    expect("softmax", dst.values,
           (double[]){0.182425523806356, 0.119202922022118, 0.817574476193644, 0.880797077977882},
           4);
    discard(&dst);
}
