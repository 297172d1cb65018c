/* test_whitening.c -- kernels made of the training samples, against NumPy's (tests/golden/
 * whitening.py); eigenvectors; what cannot be whitened. */
#include "whitening.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "rig.h"

static tr_samples golden_samples(hid_t file)
{
    size_t n;
    float *images = test_golden_floats(file, "images", &n);
    tr_samples samples = {.n = 40, .h = 9, .w = 7, .c = 3, .pixel = TR_PIXEL_U8};
    uint8_t *x = tr_alloc(n, 1);
    int32_t *y = tr_alloc(40, sizeof *y);
    for (size_t i = 0; i < n; i++)
        x[i] = (uint8_t)images[i];
    samples.x = x;
    samples.y = y;
    tr_free(images);
    return samples;
}

/* A direction has no sign of its own, and both stand in the kernel. Where its two largest elements
 * are nearly of one size, rounding decides which comes first. */
static void align(float *want, const float *got, size_t n, size_t filters)
{
    for (size_t f = 0; f < filters; f++) {
        double product = 0.0;
        for (size_t i = f; i < n; i += filters)
            product += (double)want[i] * (double)got[i];
        for (size_t i = f; product < 0.0 && i < n; i += filters)
            want[i] = -want[i];
    }
    for (size_t i = 0; i < n; i++)
        if (i % filters < filters / 2)
            cr_assert_eq(got[i], -got[i + filters / 2]);
}

static void compare(const char *body, int weight, const char *golden)
{
    const hid_t file = test_golden_open("whitening.h5");
    static const char *const scale[] = {"data.scale=1/255"};
    tr_samples samples = golden_samples(file);
    uint32_t index[30];
    size_t n;
    tr_error err = {0};
    for (uint32_t i = 0; i < 30; i++)
        index[i] = i;
    test_rig rig = test_rig_new(body, "sgd", 2, 8, scale, 1);
    cr_assert_eq(tr_weights_from_samples(rig.model, &samples, index, 30, &err), TR_OK, "%s",
                 err.text);
    float *want = test_golden_floats(file, golden, &n), *got = test_rig_weight(&rig, weight);
    align(want, got, n, (size_t)tr_model_weight(rig.model, weight).dims[3]);
    /* of float32 pixels; the least eigenvalues are 1e-4 of the largest */
    test_close(golden, got, want, n, 1e-4, 1e-5);
    tr_free(want);
    tr_free(got);
    test_rig_free(&rig);
    test_samples_free(&samples);
    H5Fclose(file);
}

#define BEHIND                                                                                     \
    "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 4\nactivation = softmax\n"

Test(whitening, of_the_images)
{
    compare("[model]\ninput_shape = 9, 7, 3\n[layer.w]\ntype = conv2d\nfilters = 24\n"
            "kernel_size = 2\nkernel_initializer = whitening\ntrainable = false\n" BEHIND,
            0, "kernel_2x2");
}

/* Fewer filters than there are directions, behind a layer, of some samples. */
Test(whitening, of_what_comes_in)
{
    compare("[model]\ninput_shape = 9, 7, 3\n[layer.p]\ntype = max_pooling2d\n[layer.w]\n"
            "type = conv2d\nfilters = 10\nkernel_size = 3, 2\n"
            "kernel_initializer = whitening(eps=0.01, images=20)\n" BEHIND,
            0, "kernel_3x2");
}

/* Results have a variance of about 1, and those of different directions are not correlated. */
Test(whitening, eigenvectors)
{
    enum { K = 17 };
    double a[K * K], copy[K * K], values[K], vectors[K * K];
    float noise[K * K];
    test_fill(noise, K * K, 3);
    for (int i = 0; i < K; i++)
        for (int j = 0; j <= i; j++)
            a[i * K + j] = a[j * K + i] = (double)noise[i * K + j];
    memcpy(copy, a, sizeof a);
    tr_eigen(a, K, values, vectors);
    for (int i = 0; i < K; i++) {
        cr_expect(i == 0 || values[i] <= values[i - 1]);
        double largest = 0.0;
        for (int r = 0; r < K; r++) {
            double product = 0.0;
            for (int k = 0; k < K; k++)
                product += copy[r * K + k] * vectors[i * K + k];
            /* numbers of size 1, turned some hundred times */
            cr_expect_float_eq(product, values[i] * vectors[i * K + r], 1e-12, "%g",
                               product - values[i] * vectors[i * K + r]);
            largest = fabs(vectors[i * K + r]) > fabs(largest) ? vectors[i * K + r] : largest;
        }
        cr_expect_gt(largest, 0.0);
    }
}

/* All the same: no direction is better than another, and nothing is divided by zero. */
Test(whitening, of_constant_images)
{
    double zero[9] = {0}, values[3], vectors[9];
    tr_eigen(zero, 3, values, vectors);
    for (int i = 0; i < 9; i++)
        cr_expect_eq(vectors[i], i % 4 == 0 ? 1.0 : 0.0);
}

Test(whitening, what_cannot_be)
{
    static const char *const rows[][2] = {
        {"filters = 23\nkernel_size = 2", "filters must be even, and at most twice"},
        {"filters = 26\nkernel_size = 2", "filters must be even, and at most twice"},
        {"filters = 24\nkernel_size = 2\ngroups = 3", "it takes all channels; remove groups"},
        {"filters = 24\nkernel_size = 2\nbias_initializer = whitening",
         "initializer whitening of bias: it is for the kernel of conv2d"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *body = tr_format("[model]\ninput_shape = 9, 7, 3\n[layer.w]\ntype = conv2d\n%s\n"
                               "kernel_initializer = whitening\n[layer.f]\ntype = flatten\n",
                               rows[i][0]);
        test_refused(body, rows[i][1]);
        tr_free(body);
    }
}
