/* test_checkpoint_transfer.c -- weights of another model, by name or by order: what fits is the
 * file's to the bit, all else as it was initialised; and each layer's fate is told.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "trainer/checkpoint.h"

static const int64_t shape[3] = {8, 8, 2};
static const char old_net[] = "[layer.c1]\ntype = conv2d\nfilters = 4\nkernel_size = 3\n"
                              "[layer.b1]\ntype = batch_normalization\n"
                              "[layer.c2]\ntype = conv2d\nfilters = 5\nkernel_size = 3\n"
                              "[layer.flat]\ntype = flatten\n"
                              "[layer.head]\ntype = dense\nunits = 3\n";
/* Other seeds, and so other weights, than those of the file. */
static const char *const other_seed[] = {"fit.seed=5"};

typedef struct subject {
    test_net *net;
    float *before[16]; /* [weights] */
    tr_transfer *transfer;
} subject;

static float *weight_of(const tr_model *model, int i)
{
    tr_error err = {0};
    float *values = tr_alloc((size_t)tr_model_weight(model, i).n, sizeof *values);
    cr_assert_eq(tr_model_get_weight(model, i, values, &err), TR_OK);
    return values;
}

static subject subject_of(const char *layers)
{
    subject made = {.net = test_net_new_with(layers, shape, 1, other_seed, 1)};
    for (int i = 0; i < tr_model_n_weights(made.net->model); i++)
        made.before[i] = weight_of(made.net->model, i);
    return made;
}

static void discard(subject *made)
{
    for (int i = 0; i < tr_model_n_weights(made->net->model); i++)
        tr_free(made->before[i]);
    tr_transfer_free(made->transfer);
    test_net_free(made->net);
}

static tr_status transfer(subject *made, const char *path, bool by_name, bool skip, tr_error *err)
{
    return tr_checkpoint_transfer(&made->transfer, made->net->model, path,
                                  &(tr_transfer_rules){by_name, skip}, err);
}

/* A checkpoint of old_net, whose weights nobody initialised so. */
static const char *old_file(void)
{
    static char path[600];
    tr_error err = {0};
    test_net *net = test_net_new(old_net, shape, 1);
    for (int i = 0; i < tr_model_n_weights(net->model); i++) {
        const size_t n = (size_t)tr_model_weight(net->model, i).n;
        float *values = tr_alloc(n, sizeof *values);
        test_fill(values, n, 40u + (unsigned)i);
        cr_assert_eq(tr_model_set_weight(net->model, i, values, &err), TR_OK);
        tr_free(values);
    }
    snprintf(path, sizeof path, "%s/old.h5", test_folder());
    cr_assert_eq(test_save(net->model, path, &err), TR_OK, "%s", err.text);
    test_net_free(net);
    return path;
}

/* Weights of that layer are those of the dataset below /model_weights, or as they were. */
static void expect_weights(const subject *made, const char *path, const char *layer,
                           const char *const *datasets)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    for (int i = 0, k = 0; i < tr_model_n_weights(made->net->model); i++) {
        const tr_weight_info info = tr_model_weight(made->net->model, i);
        if (strcmp(info.layer, layer) != 0)
            continue;
        size_t n = (size_t)info.n;
        float *now = weight_of(made->net->model, i);
        float *wanted =
            datasets == NULL ? made->before[i] : test_golden_floats(file, datasets[k++], &n);
        cr_expect_eq((int64_t)n, info.n);
        cr_expect_eq(memcmp(now, wanted, n * sizeof *now), 0, "%s/%s", layer, info.name);
        if (datasets != NULL)
            tr_free(wanted);
        tr_free(now);
    }
    H5Fclose(file);
}

#define OURS(layer, weight) "model_weights/" layer "/" layer "/" weight ":0"
static const char *const c1[] = {OURS("c1", "kernel"), OURS("c1", "bias")};
static const char *const b1[] = {OURS("b1", "gamma"), OURS("b1", "beta"), OURS("b1", "moving_mean"),
                                 OURS("b1", "moving_variance")};
static const char *const c2[] = {OURS("c2", "kernel"), OURS("c2", "bias")};
static const char *const head[] = {OURS("head", "kernel"), OURS("head", "bias")};

static void expect_fate(const subject *made, const char *layer, tr_transfer_kind kind,
                        const char *from, const char *why)
{
    for (int i = 0; i < made->transfer->n; i++) {
        const tr_transferred_layer *fate = &made->transfer->layers[i];
        if (strcmp(tr_model_layer(made->net->model, fate->layer).name, layer) != 0)
            continue;
        cr_expect_eq(fate->kind, kind, "%s", layer);
        cr_expect_str_eq(fate->from, from, "%s", layer);
        cr_expect_str_eq(fate->why, why, "%s", layer);
        return;
    }
    cr_assert_fail("%s is not told of", layer);
}

/* ---- our files ---- */

/* New layers between, other ones renamed: a new head on an old body. */
Test(checkpoint_transfer, by_name_takes_layers_of_the_same_name)
{
    static const char network[] = "[layer.c1]\ntype = conv2d\nfilters = 4\nkernel_size = 3\n"
                                  "trainable = false\n"
                                  "[layer.between]\ntype = conv2d\nfilters = 4\nkernel_size = 1\n"
                                  "[layer.b1]\ntype = batch_normalization\ntrainable = false\n"
                                  "[layer.flat]\ntype = flatten\n"
                                  "[layer.answer]\ntype = dense\nunits = 7\n";
    tr_error err = {0};
    subject made = subject_of(network);
    const char *path = old_file();
    cr_assert_eq(transfer(&made, path, true, false, &err), TR_OK, "%s", err.text);
    expect_weights(&made, path, "c1", c1);
    expect_weights(&made, path, "b1", b1);
    expect_weights(&made, path, "between", NULL);
    expect_weights(&made, path, "answer", NULL);
    expect_fate(&made, "c1", TR_TRANSFER_LOADED, "c1", "");
    expect_fate(&made, "between", TR_TRANSFER_ABSENT, "", "");
    expect_fate(&made, "answer", TR_TRANSFER_ABSENT, "", "");
    cr_expect_eq(made.transfer->n_unused, 2);
    cr_expect_str_eq(made.transfer->unused, "c2, head");
    discard(&made);
}

/* The head of the file has another number of classes. */
Test(checkpoint_transfer, what_does_not_fit_is_skipped_or_refused)
{
    static const char network[] = "[layer.c1]\ntype = conv2d\nfilters = 4\nkernel_size = 3\n"
                                  "[layer.b1]\ntype = batch_normalization\nscale = false\n"
                                  "[layer.c2]\ntype = conv2d\nfilters = 5\nkernel_size = 3\n"
                                  "[layer.flat]\ntype = flatten\n"
                                  "[layer.head]\ntype = dense\nunits = 7\n";
    for (int by_name = 0; by_name <= 1; by_name++) {
        tr_error err = {0};
        subject made = subject_of(network);
        const char *path = old_file();
        cr_expect_eq(transfer(&made, path, by_name, false, &err), TR_ERR_DATA);
        cr_expect_not_null(strstr(err.text,
                                  "does not fit layer b1: it has 4 weights in the file, 3 "
                                  "here; [fit] skip_mismatch = true"),
                           "%s", err.text);
        expect_weights(&made, path, "c1", NULL);
        cr_assert_eq(transfer(&made, path, by_name, true, &err), TR_OK, "%s", err.text);
        expect_weights(&made, path, "c1", c1);
        expect_weights(&made, path, "b1", NULL);
        expect_weights(&made, path, "c2", c2);
        expect_weights(&made, path, "head", NULL);
        expect_fate(&made, "b1", TR_TRANSFER_MISFIT, "b1", "it has 4 weights in the file, 3 here");
        expect_fate(&made, "head", TR_TRANSFER_MISFIT, "head",
                    "kernel is float32 [80, 3] in the file, [80, 7] here");
        cr_expect_eq(made.transfer->n_unused, 0);
        discard(&made);
    }
}

/* By order names are nothing; and layers must be as many. */
Test(checkpoint_transfer, by_order_counts_layers)
{
    static const char renamed[] = "[layer.x]\ntype = conv2d\nfilters = 4\nkernel_size = 3\n"
                                  "[layer.y]\ntype = batch_normalization\n"
                                  "[layer.z]\ntype = conv2d\nfilters = 5\nkernel_size = 3\n"
                                  "[layer.flat]\ntype = flatten\n"
                                  "[layer.c1]\ntype = dense\nunits = 3\n";
    tr_error err = {0};
    subject made = subject_of(renamed);
    const char *path = old_file();
    cr_assert_eq(transfer(&made, path, false, true, &err), TR_OK, "%s", err.text);
    expect_weights(&made, path, "x", c1);
    expect_weights(&made, path, "y", b1);
    expect_weights(&made, path, "z", c2);
    expect_weights(&made, path, "c1", head);
    expect_fate(&made, "x", TR_TRANSFER_LOADED, "c1", "");
    discard(&made);

    made = subject_of("[layer.x]\ntype = conv2d\nfilters = 4\nkernel_size = 3\n");
    cr_expect_eq(transfer(&made, path, false, true, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "has 4 layers with weights, the model has 1"), "%s",
                       err.text);
    discard(&made);
}

Test(checkpoint_transfer, nothing_loaded_is_an_error)
{
    tr_error err = {0};
    subject made = subject_of("[layer.x]\ntype = conv2d\nfilters = 4\nkernel_size = 3\n");
    cr_expect_eq(transfer(&made, old_file(), true, true, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "not one layer of the model could be loaded; the file has "
                                        "c1, b1, c2, head"),
                       "%s", err.text);
    discard(&made);
}

/* What is not taken counts for the digest, too. */
Test(checkpoint_transfer, a_damaged_file_is_refused)
{
    tr_error err = {0};
    subject made = subject_of(old_net);
    const char *path = old_file();
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT),
                set = H5Dopen2(file, head[1], H5P_DEFAULT);
    const float changed[3] = {0};
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, changed);
    H5Dclose(set);
    H5Fclose(file);
    cr_expect_eq(transfer(&made, path, true, false, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "the file is damaged"), "%s", err.text);
    discard(&made);
}

/* ---- files of Keras (golden/keras/nested.py): a body that is a model among the layers ---- */

static const char new_head[] = "[layer.c1]\ntype = conv2d\nfilters = 4\nkernel_size = 3\n"
                               "[layer.b1]\ntype = batch_normalization\n"
                               "[layer.c2]\ntype = conv2d\nfilters = 5\nkernel_size = 3\n"
                               "[layer.pool]\ntype = global_average_pooling2d\n"
                               "[layer.answer]\ntype = dense\nunits = 7\n";

static void takes_body(const char *name, const char *kernel, const char *variance)
{
    tr_error err = {0};
    char path[600];
    snprintf(path, sizeof path, TR_GOLDEN "/keras/%s", name);
    subject made = subject_of(new_head);
    cr_assert_eq(transfer(&made, path, true, false, &err), TR_OK, "%s: %s", name, err.text);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    size_t n, m;
    float *k = test_golden_floats(file, kernel, &n), *v = test_golden_floats(file, variance, &m);
    float *now_k = weight_of(made.net->model, 0), *now_v = weight_of(made.net->model, 5);
    cr_expect_eq(memcmp(k, now_k, n * sizeof *k), 0, "%s: c1", name);
    cr_expect_eq(memcmp(v, now_v, m * sizeof *v), 0, "%s: moving variance", name);
    expect_fate(&made, "b1", TR_TRANSFER_LOADED, "b1", "");
    expect_fate(&made, "answer", TR_TRANSFER_ABSENT, "", "");
    cr_expect_str_eq(made.transfer->unused, "head", "%s", name);
    tr_free(k);
    tr_free(v);
    tr_free(now_k);
    tr_free(now_v);
    H5Fclose(file);
    discard(&made);
}

Test(checkpoint_transfer, takes_a_body_out_of_files_of_keras)
{
    takes_body("nested_v3.15.1.h5", "model_weights/body/sequential/body/c1/kernel",
               "model_weights/body/sequential/body/b1/moving_variance");
    takes_body("nested_v2.15.0.h5", "model_weights/body/c1/kernel:0",
               "model_weights/body/b1/moving_variance:0");
    takes_body("nested_v3.15.1.weights.h5", "layers/sequential/layers/conv2d/vars/0",
               "layers/sequential/layers/batch_normalization/vars/3");
}

/* By the keys that Keras has there: class and number. */
Test(checkpoint_transfer, weights_of_keras_match_by_key)
{
    static const char network[] = "[layer.a]\ntype = conv2d\nfilters = 4\nkernel_size = 5\n"
                                  "[layer.b]\ntype = batch_normalization\n"
                                  "[layer.c]\ntype = conv2d\nfilters = 6\nkernel_size = 2, 3\n"
                                  "[layer.f]\ntype = flatten\n"
                                  "[layer.d]\ntype = dense\nunits = 7\n"
                                  "[layer.e]\ntype = dense\nunits = 9\n";
    static const char path[] = TR_GOLDEN "/keras/small_v3.9.2.weights.h5";
    static const char *const first[] = {"layers/conv2d/vars/0", "layers/conv2d/vars/1"};
    tr_error err = {0};
    subject made = {.net =
                        test_net_new_with(network, (const int64_t[]){12, 10, 3}, 1, other_seed, 1)};
    for (int i = 0; i < tr_model_n_weights(made.net->model); i++)
        made.before[i] = weight_of(made.net->model, i);
    cr_assert_eq(transfer(&made, path, false, true, &err), TR_OK, "%s", err.text);
    expect_weights(&made, path, "a", first);
    expect_fate(&made, "d", TR_TRANSFER_MISFIT, "dense",
                "kernel is float32 [12, 7] in the file, [168, 7] here");
    expect_fate(&made, "e", TR_TRANSFER_MISFIT, "dense_1",
                "kernel is float32 [7, 3] in the file, [7, 9] here");
    discard(&made);

    made = subject_of(new_head);
    cr_expect_eq(
        transfer(&made, TR_GOLDEN "/keras/tutorial_untrained_v3.3.3.weights.h5", true, true, &err),
        TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "does not tell the names of its layers"), "%s", err.text);
    discard(&made);
}
