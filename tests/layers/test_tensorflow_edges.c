/* test_tensorflow_edges.c -- where formulas leave room, the answers of real Keras on TensorFlow:
 * activations at 0, infinity, NaN and far out, poolings with equal maxima and with NaN.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "net.h"

static float *load(hid_t file, const char *group, const char *dataset, size_t *n)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", group, dataset);
    return test_golden_floats(file, path, n);
}

/* As test_close(), but what is no number there, or infinite, is so here. */
static void expect(const char *what, const char *which, const float *x, const float *got,
                   const float *expected, size_t n, double absolute, double relative)
{
    for (size_t i = 0; i < n; i++) {
        const double a = (double)got[i], b = (double)expected[i];
        const bool same = isnan(b)   ? isnan(a)
                          : isinf(b) ? a == b
                                     : fabs(a - b) <= absolute + relative * fabs(b);
        cr_expect(same, "%s: %s of %.9g is %.9g, not %.9g", what, which, (double)x[i], a, b);
    }
}

/* oneDNN's maximum of a NaN and a number is the number, so that its relu and hard_sigmoid lose a
 * NaN; and leaky_relu's derivative there, 1 and not 0.2, is one's of a NaN either way. */
static void spare(const char *name, const float *x, const float *got, float *expected, size_t n)
{
    const bool clips = strcmp(name, "relu") == 0 || strcmp(name, "hard_sigmoid") == 0 ||
                       strcmp(name, "leaky_relu") == 0;
    for (size_t i = 0; i < n; i++)
        if (clips && isnan(x[i]))
            expected[i] = got[i];
}

Test(tensorflow_edges, activations)
{
    const hid_t file = test_golden_open("tensorflow_edges.h5");
    static const char *const names[] = {"linear",       "relu",     "sigmoid", "tanh",
                                        "leaky_relu",   "elu",      "selu",    "gelu",
                                        "hard_sigmoid", "softplus", "swish"};
    for (size_t a = 0; a < sizeof names / sizeof *names; a++) {
        size_t n;
        char group[64], layers[128];
        snprintf(group, sizeof group, "activation/%s", names[a]);
        snprintf(layers, sizeof layers, "[layer.a]\ntype = activation\nactivation = %s\n",
                 names[a]);
        float *x = load(file, "activation", "x", &n);
        float *y = load(file, group, "y", &n), *d = load(file, group, "d", &n);
        float *dst = tr_alloc(n, sizeof *dst), *ones = tr_alloc(n, sizeof *ones);
        float *diff = tr_alloc(n, sizeof *diff);
        for (size_t i = 0; i < n; i++)
            ones[i] = 1.0f;
        const int64_t shape[3] = {1, 1, (int64_t)n};
        test_net *net = test_net_new(layers, shape, 1);
        test_net_forward(net, x, dst);
        test_net_backward(net, ones, diff);
        spare(names[a], x, dst, y, n);
        spare(names[a], x, diff, d, n);
        expect(names[a], "value", x, dst, y, n, 2e-6, 1e-6);
        expect(names[a], "derivative", x, diff, d, n, 1e-6, 1e-6);
        test_net_free(net);
        float *all[] = {x, y, d, dst, ones, diff};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            tr_free(all[i]);
    }
    H5Fclose(file);
}

Test(tensorflow_edges, softmax)
{
    const hid_t file = test_golden_open("tensorflow_edges.h5");
    size_t n;
    float *x = load(file, "softmax", "x", &n), *y = load(file, "softmax", "y", &n);
    float *diff = load(file, "softmax", "diff", &n), *dx = load(file, "softmax", "dx", &n);
    float *dst = tr_alloc(n, sizeof *dst), *out = tr_alloc(n, sizeof *out);
    const int64_t shape[3] = {1, 1, 3};
    test_net *net =
        test_net_new("[layer.a]\ntype = activation\nactivation = softmax\n", shape, (int64_t)n / 3);
    test_net_forward(net, x, dst);
    test_net_backward(net, diff, out);
    expect("softmax", "value", x, dst, y, n, 1e-7, 1e-6);
    expect("softmax", "gradient", x, out, dx, n, 1e-6, 1e-6);
    test_net_free(net);
    float *all[] = {x, y, diff, dx, dst, out};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tr_free(all[i]);
    H5Fclose(file);
}

static herr_t pooling_case(hid_t file, const char *name, const H5L_info_t *info, void *context)
{
    (void)info, (void)context;
    size_t n, n_dst;
    int32_t shape32[3];
    const hid_t group = H5Gopen2(file, name, H5P_DEFAULT);
    char *ini = test_golden_text(group, "ini"), *layers = tr_format("[layer.a]\n%s", ini);
    const hid_t id = H5Aopen(group, "input_shape", H5P_DEFAULT);
    cr_assert(H5Aread(id, H5T_NATIVE_INT32, shape32) >= 0);
    const int64_t shape[3] = {shape32[0], shape32[1], shape32[2]};
    float *src = load(group, ".", "src", &n), *diff_src = load(group, ".", "diff_src", &n);
    float *dst = load(group, ".", "dst", &n_dst), *diff_dst = load(group, ".", "diff_dst", &n_dst);
    float *got = tr_alloc(n_dst, sizeof *got), *diff_got = tr_alloc(n, sizeof *diff_got);
    test_net *net = test_net_new(layers, shape, (int64_t)n / (shape[0] * shape[1] * shape[2]));
    test_net_forward(net, src, got);
    test_net_backward(net, diff_dst, diff_got);
    expect(name, "result", dst, got, dst, n_dst, 0.0, 0.0);
    expect(name, "gradient", src, diff_got, diff_src, n, 0.0, 2e-7); /* one division */
    test_net_free(net);
    float *all[] = {src, diff_src, dst, diff_dst, got, diff_got};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tr_free(all[i]);
    tr_free(ini);
    tr_free(layers);
    H5Aclose(id);
    H5Gclose(group);
    return 0;
}

Test(tensorflow_edges, equal_maxima_and_nan)
{
    const hid_t file = test_golden_open("tensorflow_edges.h5");
    const hid_t group = H5Gopen2(file, "pooling", H5P_DEFAULT);
    hsize_t at = 0;
    cr_assert(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &at, pooling_case, NULL) >= 0);
    cr_assert_eq(at, 5);
    H5Gclose(group);
    H5Fclose(file);
}
