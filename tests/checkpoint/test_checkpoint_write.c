/* test_checkpoint_write.c -- Keras's layout, attribute types as h5py writes them, whole or not. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "file.h"
#include "h5_attributes.h"
#include "leftovers.h"
#include "mem.h"
#include "net.h"
#include "trainer/checkpoint.h"

static const char layers[] = "[layer.conv]\ntype = conv2d\nfilters = 20\nkernel_size = 3, 5\n"
                             "[layer.pool]\ntype = max_pooling2d\n"
                             "[layer.flat]\ntype = flatten\n[layer.out]\ntype = dense\nunits = 7\n";
static const int64_t shape[3] = {6, 9, 3};

static const char *path_in_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    return path;
}

static void expect_names(hid_t file, const char *group, const char *attribute,
                         const char *const *expected, size_t n_expected)
{
    char **names = NULL;
    size_t n = 0;
    const hid_t object = H5Gopen2(file, group, H5P_DEFAULT);
    cr_assert(object >= 0, "%s", group);
    cr_assert(tr_h5_read_names(object, attribute, &names, &n));
    cr_assert_eq(n, n_expected, "%s", group);
    for (size_t i = 0; i < n; i++)
        cr_assert_str_eq(names[i], expected[i]);
    tr_h5_free_names(names, n);
    H5Gclose(object);
}

Test(checkpoint_write, is_keras_s_layout)
{
    tr_error err = {0};
    test_net *net = test_net_new(layers, shape, 2);
    const char *path = path_in_folder("a.h5");
    cr_assert_eq(test_save(net->model, path, &err), TR_OK, "%s", err.text);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    cr_assert(file >= 0);
    const char *const all[] = {"conv", "pool", "flat", "out", "test_flatten"};
    const char *const conv[] = {"conv/kernel:0", "conv/bias:0"};
    expect_names(file, "model_weights", "layer_names", all, 5);
    expect_names(file, "model_weights/conv", "weight_names", conv, 2);
    expect_names(file, "model_weights/pool", "weight_names", NULL, 0);
    for (int i = 0; i < 4; i++) {
        const tr_weight_info info = tr_model_weight(net->model, i);
        char dataset[256];
        size_t n;
        snprintf(dataset, sizeof dataset, "model_weights/%s/%s/%s:0", info.layer, info.layer,
                 info.name);
        float *stored = test_golden_floats(file, dataset, &n);
        float *own = tr_alloc(n, sizeof *own);
        cr_assert_eq(tr_model_get_weight(net->model, i, own, &err), TR_OK);
        cr_assert_eq(n, (size_t)info.n);
        cr_assert_eq(memcmp(stored, own, n * sizeof *own), 0);
        tr_free(stored);
        tr_free(own);
    }
    const hid_t group = H5Gopen2(file, "model_weights", H5P_DEFAULT);
    char *version = test_golden_text(group, "keras_version");
    cr_assert_str_eq(version, "2.13.1");
    tr_free(version);
    H5Gclose(group);
    H5Fclose(file);
    test_net_free(net);
}

/* Keras tells by their place in the list whose weights they are, and has an order of its own
 * (keras_order.h): that of the layers in front, which have the same shapes, is not the file's. */
Test(checkpoint_write, graphs_are_in_the_order_of_keras)
{
    static const char graph[] =
        "[layer.last]\ntype = conv2d\nfilters = 3\nkernel_size = 1\n"
        "[layer.first]\ntype = conv2d\nfilters = 3\nkernel_size = 1\ninputs = input\n"
        "[layer.sum]\ntype = add\ninputs = first, last\n"
        "[layer.out]\ntype = conv2d\nfilters = 3\nkernel_size = 1\ntrainable = no\n"
        "[checkpoint]\nkeras_optimizer = yes\n";
    static const char *const all[] = {"first", "last", "sum", "out", "test_flatten"};
    static const char *const variables[] = {"adam/iteration",
                                            "adam/learning_rate",
                                            "adam/first_kernel_momentum",
                                            "adam/first_kernel_velocity",
                                            "adam/first_bias_momentum",
                                            "adam/first_bias_velocity",
                                            "adam/last_kernel_momentum",
                                            "adam/last_kernel_velocity",
                                            "adam/last_bias_momentum",
                                            "adam/last_bias_velocity"};
    tr_error err = {0};
    char before[33], after[33];
    test_net *net = test_net_new(graph, shape, 2);
    const char *path = path_in_folder("graph.h5");
    for (int i = 0; i < tr_model_n_weights(net->model); i++) {
        float values[9];
        test_fill(values, 9, (unsigned)i);
        cr_assert_eq(tr_model_set_weight(net->model, i, values, &err), TR_OK);
    }
    cr_assert_eq(test_save(net->model, path, &err), TR_OK, "%s", err.text);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    expect_names(file, "model_weights", "layer_names", all, 5);
    expect_names(file, "optimizer_weights", "weight_names", variables, 10);
    H5Fclose(file);
    cr_assert_eq(tr_model_digest(net->model, before, &err), TR_OK);
    cr_assert_eq(tr_model_set_weight(net->model, 0, (float[9]){0}, &err), TR_OK);
    cr_assert_eq(tr_checkpoint_read_weights(net->model, path, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_digest(net->model, after, &err), TR_OK);
    cr_expect_str_eq(after, before);
    test_net_free(net);
}

/* As Keras 2's h5py wrote them, and whatever HDF5 writes them here (2.x has other defaults):
 * superblock 0, eight-byte offsets, groups of symbol tables, no object headers of version 2. */
Test(checkpoint_write, is_hdf5_s_oldest_format)
{
    static const unsigned char head[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n', 0, 0, 0, 0,
                                         0,    8,   8,   0,   4,    0,    16,   0,    0, 0, 0, 0};
    static unsigned char bytes[1 << 17];
    tr_error err = {0};
    test_net *net = test_net_new(layers, shape, 2);
    const char *path = path_in_folder("old.h5");
    cr_assert_eq(test_save(net->model, path, &err), TR_OK, "%s", err.text);
    FILE *file = fopen(path, "rb");
    const size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    cr_assert(n > 4096 && n < sizeof bytes);
    cr_expect_eq(memcmp(bytes, head, sizeof head), 0);
    cr_expect_not_null(memmem(bytes, n, "SNOD", 4));
    cr_expect_null(memmem(bytes, n, "OHDR", 4));
    test_net_free(net);
}

/* A limit on the size of files stands in for a full disk: write(2) fails in the middle. */
Test(checkpoint_write, full_disk_leaves_the_old_file)
{
    tr_error err = {0};
    test_net *net = test_net_new(layers, shape, 2);
    char path[512];
    snprintf(path, sizeof path, "%s", path_in_folder("full.h5"));
    cr_assert_eq(test_save(net->model, path, &err), TR_OK);
    char before[33], after[33];
    cr_assert_eq(tr_model_digest(net->model, before, &err), TR_OK);
    float bias[7] = {1, 2, 3, 4, 5, 6, 7};
    cr_assert_eq(tr_model_set_weight(net->model, 3, bias, &err), TR_OK);
    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit small = {4096, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &small);
    cr_assert_eq(test_save(net->model, path, &err), TR_ERR_IO);
    const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &none);
    cr_assert_not_null(strstr(err.text, path), "%s", err.text);
    cr_assert_eq(test_leftovers(test_folder()), 0, "a half-written file stays behind");
    cr_assert_eq(tr_checkpoint_read_weights(net->model, path, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_digest(net->model, after, &err), TR_OK);
    cr_assert_str_eq(before, after);
    test_net_free(net);
}

Test(checkpoint_write, vanished_folder_is_an_io_error)
{
    tr_error err = {0};
    test_net *net = test_net_new(layers, shape, 2);
    cr_assert_eq(test_save(net->model, "/nowhere/at/all.h5", &err), TR_ERR_IO);
    cr_assert_not_null(strstr(err.text, "/nowhere/at/all.h5"));
    test_net_free(net);
}

Test(checkpoint_write, survives_lack_of_memory)
{
    test_net *net = test_net_new(layers, shape, 2);
    for (int k = 0;; k++) {
        tr_error err = {0};
        tr_alloc_fail_after(k);
        const tr_status status = test_save(net->model, path_in_folder("m.h5"), &err);
        tr_alloc_fail_after(-1);
        if (status == TR_OK)
            break;
        cr_assert(status == TR_ERR_INTERNAL || status == TR_ERR_IO, "%d: %s", k, err.text);
        cr_assert_lt(k, 1000);
    }
    test_net_free(net);
}
