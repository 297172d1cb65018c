/* test_initializers.c -- the values of a weight before the training, against Keras's definitions.
 *
 * Which numbers come out is ours to choose; their distribution is Keras's. Bounds on statistics are
 * five standard errors, of n values, and the seed is fixed.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "net.h"

static const int64_t image[3] = {4, 5, 30}, vector[3] = {1, 1, 600};
static float *values;
static size_t n_values;

/* The kernel [3, 5, 30, 40] of a convolution, or [600, 40] of a dense layer. */
static const float *kernel_of(const char *type, const char *initializer, const char *more)
{
    char text[512];
    tr_error err = {0};
    const bool conv = strcmp(type, "conv2d") == 0;
    snprintf(text, sizeof text, "%s\nkernel_initializer = %s\n%s", type, initializer, more);
    char *layers =
        tr_format("%s[layer.a]\ntype = %s\n%s\nkernel_initializer = %s\n%s",
                  conv ? "" : "[layer.f]\ntype = flatten\n", type,
                  conv ? "filters = 40\nkernel_size = 3, 5\npadding = same" : "units = 40",
                  initializer, more);
    test_net *net = test_net_new(layers, conv ? image : vector, 2);
    tr_free(values);
    n_values = (size_t)tr_model_weight(net->model, 0).n;
    values = tr_alloc(n_values, sizeof *values);
    cr_assert_eq(tr_model_get_weight(net->model, 0, values, &err), TR_OK);
    test_net_free(net);
    tr_free(layers);
    return values;
}

static void teardown(void)
{
    tr_free(values);
}

TestSuite(initializers, .fini = teardown);

/* ---- distributions ---- */

/* Mean, variance, and the largest distance from the mean. */
static void expect_distribution(const char *what, double mean, double variance, double farthest)
{
    double sum = 0.0, squares = 0.0, far = 0.0, n = (double)n_values;
    for (size_t i = 0; i < n_values; i++) {
        const double x = (double)values[i] - mean;
        sum += x;
        squares += x * x;
        far = fmax(far, fabs(x));
    }
    cr_expect_lt(fabs(sum / n), 5.0 * sqrt(variance / n), "%s: mean off by %g", what, sum / n);
    /* the variance of x^2 is at most twice that of a normal x, squared */
    cr_expect_lt(fabs(squares / n / variance - 1.0), 5.0 * sqrt(2.0 / n), "%s: variance %g, not %g",
                 what, squares / n, variance);
    cr_expect_leq(far, farthest * 1.000001, "%s: %g away", what, far);
    cr_expect_gt(far, farthest * 0.99, "%s: only %g away", what, far);
}

/* A normal distribution cut off at two standard deviations has 0.8796 of that deviation. */
static const double cut = 0.87962566103423978;

Test(initializers, scaled_by_the_shape)
{
    static const struct {
        const char *name;
        double scale, share_in, share_out; /* variance: scale / (share_in in + share_out out) */
        bool uniform;
    } rows[] = {
        {"glorot_uniform", 1, 0.5, 0.5, true},
        {"glorot_normal", 1, 0.5, 0.5, false},
        {"he_uniform", 2, 1, 0, true},
        {"he_normal", 2, 1, 0, false},
        {"lecun_uniform", 1, 1, 0, true},
        {"lecun_normal", 1, 1, 0, false},
        {"variance_scaling", 1, 1, 0, false},
        {"variance_scaling(3, fan_out)", 3, 0, 1, false},
        {"variance_scaling(scale=0.5, mode=fan_avg, distribution=uniform)", 0.5, 0.5, 0.5, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int conv = 0; conv < 2; conv++) {
            const double in = conv ? 15 * 30 : 600, out = conv ? 15 * 40 : 40;
            const double variance =
                rows[i].scale / (rows[i].share_in * in + rows[i].share_out * out);
            kernel_of(conv ? "conv2d" : "dense", rows[i].name, "");
            expect_distribution(rows[i].name, 0.0, variance,
                                rows[i].uniform ? sqrt(3.0 * variance)
                                                : 2.0 * sqrt(variance) / cut);
        }
}

Test(initializers, of_given_width)
{
    kernel_of("dense", "random_uniform", "");
    expect_distribution("random_uniform", 0.0, 0.1 * 0.1 / 12.0, 0.05);
    kernel_of("dense", "random_uniform(1, 4)", "");
    expect_distribution("random_uniform(1, 4)", 2.5, 9.0 / 12.0, 1.5);
    kernel_of("dense", "truncated_normal", "");
    expect_distribution("truncated_normal", 0.0, 0.05 * 0.05 * cut * cut, 0.1);
    kernel_of("dense", "truncated_normal(mean=-1, stddev=2)", "");
    expect_distribution("truncated_normal(-1, 2)", -1.0, 4.0 * cut * cut, 4.0);
    kernel_of("dense", "constant(0.25)", "");
    for (size_t i = 0; i < n_values; i++)
        cr_assert_eq(values[i], 0.25f);
}

/* Not cut off: of 24,000 values some are beyond three standard deviations. */
Test(initializers, normal_with_tails)
{
    static const char *const rows[] = {"random_normal(stddev=0.5)",
                                       "variance_scaling(150, fan_in, untruncated_normal)"};
    for (size_t i = 0; i < 2; i++) {
        size_t beyond[4] = {0};
        kernel_of("dense", rows[i], "");
        for (size_t k = 0; k < n_values; k++)
            for (int sigma = 1; sigma < 4; sigma++)
                beyond[sigma] += fabs((double)values[k]) > 0.5 * sigma;
        static const double share[] = {1.0, 0.3173, 0.0455, 0.0027};
        for (int sigma = 1; sigma < 4; sigma++) {
            const double want = share[sigma] * (double)n_values;
            cr_expect_lt(fabs((double)beyond[sigma] - want), 5.0 * sqrt(want), "%s: %zu beyond %d",
                         rows[i], beyond[sigma], sigma);
        }
    }
}

/* ---- matrices ---- */

/* Columns, or rows where these are fewer, have products gain^2 with themselves and 0 with others;
 * to float32's rounding of the elements. */
static void expect_orthogonal(const float *m, size_t rows, size_t columns, double gain)
{
    const size_t n = rows < columns ? rows : columns, length = rows < columns ? columns : rows;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < length; k++)
                sum += rows < columns ? (double)m[i * columns + k] * (double)m[j * columns + k]
                                      : (double)m[k * columns + i] * (double)m[k * columns + j];
            cr_assert_float_eq(sum, i == j ? gain * gain : 0.0, 1e-6 * gain * gain, "%zu, %zu: %g",
                               i, j, sum);
        }
}

Test(initializers, orthogonal)
{
    expect_orthogonal(kernel_of("conv2d", "orthogonal", ""), 450, 40, 1.0);
    expect_orthogonal(kernel_of("dense", "orthogonal(gain=3)", ""), 600, 40, 3.0);
    float first = values[0];
    kernel_of("dense", "orthogonal(gain=3, seed=5)", "");
    cr_expect_neq(values[0], first);
    expect_orthogonal(values, 600, 40, 3.0);

    /* more columns than rows, and as many */
    static const int64_t shape[3] = {1, 1, 7};
    test_net *net = test_net_new("[layer.f]\ntype = flatten\n[layer.a]\ntype = dense\nunits = 31\n"
                                 "kernel_initializer = orthogonal\n[layer.b]\ntype = dense\n"
                                 "units = 31\nkernel_initializer = orthogonal\n",
                                 shape, 1);
    float wide[7 * 31], square[31 * 31];
    tr_error err = {0};
    cr_assert_eq(tr_model_get_weight(net->model, 0, wide, &err), TR_OK);
    cr_assert_eq(tr_model_get_weight(net->model, 2, square, &err), TR_OK);
    expect_orthogonal(wide, 7, 31, 1.0);
    expect_orthogonal(square, 31, 31, 1.0);
    test_net_free(net);
}

/* Signs are random, too: the mean of each element over many matrices is 0. */
Test(initializers, orthogonal_is_uniform)
{
    static const int64_t shape[3] = {1, 1, 3};
    double sum[9] = {0.0};
    enum { MATRICES = 60 };
    for (int seed = 0; seed < MATRICES; seed++) {
        char layers[160];
        float m[9];
        tr_error err = {0};
        snprintf(layers, sizeof layers,
                 "[layer.f]\ntype = flatten\n[layer.a]\ntype = dense\nunits = 3\n"
                 "kernel_initializer = orthogonal(seed=%d)\n",
                 seed);
        test_net *net = test_net_new(layers, shape, 1);
        cr_assert_eq(tr_model_get_weight(net->model, 0, m, &err), TR_OK);
        for (int i = 0; i < 9; i++)
            sum[i] += (double)m[i];
        test_net_free(net);
    }
    for (int i = 0; i < 9; i++) /* the variance of an element is 1/3 */
        cr_expect_lt(fabs(sum[i] / MATRICES), 5.0 * sqrt(1.0 / 3.0 / MATRICES), "%d: %g", i,
                     sum[i] / MATRICES);
}

Test(initializers, identity_and_dirac)
{
    const float *m = kernel_of("dense", "identity(2)", "");
    for (size_t i = 0; i < n_values; i++)
        cr_assert_eq(m[i], i / 40 == i % 40 ? 2.0f : 0.0f);
    m = kernel_of("conv2d", "dirac", ""); /* [3, 5, 30, 40] */
    for (size_t i = 0; i < n_values; i++) {
        const size_t out = i % 40, in = i / 40 % 30, x = i / 1200 % 5, y = i / 6000;
        cr_assert_eq(m[i], y == 1 && x == 2 && in == out ? 1.0f : 0.0f, "%zu", i);
    }
    m = kernel_of("conv2d", "dirac(groups=2)", "");
    for (size_t i = 0; i < n_values; i++) {
        const size_t out = i % 40, in = i / 40 % 30, x = i / 1200 % 5, y = i / 6000;
        cr_assert_eq(m[i], y == 1 && x == 2 && in == out % 20 ? 1.0f : 0.0f, "%zu", i);
    }
}

/* Output channels 30 to 39 have no input channel to pass on. */
Test(initializers, dirac_with_a_drawn_rest)
{
    const double limit = sqrt(1.0 / (3 * 5 * 30));
    double sum = 0.0, squares = 0.0;
    const float *m = kernel_of("conv2d", "dirac(rest=uniform)", "");
    for (size_t i = 0; i < n_values; i++) {
        const size_t out = i % 40, in = i / 40 % 30, x = i / 1200 % 5, y = i / 6000;
        if (out < 30) {
            cr_assert_eq(m[i], y == 1 && x == 2 && in == out ? 1.0f : 0.0f, "%zu", i);
            continue;
        }
        cr_assert_lt(fabs((double)m[i]), limit);
        sum += (double)m[i];
        squares += (double)m[i] * (double)m[i];
    }
    const double n = 4500.0, variance = limit * limit / 3.0; /* 5 sigma of mean and variance */
    cr_expect_lt(fabs(sum / n), 5.0 * sqrt(variance / n));
    cr_expect_lt(fabs(squares / n / variance - 1.0), 5.0 * sqrt(0.8 / n));
}

/* Two results of each channel: the first passes it on. */
Test(initializers, dirac_of_each_channel)
{
    static const int64_t shape[3] = {4, 4, 3};
    test_net *net = test_net_new("[layer.a]\ntype = depthwise_conv2d\nkernel_size = 3\n"
                                 "depth_multiplier = 2\ndepthwise_initializer = dirac\n",
                                 shape, 1);
    float m[3 * 3 * 3 * 2];
    tr_error err = {0};
    cr_assert_eq(tr_model_get_weight(net->model, 0, m, &err), TR_OK);
    for (int i = 0; i < 54; i++)
        cr_expect_eq(m[i], i / 6 == 4 && i % 2 == 0 ? 1.0f : 0.0f, "%d", i);
    test_net_free(net);
}

/* ---- addresses ---- */

/* A seed of its own gives the same numbers wherever the weight stands, whatever [fit] says. */
Test(initializers, own_seed)
{
    static const int64_t shape[3] = {1, 1, 6};
    static const char *const other[] = {"fit.seed=3"};
    static const char layers[] =
        "[layer.f]\ntype = flatten\n[layer.a]\ntype = dense\nunits = 6\n"
        "kernel_initializer = he_normal(seed=7)\n[layer.b]\ntype = dense\nunits = 6\n"
        "kernel_initializer = he_normal(seed=7)\n[layer.c]\ntype = dense\nunits = 6\n"
        "kernel_initializer = he_normal\n";
    float a[36], b[36], c[36];
    tr_error err = {0};
    for (int k = 0; k < 2; k++) {
        test_net *net = test_net_new_with(layers, shape, 1, other, (size_t)k);
        float before[36], was[36];
        memcpy(was, c, sizeof was);
        memcpy(before, a, sizeof before);
        cr_assert_eq(tr_model_get_weight(net->model, 0, a, &err), TR_OK);
        cr_assert_eq(tr_model_get_weight(net->model, 2, b, &err), TR_OK);
        cr_assert_eq(tr_model_get_weight(net->model, 4, c, &err), TR_OK);
        cr_expect_eq(memcmp(a, b, sizeof a), 0);
        cr_expect_neq(memcmp(a, c, sizeof a), 0);
        cr_expect(k == 0 || memcmp(a, before, sizeof a) == 0);
        cr_expect(k == 0 || memcmp(c, was, sizeof c) != 0);
        test_net_free(net);
    }
}

/* Biases, and the weights of normalizations. */
Test(initializers, every_weight_has_one)
{
    static const int64_t shape[3] = {1, 1, 3};
    test_net *net =
        test_net_new("[layer.n]\ntype = batch_normalization\nbeta_initializer = constant(2)\n"
                     "gamma_initializer = constant(3)\nmoving_mean_initializer = constant(4)\n"
                     "moving_variance_initializer = constant(5)\n[layer.c]\ntype = conv2d\n"
                     "filters = 3\nkernel_size = 1\nkernel_initializer = ones\n"
                     "bias_initializer = constant(6)\n[layer.l]\ntype = layer_normalization\n"
                     "gamma_initializer = zeros\nbeta_initializer = ones\n",
                     shape, 1);
    static const float want[] = {3, 2, 4, 5, 1, 6, 0, 1};
    tr_error err = {0};
    for (int i = 0; i < 8; i++) {
        float got[9];
        cr_assert_eq(tr_model_get_weight(net->model, i, got, &err), TR_OK);
        cr_expect_eq(got[2], want[i], "%s: %g", tr_model_weight(net->model, i).name,
                     (double)got[2]);
    }
    test_net_free(net);
}

Test(initializers, shapes_that_do_not_go)
{
    static const char head[] = "[model]\ninput_shape = 4, 4, 2\n[layer.a]\ntype = conv2d\n"
                               "filters = 3\nkernel_size = 3\n%s\n[layer.f]\ntype = flatten\n";
    static const char *const rows[][2] = {
        {"bias_initializer = orthogonal",
         "[layer.a] initializer orthogonal of bias: it needs two dimensions"},
        {"kernel_initializer = identity",
         "[layer.a] initializer identity of kernel: it is a matrix"},
        {"bias_initializer = dirac", "initializer dirac of bias: it is for the kernel of a conv"},
        {"kernel_initializer = dirac(2)",
         "initializer dirac of kernel: groups does not divide the output channels"},
        {"kernel_initializer = random_uniform(1, 0)", "minval is larger than maxval"},
        {"kernel_initializer = he_nomal", "did you mean he_normal?"},
        {"kernel_initializer = variance_scaling(0)", "scale a number above 0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *body = tr_format(head, rows[i][0]);
        test_refused(body, rows[i][1]);
        tr_free(body);
    }
}
