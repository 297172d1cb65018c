/* test_reference.c -- the plain reference by hand, and its gradients by what defines them. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "program_internal.h"
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
    cr_assert_eq(tr_reference_conv_forward(&geometry, TR_NOTHING_FUSED, &src, &kernel, &bias, &dst),
                 5);
    expect("dst", dst.values, (double[]){-4578.5, 603.5, 87.5, -8.5}, 4);
    expect("scale", dst.scale, (double[]){5421.5, 603.5, 87.5, 9.5}, 4);
    tr_reference_conv_forward(&geometry, tr_activation_named(TR_RELU), &src, &kernel, NULL, &dst);
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
    tr_reference_conv_forward(&whole, TR_NOTHING_FUSED, &src, &kernel, NULL, &dst);
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
    tr_reference_conv_forward(g, TR_NOTHING_FUSED, &src, &kernel, NULL, &dst);
    const double expected = dot(&dst, &diff_dst);
    tr_reference_conv_backward_data(g, &kernel, &diff_dst, &diff_src);
    cr_assert_float_eq(dot(&diff_src, &src), expected, 1e-10);
    const int64_t terms =
        tr_reference_conv_backward_weights(g, &src, &diff_dst, &diff_kernel, &diff_bias);
    cr_assert_eq(terms, n * g->out[0] * g->out[1]);
    cr_assert_float_eq(dot(&diff_kernel, &kernel), expected, 1e-10);
    tr_reference_conv_forward(g, TR_NOTHING_FUSED, &src, &kernel, &bias, &dst);
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

/* An activation's steps one after the other; values[k]: after step k, values[0]: the argument. */
static void run_steps(tr_activation activation, tr_tensor values[TR_MAX_STEPS + 1])
{
    for (int k = 0; k < activation.n_steps; k++)
        tr_reference_function_forward(&activation.steps[k], &values[k], &values[k + 1]);
}

/* Backward against central differences of forward, whose values are checked below. */
static void check_slopes(tr_activation activation)
{
    static const double h = 1e-5;
    const tr_function *steps = activation.steps;
    const int n = activation.n_steps;
    tr_tensor values[TR_MAX_STEPS + 1], diff = numbers(2, 3, 2, 1, 6), next = zeros(2, 3, 2, 1);
    double slopes[12];
    values[0] = numbers(2, 3, 2, 1, 5);
    for (int k = 1; k <= TR_MAX_STEPS; k++)
        values[k] = zeros(2, 3, 2, 1);
    for (int i = 0; i < 12; i++) { /* both sides of every kink, which are at 0, -3 and 3 */
        values[0].values[i] *= 6.0;
        const double x = values[0].values[i], weight = diff.values[i];
        values[0].values[i] = x + h;
        run_steps(activation, values);
        const double above = values[n].values[i];
        values[0].values[i] = x - h;
        run_steps(activation, values);
        slopes[i] = weight * (above - values[n].values[i]) / (2 * h);
        values[0].values[i] = x;
    }
    run_steps(activation, values);
    for (int k = n - 1; k >= 0; k--) {
        const bool from_dst = tr_function_derivative(&steps[k]) == TR_FROM_DST;
        tr_reference_function_backward(&steps[k], &values[k + from_dst], &diff, &next);
        memcpy(diff.values, next.values, 12 * sizeof(double));
    }
    for (int i = 0; i < 12; i++)
        cr_assert_float_eq(diff.values[i], slopes[i], 1e-8, "%s at %d: %.12g, expected %.12g",
                           tr_activation_names[activation.name], i, diff.values[i], slopes[i]);
    for (int k = 0; k <= TR_MAX_STEPS; k++)
        discard(&values[k]);
    discard(&diff);
    discard(&next);
}

Test(reference, activation_gradients_are_derivatives)
{
    for (int i = 0; i < TR_N_ACTIVATIONS; i++)
        if (!tr_activation_is_over_channels(tr_activation_named((tr_activation_name)i)))
            check_slopes(tr_activation_named((tr_activation_name)i));
}

static void check_over_channels(bool log)
{
    static const double h = 1e-5;
    tr_tensor src = numbers(2, 3, 2, 1, 5), diff_dst = numbers(2, 3, 2, 1, 6);
    tr_tensor dst = zeros(2, 3, 2, 1), diff_src = zeros(2, 3, 2, 1);
    tr_reference_softmax_forward(log, &src, &dst);
    tr_reference_softmax_backward(log, &dst, &diff_dst, &diff_src);
    for (int k = 0; k < 12; k++) {
        const double x = src.values[k];
        src.values[k] = x + h;
        tr_reference_softmax_forward(log, &src, &dst);
        const double above = dot(&dst, &diff_dst);
        src.values[k] = x - h;
        tr_reference_softmax_forward(log, &src, &dst);
        const double below = dot(&dst, &diff_dst);
        src.values[k] = x;
        cr_assert_float_eq(diff_src.values[k], (above - below) / (2 * h), 1e-8, "at %d", k);
    }
    discard(&src);
    discard(&dst);
    discard(&diff_dst);
    discard(&diff_src);
}

Test(reference, softmax_gradients_are_derivatives)
{
    check_over_channels(false);
    check_over_channels(true);
}

/* At -4, -1, 0, 0.5, 2 and 5; made with Python's math, the parameters rounded to float32. */
static const struct {
    tr_activation_name activation;
    double y[6];
} by_hand[] = {
    {TR_LINEAR, {-4, -1, 0, 0.5, 2, 5}},
    {TR_RELU, {0, 0, 0, 0.5, 2, 5}},
    {TR_SIGMOID,
     {0.0179862099620916, 0.268941421369995, 0.5, 0.622459331201855, 0.880797077977882,
      0.993307149075715}},
    {TR_TANH,
     {-0.999329299739067, -0.761594155955765, 0, 0.46211715726001, 0.964027580075817,
      0.999909204262595}},
    {TR_LEAKY_RELU, {-0.800000011920929, -0.200000002980232, 0, 0.5, 2, 5}},
    {TR_ELU, {-0.981684361111266, -0.632120558828558, 0, 0.5, 2, 5}},
    {TR_SELU,
     {-1.72589863358489, -1.11133074128648, 0, 0.525350511074066, 2.10140204429626,
      5.25350511074066}},
    {TR_GELU,
     {-0.00012668496733248, -0.158655253931457, 0, 0.345731230637007, 1.95449973610364,
      4.99999856674214}},
    {TR_HARD_SIGMOID, {0, 0.33333332836628, 0.5, 0.58333333581686, 0.833333343267441, 1}},
    {TR_SOFTPLUS,
     {0.0181499279178097, 0.313261687518223, 0.693147180559945, 0.974076984180107, 2.12692801104297,
      5.00671534848912}},
    {TR_SWISH,
     {-0.0719448398483662, -0.268941421369995, 0, 0.311229665600927, 1.76159415595576,
      4.96653574537858}},
};

Test(reference, activations_by_hand)
{
    tr_tensor values[TR_MAX_STEPS + 1];
    for (int k = 0; k <= TR_MAX_STEPS; k++)
        values[k] = zeros(1, 3, 1, 2);
    for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++) {
        const tr_activation activation = tr_activation_named(by_hand[i].activation);
        memcpy(values[0].values, (double[]){-4, -1, 0, 0.5, 2, 5}, 6 * sizeof(double));
        run_steps(activation, values);
        expect(tr_activation_names[by_hand[i].activation], values[activation.n_steps].values,
               by_hand[i].y, 6);
    }
    for (int k = 0; k <= TR_MAX_STEPS; k++)
        discard(&values[k]);
}

Test(reference, softmax_by_hand)
{
    double values[] = {-1.0, 0.0, 0.5, 2.0};
    const tr_tensor src = {.n_dims = 4, .dims = {1, 2, 1, 2}, .values = values};
    tr_tensor dst = zeros(1, 2, 1, 2);
    /* Over the channels: -1 with 0.5, 0 with 2. */
    cr_assert_eq(tr_reference_softmax_forward(false, &src, &dst), 2);
    expect("softmax", dst.values,
           (double[]){0.182425523806356, 0.119202922022118, 0.817574476193644, 0.880797077977882},
           4);
    discard(&dst);
}
