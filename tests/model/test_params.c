/* test_params.c -- initial weights, Keras's layout in and out, the digest. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "net.h"

static const char layers[] = "[layer.a]\ntype = conv2d\nfilters = 20\nkernel_size = 3, 5\n"
                             "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 7\n";
static const int64_t shape[3] = {6, 9, 3};

Test(params, shapes_and_order_are_keras)
{
    test_net *net = test_net_new(layers, shape, 2);
    cr_assert_eq(tr_model_n_weights(net->model), 4);
    static const char *const names[] = {"kernel", "bias", "kernel", "bias"};
    static const int64_t dims[4][4] = {{3, 5, 3, 20}, {20}, {4 * 5 * 20, 7}, {7}};
    static const int n_dims[] = {4, 1, 2, 1};
    for (int i = 0; i < 4; i++) {
        const tr_weight_info info = tr_model_weight(net->model, i);
        cr_assert_str_eq(info.name, names[i]);
        cr_assert_str_eq(info.layer, i < 2 ? "a" : "d");
        cr_assert(info.trained);
        cr_assert_eq(info.n_dims, n_dims[i]);
        cr_assert_eq(memcmp(info.dims, dims[i], (size_t)info.n_dims * sizeof *info.dims), 0);
    }
    test_net_free(net);
}

Test(params, statistics_are_not_trained)
{
    test_net *net = test_net_new(
        "[layer.b]\ntype = batch_normalization\n[layer.f]\ntype = flatten\n", shape, 2);
    cr_assert_eq(tr_model_n_weights(net->model), 4);
    for (int i = 0; i < 4; i++)
        cr_expect_eq(tr_model_weight(net->model, i).trained, i < 2, "%d", i);
    const tr_layer_info first = tr_model_layer(net->model, 0),
                        second = tr_model_layer(net->model, 1);
    cr_expect(first.n_sources == 1 && first.sources[0] == -1);
    cr_expect(second.n_sources == 1 && second.sources[0] == 0);
    test_net_free(net);
}

Test(params, what_goes_in_comes_out)
{
    tr_error err = {0};
    test_net *net = test_net_new(layers, shape, 2);
    for (int i = 0; i < 4; i++) {
        const size_t n = (size_t)tr_model_weight(net->model, i).n;
        float *in = tr_alloc(n, sizeof *in), *out = tr_alloc(n, sizeof *out);
        test_fill(in, n, (unsigned)i);
        cr_assert_eq(tr_model_set_weight(net->model, i, in, &err), TR_OK);
        cr_assert_eq(tr_model_get_weight(net->model, i, out, &err), TR_OK);
        cr_assert_eq(memcmp(in, out, n * sizeof *in), 0);
        tr_free(in);
        tr_free(out);
    }
    test_net_free(net);
}

/* Glorot-uniform: within +-l, and with the mean 0 and variance l^2 / 3 of that distribution. */
Test(params, kernels_are_glorot_uniform_and_biases_zero)
{
    tr_error err = {0};
    test_net *net = test_net_new(layers, shape, 2);
    static const double fans[4] = {15.0 * 3 + 15.0 * 20, 0, 400.0 + 7.0, 0};
    for (int i = 0; i < 4; i++) {
        const size_t n = (size_t)tr_model_weight(net->model, i).n;
        float *values = tr_alloc(n, sizeof *values);
        cr_assert_eq(tr_model_get_weight(net->model, i, values, &err), TR_OK);
        const double limit = fans[i] > 0.0 ? sqrt(6.0 / fans[i]) : 0.0;
        double sum = 0.0, squares = 0.0;
        for (size_t k = 0; k < n; k++) {
            cr_assert_leq(fabs((double)values[k]), limit * 1.000001);
            sum += (double)values[k];
            squares += (double)values[k] * (double)values[k];
        }
        if (limit > 0.0) {
            const double deviation = limit / sqrt(3.0);
            cr_assert_lt(fabs(sum / (double)n), 4.0 * deviation / sqrt((double)n));
            cr_assert(fabs(squares / (double)n / (deviation * deviation) - 1.0) < 0.1);
        }
        tr_free(values);
    }
    test_net_free(net);
}

Test(params, digest_tells_one_bit)
{
    tr_error err = {0};
    char a[33], b[33], c[33];
    test_net *net = test_net_new(layers, shape, 2);
    cr_assert_eq(tr_model_digest(net->model, a, &err), TR_OK);
    float bias[7];
    cr_assert_eq(tr_model_get_weight(net->model, 3, bias, &err), TR_OK);
    bias[6] = 0x1p-149f; /* the smallest float there is */
    cr_assert_eq(tr_model_set_weight(net->model, 3, bias, &err), TR_OK);
    cr_assert_eq(tr_model_digest(net->model, b, &err), TR_OK);
    bias[6] = 0.0f;
    cr_assert_eq(tr_model_set_weight(net->model, 3, bias, &err), TR_OK);
    cr_assert_eq(tr_model_digest(net->model, c, &err), TR_OK);
    cr_assert_str_neq(a, b);
    cr_assert_str_eq(a, c);
    cr_assert_eq(strlen(a), 32);
    test_net_free(net);
}

Test(params, micro_batch_does_not_change_initial_weights)
{
    tr_error err = {0};
    char a[33], b[33];
    test_net *two = test_net_new(layers, shape, 2), *nine = test_net_new(layers, shape, 9);
    cr_assert_eq(tr_model_digest(two->model, a, &err), TR_OK);
    cr_assert_eq(tr_model_digest(nine->model, b, &err), TR_OK);
    cr_assert_str_eq(a, b);
    test_net_free(two);
    test_net_free(nine);
}

Test(params, finds_one_weight_that_is_no_number)
{
    tr_error err = {0};
    test_net *net = test_net_new(layers, shape, 2);
    cr_assert(tr_model_is_finite(net->model));
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        float bias[7] = {0};
        bias[i * 3] = bad[i];
        cr_assert_eq(tr_model_set_weight(net->model, 3, bias, &err), TR_OK);
        cr_assert_not(tr_model_is_finite(net->model));
    }
    test_net_free(net);
}
