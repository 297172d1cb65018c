/* test_checkpoint_read.c -- our files and Keras's own; wrong, cut and bit-flipped ones. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "rng.h"
#include "trainer/checkpoint.h"

static const char tutorial[] =
    "[layer.c1]\ntype = conv2d\nfilters = 32\nkernel_size = 3\npadding = same\n"
    "[layer.p1]\ntype = max_pooling2d\n"
    "[layer.c2]\ntype = conv2d\nfilters = 64\nkernel_size = 3\npadding = same\n"
    "[layer.p2]\ntype = max_pooling2d\n[layer.f]\ntype = flatten\n"
    "[layer.d]\ntype = dense\nunits = 10\n";
static const int64_t shape[3] = {28, 28, 1};

/* keras_written.h5 is a whole-model file that Keras 3.16 wrote, with other layer names. */
static const char *keras_file(void)
{
    return TR_GOLDEN "/keras_written.h5";
}

Test(checkpoint_read, takes_a_file_of_keras)
{
    tr_error err = {0};
    test_net *net = test_net_new(tutorial, shape, 2);
    cr_assert_eq(tr_checkpoint_read_weights(net->model, keras_file(), &err), TR_OK, "%s", err.text);
    static const char *const datasets[] = {"model_weights/conv2d/sequential/conv2d/kernel",
                                           "model_weights/conv2d/sequential/conv2d/bias",
                                           "model_weights/conv2d_1/sequential/conv2d_1/kernel",
                                           "model_weights/conv2d_1/sequential/conv2d_1/bias",
                                           "model_weights/dense/sequential/dense/kernel",
                                           "model_weights/dense/sequential/dense/bias"};
    const hid_t file = test_golden_open("keras_written.h5");
    for (int i = 0; i < 6; i++) {
        size_t n;
        float *theirs = test_golden_floats(file, datasets[i], &n);
        float *ours = tr_alloc(n, sizeof *ours);
        tr_model_get_weight(net->model, i, ours, &err);
        cr_assert_eq(memcmp(theirs, ours, n * sizeof *ours), 0, "%s", datasets[i]);
        tr_free(theirs);
        tr_free(ours);
    }
    H5Fclose(file);
    test_net_free(net);
}

static void refused(const char *layers, const char *path, const char *expected)
{
    tr_error err = {0};
    char before[33], after[33];
    test_net *net = test_net_new(layers, shape, 2);
    tr_model_digest(net->model, before, &err);
    cr_assert_eq(tr_checkpoint_read_weights(net->model, path, &err), TR_ERR_DATA);
    cr_assert_not_null(strstr(err.text, expected), "%s", err.text);
    cr_assert_not_null(strstr(err.text, path), "%s", err.text);
    tr_model_digest(net->model, after, &err);
    cr_assert_str_eq(before, after, "the model was touched");
    test_net_free(net);
}

Test(checkpoint_read, refuses_what_does_not_fit)
{
    refused("[layer.c]\ntype = conv2d\nfilters = 32\nkernel_size = 5\n", keras_file(),
            "is [3, 3, 1, 32], the model's c/kernel is [5, 5, 1, 32]");
    refused("[layer.c]\ntype = conv2d\nfilters = 32\nkernel_size = 3\n", keras_file(),
            "has more weights than the model");
    refused("[layer.c]\ntype = conv2d\nfilters = 32\nkernel_size = 3\n", "/no/such.h5",
            "No such file");
    refused("[layer.c]\ntype = conv2d\nfilters = 32\nkernel_size = 3\n", TR_SOURCE "/LICENSE",
            "is not a whole HDF5 file");
    refused("[layer.c]\ntype = conv2d\nfilters = 32\nkernel_size = 3\n", TR_GOLDEN "/losses.h5",
            "has no /model_weights");
}

/* Truncated at any length or with any bit flipped: refused or read as it was written, never a crash
 * and never other numbers. */
Test(checkpoint_read, broken_files_do_not_crash)
{
    static const char small[] = "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 3\n";
    static const int64_t tiny[3] = {1, 1, 4};
    static unsigned char bytes[1 << 16];
    tr_error err = {0};
    char whole[512], broken[512], written[33], now[33];
    test_net *net = test_net_new(small, tiny, 2);
    snprintf(whole, sizeof whole, "%s/whole.h5", test_folder());
    snprintf(broken, sizeof broken, "%s/broken.h5", test_folder());
    cr_assert_eq(test_save(net->model, whole, &err), TR_OK, "%s", err.text);
    tr_model_digest(net->model, written, &err);
    FILE *file = fopen(whole, "rb");
    const size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    cr_assert(n > 1000 && n < sizeof bytes);
    int refusals = 0;
    for (uint64_t i = 0; i < 300; i++) {
        size_t length = n;
        const uint64_t bit = tr_random_below(n * 8, 1, TR_PURPOSE_SHUFFLE, 7, i);
        if (i % 3 == 0)
            length = (size_t)(bit / 8);
        else
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        file = fopen(broken, "wb");
        fwrite(bytes, 1, length, file);
        fclose(file);
        if (i % 3 != 0)
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        const tr_status status = tr_checkpoint_read_weights(net->model, broken, &err);
        cr_assert(status == TR_OK || status == TR_ERR_DATA, "%s", err.text);
        tr_model_digest(net->model, now, &err);
        cr_assert_str_eq(now, written, "other weights, without a word");
        refusals += status != TR_OK;
    }
    cr_assert_geq(refusals, 95); /* at least all the truncated ones */
    test_net_free(net);
}

/* A bit of a weight, of which HDF5 keeps no sum; and a file whose owner took the digest out. */
Test(checkpoint_read, changed_numbers_are_noticed)
{
    static const char small[] = "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 3\n";
    static const int64_t tiny[3] = {1, 1, 4};
    tr_error err = {0};
    char path[512];
    float bias[3] = {0.25f, 0.5f, 0.75f};
    test_net *net = test_net_new(small, tiny, 2);
    snprintf(path, sizeof path, "%s/changed.h5", test_folder());
    cr_assert_eq(test_save(net->model, path, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_checkpoint_read_weights(net->model, path, &err), TR_OK, "%s", err.text);
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t dataset = H5Dopen2(file, "model_weights/d/d/bias:0", H5P_DEFAULT);
    cr_assert_geq(H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, bias), 0);
    H5Dclose(dataset);
    H5Fclose(file);
    cr_expect_eq(tr_checkpoint_read_weights(net->model, path, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "changed.h5: its weights are not those that were written"),
                       "%s", err.text);
    const hid_t again = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Adelete_by_name(again, "trainer", "weights_digest", H5P_DEFAULT);
    H5Fclose(again);
    cr_expect_eq(tr_checkpoint_read_weights(net->model, path, &err), TR_OK, "%s", err.text);
    test_net_free(net);
}
