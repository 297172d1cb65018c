/* test_checkpoint_read.c -- our files and Keras's own; wrong, cut and bit-flipped ones. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "h5_write.h"
#include "keras.h"
#include "keras_net.h"
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
        cr_assert_eq(tr_model_get_weight(net->model, i, ours, &err), TR_OK);
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
    cr_assert_eq(tr_model_digest(net->model, before, &err), TR_OK);
    cr_assert_eq(tr_checkpoint_read_weights(net->model, path, &err), TR_ERR_DATA);
    cr_assert_not_null(strstr(err.text, expected), "%s", err.text);
    cr_assert_not_null(strstr(err.text, path), "%s", err.text);
    cr_assert_eq(tr_model_digest(net->model, after, &err), TR_OK);
    cr_assert_str_eq(before, after, "the model was touched");
    test_net_free(net);
}

Test(checkpoint_read, refuses_what_does_not_fit)
{
    refused("[layer.c]\ntype = conv2d\nfilters = 32\nkernel_size = 5\n", keras_file(),
            "is float32 [3, 3, 1, 32], the model's c/kernel is [5, 5, 1, 32]");
    refused("[layer.c]\ntype = conv2d\nfilters = 32\nkernel_size = 3\n", keras_file(),
            "has more weights than the model");
    refused("[layer.c]\ntype = conv2d\nfilters = 32\nkernel_size = 3\n", "/no/such.h5",
            "No such file");
    refused("[layer.c]\ntype = conv2d\nfilters = 32\nkernel_size = 3\n", TR_SOURCE "/LICENSE",
            "is not an HDF5 file");
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
    cr_assert_eq(tr_model_digest(net->model, written, &err), TR_OK);
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
        cr_assert_eq(tr_model_digest(net->model, now, &err), TR_OK);
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

/* ---- other layouts of Keras ---- */

static const char small_of_keras[] =
    "[layer.a]\ntype = conv2d\nfilters = 4\nkernel_size = 5\nstrides = 2\npadding = same\n"
    "[layer.b]\ntype = batch_normalization\n[layer.p]\ntype = average_pooling2d\npadding = same\n"
    "[layer.c]\ntype = conv2d\nfilters = 6\nkernel_size = 2, 3\n[layer.f]\ntype = flatten\n"
    "[layer.d]\ntype = dense\nunits = 7\n[layer.e]\ntype = dense\nunits = 3\n";
static const int64_t small_shape[3] = {12, 10, 3};

/* 2 x 3 x 1 x 2; what NumPy's kernel[::-1, ::-1] is, as Keras 2.3's convert_kernel() has it. */
Test(checkpoint_read, turns_theano_s_kernels_around)
{
    static const char *const backends[] = {"theano", "tensorflow"};
    static const float kernel[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static const float turned[12] = {10, 11, 8, 9, 6, 7, 4, 5, 2, 3, 0, 1};
    static const float *const expected[] = {turned, kernel};
    for (int i = 0; i < 2; i++) {
        tr_error err = {0};
        char path[512];
        float values[12];
        snprintf(path, sizeof path, "%s/theano.h5", test_folder());
        const hid_t file = test_keras_h5("theano.h5", NULL, NULL, "2.3.1", false);
        const hid_t c = H5Gcreate2(file, "c", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        if (H5Aexists(file, "backend") > 0)
            H5Adelete(file, "backend");
        test_keras_names(file, "backend", &backends[i], 1, false);
        test_keras_names(file, "layer_names", (const char *const[]){"c"}, 1, false);
        test_keras_names(c, "weight_names", (const char *const[]){"k"}, 1, false);
        test_keras_array(c, "k", 4, (const int64_t[]){2, 3, 1, 2}, H5T_IEEE_F32LE, kernel);
        H5Gclose(c);
        H5Fclose(file);
        test_net *net = test_net_new("[layer.c]\ntype = conv2d\nfilters = 2\nkernel_size = 2, 3\n"
                                     "use_bias = false\n",
                                     (const int64_t[]){4, 4, 1}, 2);
        cr_assert_eq(tr_checkpoint_read_weights(net->model, path, &err), TR_OK, "%s", err.text);
        cr_assert_eq(tr_model_get_weight(net->model, 0, values, &err), TR_OK);
        cr_expect_eq(memcmp(values, expected[i], sizeof values), 0, "%s", backends[i]);
        test_net_free(net);
    }
}

/* By keys it finds the very weights that the whole model of the same training has in order. */
Test(checkpoint_read, takes_weights_alone)
{
    tr_error err = {0};
    char whole[33], alone[33];
    test_net *net = test_net_new(small_of_keras, small_shape, 2);
    cr_assert_eq(tr_checkpoint_read_weights(net->model, test_keras_golden("small_v3.9.2.h5"), &err),
                 TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_digest(net->model, whole, &err), TR_OK);
    cr_assert_eq(tr_checkpoint_read_weights(net->model, test_keras_golden("small_v3.3.3.h5"), &err),
                 TR_OK);
    cr_assert_eq(tr_model_digest(net->model, alone, &err), TR_OK);
    cr_assert_str_neq(whole, alone);
    cr_assert_eq(
        tr_checkpoint_read_weights(net->model, test_keras_golden("small_v3.9.2.weights.h5"), &err),
        TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_digest(net->model, alone, &err), TR_OK);
    cr_assert_str_eq(whole, alone);
    test_net_free(net);
    net = test_net_new(tutorial, shape, 2);
    cr_assert_eq(tr_checkpoint_read_weights(
                     net->model, test_keras_golden("tutorial_untrained_v3.3.3.weights.h5"), &err),
                 TR_OK, "%s", err.text);
    test_net_free(net);
}

Test(checkpoint_read, refuses_weights_alone_of_another_model)
{
    static const char conv[] = "[layer.c]\ntype = conv2d\nfilters = 32\nkernel_size = 3\n";
    char *more = tr_format("%s[layer.m]\ntype = conv2d\nfilters = 4\nkernel_size = 1\n", tutorial);
    char *first =
        tr_format("[layer.m]\ntype = flatten\n%s", "[layer.d]\ntype = dense\nunits = 3\n");
    const char *untrained = test_keras_golden("tutorial_untrained_v3.3.3.weights.h5");
    refused(conv, untrained, "has more weights than the model: there is no layer for those of");
    refused(first, untrained,
            "dense/vars/0 is float32 [3136, 10], the model's d/kernel is [784, 3]");
    refused("[layer.c]\ntype = conv2d\nfilters = 32\nkernel_size = 3\nuse_bias = false\n",
            untrained, "than the model's layer c: layers/conv2d/vars/1 is one too many");
    refused("[layer.n]\ntype = batch_normalization\n", untrained,
            "has no weights for layer n: batch_normalization/vars/0 is missing");
    refused(conv, test_keras_golden("handmade_minimal.keras"), "has more weights than the model");
    tr_free(more);
    tr_free(first);
}

static const char one_dense[] = "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 3\n";
static const int64_t four[3] = {2, 2, 1};
static const float exact[12] = {1, -2, 3, 0.5f, 5, 6, 7.25f, 8, 9, 10, 11, 1024};

static void expect_exact(const char *path)
{
    tr_error err = {0};
    float values[12];
    test_net *net = test_net_new(one_dense, four, 2);
    cr_assert_eq(tr_checkpoint_read_weights(net->model, path, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_get_weight(net->model, 0, values, &err), TR_OK);
    cr_expect_eq(memcmp(values, exact, sizeof exact), 0, "%s", path);
    test_net_free(net);
}

/* IEEE's binary16, which HDF5 1.10 has no name for. */
static hid_t half(void)
{
    const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    cr_assert_geq(H5Tset_fields(type, 15, 10, 5, 0, 10), 0);
    cr_assert_geq(H5Tset_size(type, 2), 0);
    cr_assert_geq(H5Tset_ebias(type, 15), 0);
    return type;
}

/* save_weights() of Keras 2: the layout at the root; strings fixed or not; numbers of any width. */
Test(checkpoint_read, takes_keras_2_weights_of_any_type)
{
    const hid_t types[] = {H5T_IEEE_F32LE, half(), H5T_IEEE_F64LE, H5T_IEEE_F32BE};
    char path[512];
    snprintf(path, sizeof path, "%s/k2.h5", test_folder());
    for (int i = 0; i < 4; i++) {
        const bool fixed = i % 2 == 0;
        const hid_t file = test_keras_h5("k2.h5", NULL, NULL, "2.4.0", fixed);
        const hid_t d = H5Gcreate2(file, "layers", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        const hid_t f = H5Gcreate2(file, "flat", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        test_keras_names(file, "layer_names", (const char *const[]){"flat", "layers"}, 2, fixed);
        test_keras_names(d, "weight_names", (const char *const[]){"layers/kernel:0", "b"}, 2,
                         fixed);
        test_keras_array(d, "layers/kernel:0", 2, (const int64_t[]){4, 3}, types[i], exact);
        test_keras_array(d, "b", 1, (const int64_t[]){3}, types[i], exact);
        H5Gclose(d);
        H5Gclose(f);
        H5Fclose(file);
        expect_exact(path);
    }
    H5Tclose(types[1]);
}

static tr_status fill_keyed(const void *user, hid_t file, tr_error *err)
{
    (void)user, (void)err;
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    static const char *const groups[] = {"layers/dense/vars", "layers/flatten/vars",
                                         "layers/input_layer/vars",
                                         "layers/dropout/seed_generator/vars", "optimizer/vars"};
    for (int i = 0; i < 5; i++) {
        const hid_t group = H5Gcreate2(file, groups[i], links, H5P_DEFAULT, H5P_DEFAULT);
        if (i == 0)
            test_keras_array(group, "0", 2, (const int64_t[]){4, 3}, H5T_IEEE_F32LE, exact);
        if (i == 0 || i > 2)
            test_keras_array(group, i == 0 ? "1" : "0", 1, (const int64_t[]){3}, H5T_IEEE_F32LE,
                             exact);
        H5Gclose(group);
    }
    H5Pclose(links);
    return TR_OK;
}

/* Groups of other things are no weights: the input of a functional model, seeds, the optimizer. */
Test(checkpoint_read, ignores_other_groups_beside_weights_alone)
{
    char path[512];
    tr_error err = {0};
    snprintf(path, sizeof path, "%s/keyed.weights.h5", test_folder());
    cr_assert_eq(tr_h5_write_file(path, fill_keyed, NULL, &err), TR_OK, "%s", err.text);
    expect_exact(path);
}

/* An archive whose weights are missing, no HDF5, or damaged: the archive has a sum of them. */
Test(checkpoint_read, broken_archives_are_refused)
{
    static unsigned char bytes[1 << 16];
    void *image = NULL;
    size_t n = 0;
    tr_error err = {0};
    char path[512];
    cr_assert_eq(tr_h5_make_image(&image, &n, fill_keyed, NULL, &err), TR_OK);
    snprintf(path, sizeof path, "%s",
             test_keras_archive("w.keras", "{}", "3.3.3", image, n, false));
    expect_exact(path);
    FILE *file = fopen(path, "rb");
    const size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    const unsigned char *at = memmem(bytes, length, exact, sizeof exact);
    cr_assert_not_null(at);
    bytes[at - bytes] ^= 1;
    file = fopen(path, "wb");
    fwrite(bytes, 1, length, file);
    fclose(file);
    tr_free(image);
    test_net *net = test_net_new(one_dense, four, 2);
    cr_assert_eq(tr_checkpoint_read_weights(net->model, path, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "model.weights.h5 in it cannot be unpacked"), "%s",
                       err.text);
    const char *other = test_keras_archive("x.keras", "{}", "3.3.3", NULL, 0, false);
    cr_assert_eq(tr_checkpoint_read_weights(net->model, other, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "x.keras: has no model.weights.h5 inside"), "%s", err.text);
    other = test_keras_archive("y.keras", "{}", "3.3.3", "nothing", 7, true);
    cr_assert_eq(tr_checkpoint_read_weights(net->model, other, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "model.weights.h5 in it is not a whole HDF5 file"), "%s",
                       err.text);
    test_net_free(net);
}
