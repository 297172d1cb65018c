/* test_checkpoint_outline.c -- the order of layers and weights, from a file that Keras wrote. */
#include "checkpoint_outline.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "h5_attributes.h"
#include "h5_write.h"
#include "net.h"
#include "snapshot.h"

Test(checkpoint_outline, keeps_keras_order)
{
    static const char *const expected[][2] = {{"conv2d", "sequential/conv2d/kernel"},
                                              {"conv2d", "sequential/conv2d/bias"},
                                              {"max_pooling2d", ""},
                                              {"conv2d_1", "sequential/conv2d_1/kernel"},
                                              {"conv2d_1", "sequential/conv2d_1/bias"},
                                              {"max_pooling2d_1", ""},
                                              {"flatten", ""},
                                              {"dense", "sequential/dense/kernel"},
                                              {"dense", "sequential/dense/bias"}};
    tr_checkpoint_outline *outline;
    tr_error err = {0};
    cr_assert_eq(tr_checkpoint_outline_read(&outline, TR_GOLDEN "/keras_written.h5", &err), TR_OK,
                 "%s", err.text);
    cr_expect_eq(outline->n_layers, 6);
    cr_assert_eq(outline->weights.n, 9);
    for (int i = 0; i < 9; i++) {
        char path[256] = "";
        cr_expect_str_eq(outline->weights.entries[i].layer, expected[i][0]);
        cr_expect_str_eq(outline->weights.entries[i].weight, expected[i][1]);
        if (expected[i][1][0] != '\0')
            snprintf(path, sizeof path, "model_weights/%s/%s", expected[i][0], expected[i][1]);
        cr_expect_str_eq(outline->weights.entries[i].path, path);
    }
    tr_checkpoint_outline_free(outline);
}

Test(checkpoint_outline, a_dataset_has_no_layers)
{
    tr_checkpoint_outline *outline;
    tr_error err = {0};
    cr_assert_eq(tr_checkpoint_outline_read(&outline, TR_GOLDEN "/split.h5", &err), TR_OK, "%s",
                 err.text);
    cr_expect(outline->n_layers == 0 && outline->weights.n == 0);
    tr_checkpoint_outline_free(outline);
    cr_expect_eq(tr_checkpoint_outline_read(&outline, TR_GOLDEN "/split.py", &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "split.py"));
}

/* ---- what stands beside the layers ---- */

static const float made_weights[3] = {1, 2, 3};

/* A checkpoint of one weight, with a history of two epochs. */
static tr_status fill(const void *digest, hid_t file, tr_error *err)
{
    static const char *const layers[] = {"d"}, *const weights[] = {"d/bias:0"};
    static const char *const columns[] = {"epoch", "loss"}, *const slots[] = {"sgd/iteration"};
    static const double history[2][2] = {{1, 0.5}, {2, 0.25}};
    const int64_t three = 3, dims[2] = {2, 2};
    TR_TRY(tr_h5_write_dataset(file, "model_weights/d/d/bias:0", 1, &three, H5T_IEEE_F32LE,
                               H5T_NATIVE_FLOAT, made_weights, err));
    TR_TRY(tr_h5_write_dataset(file, "trainer/history", 2, dims, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE,
                               history, err));
    TR_TRY(tr_h5_write_dataset(file, "trainer/optimizer_weights/sgd/iteration", 0, NULL,
                               H5T_STD_I64LE, H5T_NATIVE_INT64, &three, err));
    const hid_t group = H5Gopen2(file, "model_weights", H5P_DEFAULT);
    const hid_t layer = H5Gopen2(group, "d", H5P_DEFAULT);
    const hid_t trainer = H5Gopen2(file, "trainer", H5P_DEFAULT);
    const hid_t table = H5Dopen2(trainer, "history", H5P_DEFAULT);
    const hid_t optimizer = H5Gopen2(trainer, "optimizer_weights", H5P_DEFAULT);
    cr_assert(tr_h5_write_names(group, "layer_names", layers, 1));
    cr_assert(tr_h5_write_names(layer, "weight_names", weights, 1));
    cr_assert(tr_h5_write_names(table, "columns", columns, 2));
    cr_assert(tr_h5_write_names(optimizer, "weight_names", slots, 1));
    cr_assert(tr_h5_write_text(trainer, "weights_digest", digest, H5T_CSET_ASCII));
    cr_assert(tr_h5_write_text(file, "model_config",
                               "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"mine\"}}",
                               H5T_CSET_ASCII));
    H5Gclose(optimizer);
    H5Dclose(table);
    H5Gclose(trainer);
    H5Gclose(layer);
    H5Gclose(group);
    return TR_OK;
}

static tr_checkpoint_outline *outline_of_made(const char *digest)
{
    tr_checkpoint_outline *outline = NULL;
    tr_error err = {0};
    char path[512];
    snprintf(path, sizeof path, "%s/made.h5", test_folder());
    cr_assert_eq(tr_h5_write_file(path, fill, digest, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_checkpoint_outline_read(&outline, path, &err), TR_OK, "%s", err.text);
    return outline;
}

Test(checkpoint_outline, tells_what_stands_beside_the_layers)
{
    tr_checkpoint_outline *outline = outline_of_made("0123");
    cr_expect_str_eq(outline->model_class, "Sequential");
    cr_expect_str_eq(outline->model_name, "mine");
    cr_assert_eq(outline->variables.n, 1);
    cr_expect_str_eq(outline->variables.entries[0].path, "trainer/optimizer_weights/sgd/iteration");
    cr_assert_eq(outline->history.n_epochs, 2);
    cr_assert_eq(outline->history.n_columns, 2);
    cr_expect_str_eq(outline->history.columns[1], "loss");
    cr_expect_eq(outline->history.values[2], 2);
    cr_expect_eq(outline->history.values[3], 0.25);
    tr_checkpoint_outline_free(outline);
}

Test(checkpoint_outline, knows_weights_that_are_not_the_written_ones)
{
    char digest[33];
    tr_checkpoint_outline *outline = outline_of_made("0123");
    cr_expect(tr_checkpoint_outline_damaged(outline));
    snprintf(digest, sizeof digest, "%s", outline->digest);
    tr_checkpoint_outline_free(outline);
    outline = outline_of_made(digest);
    cr_expect(!tr_checkpoint_outline_damaged(outline));
    tr_checkpoint_outline_free(outline);
}

Test(checkpoint_outline, lists_keras_3_s_weights_files)
{
    tr_checkpoint_outline *outline = NULL;
    tr_error err = {0};
    cr_assert_eq(
        tr_checkpoint_outline_read(&outline, TR_GOLDEN "/keras/small_v3.9.2.weights.h5", &err),
        TR_OK, "%s", err.text);
    cr_expect_eq(outline->n_layers, 9);
    cr_expect_eq(outline->weights.n, 4 + 4 + 4 + 4); /* without weights: one entry */
    cr_expect_str_eq(outline->weights.entries[0].layer, "activation");
    cr_expect_str_eq(outline->weights.entries[2].path, "layers/batch_normalization/vars/0");
    cr_expect_eq(outline->variables.n, 12);
    cr_expect_str_eq(outline->variables.entries[10].path, "optimizer/vars/10");
    tr_checkpoint_outline_free(outline);
}

/* ---- more than there is room for ---- */

enum { LAYERS = 42, EACH = 100, MANY = LAYERS * EACH };

static void fill_layer(hid_t weights, const char *layer, int first)
{
    static char texts[EACH][32];
    static const char *names[EACH];
    const int64_t one = 1;
    tr_error err = {0};
    const hid_t group = H5Gcreate2(weights, layer, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (int i = 0; i < EACH; i++) {
        const float value = (float)(first + i);
        snprintf(texts[i], sizeof texts[i], "w%d", i);
        names[i] = texts[i];
        cr_assert_eq(tr_h5_write_dataset(group, texts[i], 1, &one, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT,
                                         &value, &err),
                     TR_OK, "%s", err.text);
    }
    cr_assert(tr_h5_write_names(group, "weight_names", names, EACH));
    H5Gclose(group);
}

/* Weights 0, 1, 2, ... */
static tr_status fill_many(const void *digest, hid_t file, tr_error *err)
{
    static char texts[LAYERS][32];
    static const char *names[LAYERS];
    (void)err;
    const hid_t group = H5Gcreate2(file, "model_weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t trainer = H5Gcreate2(file, "trainer", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (int i = 0; i < LAYERS; i++) {
        snprintf(texts[i], sizeof texts[i], "d%d", i);
        names[i] = texts[i];
        fill_layer(group, texts[i], i * EACH);
    }
    cr_assert(tr_h5_write_names(group, "layer_names", names, LAYERS));
    cr_assert(tr_h5_write_text(trainer, "weights_digest", digest, H5T_CSET_ASCII));
    H5Gclose(trainer);
    H5Gclose(group);
    return TR_OK;
}

Test(checkpoint_outline, digests_weights_that_it_does_not_list)
{
    static float values[MANY];
    char digest[33], path[512];
    tr_checkpoint_outline *outline = NULL;
    tr_error err = {0};
    for (int i = 0; i < MANY; i++)
        values[i] = (float)i;
    cr_assert_eq(tr_snapshot_digest(values, MANY, digest, &err), TR_OK);
    snprintf(path, sizeof path, "%s/many.h5", test_folder());
    cr_assert_eq(tr_h5_write_file(path, fill_many, digest, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_checkpoint_outline_read(&outline, path, &err), TR_OK, "%s", err.text);
    cr_expect_eq(outline->weights.n, TR_OUTLINE_ENTRIES);
    cr_expect_eq(outline->weights.n_unlisted, MANY - TR_OUTLINE_ENTRIES);
    cr_expect(!tr_checkpoint_outline_damaged(outline), "%s", outline->digest);
    tr_checkpoint_outline_free(outline);
}
