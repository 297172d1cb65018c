/* test_adaptation.c -- normalization that measures the training samples, against Keras's adapt()
 * (tests/golden/adaptation.py).
 */
#include <criterion/criterion.h>

#include "from_samples.h"
#include "mem.h"
#include "rig.h"

enum { IMAGES = 40, TRAINING = 30, PIXELS = 9 * 7 * 3 };

static tr_samples golden_samples(void)
{
    const hid_t file = test_golden_open("whitening.h5");
    size_t n;
    float *images = test_golden_floats(file, "images", &n);
    uint8_t *x = tr_alloc(n, 1);
    int32_t *y = tr_alloc(IMAGES, sizeof *y);
    for (size_t i = 0; i < n; i++)
        x[i] = (uint8_t)images[i];
    tr_free(images);
    H5Fclose(file);
    return (tr_samples){.n = IMAGES, .h = 9, .w = 7, .c = 3, .pixel = TR_PIXEL_U8, .x = x, .y = y};
}

static void compare_weight(const test_rig *rig, hid_t file, int weight, const char *golden)
{
    size_t n;
    float *want = test_golden_floats(file, golden, &n), *got = test_rig_weight(rig, weight);
    /* Keras adds float32 pixels up in float32: some thousand of size 1. */
    test_close(golden, got, want, n, 2e-6, 2e-6);
    tr_free(want);
    tr_free(got);
}

/* `weight`: the number of the layer's mean in the model. */
static void compare(const char *layers, int weight, const char *const golden[2])
{
    static const char *const scale[] = {"data.scale=1/255"};
    const hid_t file = test_golden_open("adaptation.h5");
    tr_samples samples = golden_samples();
    uint32_t index[TRAINING];
    tr_error err = {0};
    char *body = tr_format("[model]\ninput_shape = 9, 7, 3\n%s[layer.f]\ntype = flatten\n"
                           "[layer.d]\ntype = dense\nunits = 4\nactivation = softmax\n",
                           layers);
    for (uint32_t i = 0; i < TRAINING; i++)
        index[i] = TRAINING - 1 - i;
    test_rig rig = test_rig_new(body, "sgd", 2, 8, scale, 1);
    cr_assert_eq(tr_weights_from_samples(rig.model, &samples, index, TRAINING, &err), TR_OK, "%s",
                 err.text);
    for (int i = 0; i < 2; i++)
        compare_weight(&rig, file, weight + i, golden[i]);
    float *count = test_rig_weight(&rig, weight + 2);
    cr_assert_eq(count[0], TRAINING * (weight == 0 ? 63 : 12));
    tr_free(count);
    tr_free(body);
    test_rig_free(&rig);
    test_samples_free(&samples);
    H5Fclose(file);
}

/* What changes images at random does so in training only. */
Test(adaptation, of_the_images)
{
    static const char *const golden[2] = {"images/mean", "images/variance"};
    compare("[layer.flip]\ntype = random_translation\nheight_factor = 0.5\nwidth_factor = 0.5\n"
            "[layer.a]\ntype = normalization\nadapt = true\n",
            0, golden);
}

/* Behind another that was adapted before: of its results, taken back. */
Test(adaptation, of_what_comes_in)
{
    static const char *const golden[2] = {"pooled/mean", "pooled/variance"};
    compare("[layer.s]\ntype = normalization\nmean = 0\nvariance = 1\n[layer.w]\ntype = conv2d\n"
            "filters = 3\nkernel_size = 1\nkernel_initializer = dirac\n[layer.p]\n"
            "type = max_pooling2d\n[layer.a]\ntype = normalization\nadapt = true\n",
            2, golden);
}

/* Two in a row: the second finds mean 0 and variance 1. */
Test(adaptation, layer_after_layer)
{
    static const char *const scale[] = {"data.scale=1/255"};
    tr_samples samples = golden_samples();
    uint32_t index[TRAINING];
    tr_error err = {0};
    for (uint32_t i = 0; i < TRAINING; i++)
        index[i] = i;
    test_rig rig = test_rig_new("[model]\ninput_shape = 9, 7, 3\n[layer.a]\ntype = normalization\n"
                                "adapt = true\n[layer.b]\ntype = normalization\nadapt = true\n"
                                "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 4\n"
                                "activation = softmax\n",
                                "sgd", 2, 8, scale, 1);
    cr_assert_eq(tr_weights_from_samples(rig.model, &samples, index, TRAINING, &err), TR_OK, "%s",
                 err.text);
    float *mean = test_rig_weight(&rig, 3), *variance = test_rig_weight(&rig, 4);
    for (int k = 0; k < 3; k++) {
        cr_assert_float_eq(mean[k], 0.0, 1e-6);
        cr_assert_float_eq(variance[k], 1.0, 1e-6);
    }
    tr_free(mean);
    tr_free(variance);
    test_rig_free(&rig);
    test_samples_free(&samples);
}

Test(adaptation, given_numbers_are_not_measured)
{
    test_refused("[model]\ninput_shape = 5, 6, 3\n[layer.a]\ntype = normalization\nmean = 0\n"
                 "variance = 1\nadapt = true\n[layer.f]\ntype = flatten\n",
                 "adapt = true measures mean and variance");
}
