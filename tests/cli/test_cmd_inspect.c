/* test_cmd_inspect.c -- trainer inspect from outside. */
#include <criterion/criterion.h>
#include <hdf5.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keras.h"
#include "net.h"
#include "run.h"
#include "small_run.h"

static const char *data_path(void)
{
    static char path[512];
    static const hsize_t dims[3] = {3, 2, 4};
    static const uint8_t x[24] = {0, 255, 0, 255, 255, 0, 255, 0}, y[3] = {4, 2, 4};
    snprintf(path, sizeof path, "%s/inspect.h5", test_folder());
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    for (int i = 0; i < 2; i++) {
        const hid_t space = H5Screate_simple(i == 0 ? 3 : 1, dims, NULL);
        const hid_t set = H5Dcreate2(file, i == 0 ? "x_train" : "y_train", H5T_STD_U8LE, space,
                                     H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Dwrite(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, i == 0 ? x : y);
        H5Dclose(set);
        H5Sclose(space);
    }
    H5Fclose(file);
    return path;
}

static const test_outcome *inspect(const char *path, const char *more)
{
    char arguments[2048];
    snprintf(arguments, sizeof arguments, "inspect %s %s", path, more);
    return test_run("", arguments);
}

Test(cmd_inspect, lists_a_dataset)
{
    const test_outcome *result = inspect(data_path(), "");
    test_expect(result, 0, "2 datasets");
    test_expect(result, 0, "x_train  uint8  [3, 2, 4]  0 .. 255\n");
    test_expect(result, 0, "y_train, class: samples\n   2: 1   4: 2\n");
}

Test(cmd_inspect, lists_a_checkpoint_by_layers)
{
    const test_outcome *result = inspect(TR_GOLDEN "/keras_written.h5", "");
    test_expect(result, 0, "a checkpoint, 6 layers, 50186 parameters");
    test_expect(result, 0, "[3, 3, 32, 64]");
    test_expect(result, 0, "optimizer_weights/adam/iteration");
    const char *first = strstr(result->text, "conv2d "), *last = strstr(result->text, " dense ");
    cr_expect(first != NULL && last != NULL && first < last, "%s", result->text);
}

Test(cmd_inspect, tells_a_checkpoint_s_story)
{
    char path[600];
    test_expect(test_run("", test_short_run("mnist.ini", "")), 0, "parameters");
    snprintf(path, sizeof path, "%s/run/last.h5", test_folder());
    const test_outcome *result = inspect(path, "");
    test_expect(result, 0, "6 layers, 50186 parameters\n  model \"sequential\" (Sequential)\n");
    test_expect(result, 0, ", the stored one\n");
    test_expect(result, 0, "trainer/epoch = 2\n");
    test_expect(inspect(path, "--config"), 0, "[layer.conv1]\n");
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t bias = H5Dopen2(file, "model_weights/output/output/bias:0", H5P_DEFAULT);
    const float zeros[10] = {0};
    H5Dwrite(bias, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros);
    H5Dclose(bias);
    H5Fclose(file);
    result = inspect(path, "");
    test_expect(result, 3, "NOT THE STORED ONE");
    test_expect(result, 3, "output/bias:0"); /* the list stands above the error */
    test_expect(result, 3, "its weights are not those that were written");
}

Test(cmd_inspect, lists_a_weights_file)
{
    const test_outcome *result = inspect(TR_GOLDEN "/keras/small_v3.9.2.weights.h5", "");
    test_expect(result, 0, "a checkpoint, 9 layers, 585 parameters");
    test_expect(result, 0, "conv2d_1             vars/0  float32  [2, 3, 4, 6]");
    test_expect(result, 0, "optimizer/vars/11");
}

/* What is missing in the printed configuration is said, as when it is used. */
Test(cmd_inspect, notes_what_a_configuration_leaves_out)
{
    char path[512];
    H5Fclose(test_keras_h5("noted.h5",
                           "{'class_name':'Sequential','config':{'name':'m','layers':[{"
                           "'class_name':'InputLayer','config':{'batch_shape':[null,2,2,1]}},{"
                           "'class_name':'Flatten','config':{}},{'class_name':'Dense','config':{"
                           "'units':3,'activation':'softmax'}}]}}",
                           "{'loss':'dice','optimizer_config':{'class_name':'Odd'}}", "3.3.3",
                           false));
    snprintf(path, sizeof path, "%s/noted.h5", test_folder());
    const test_outcome *result = inspect(path, "--config");
    test_expect(result, 0, "optimizer = sgd\n");
    test_expect(result, 0, "noted.h5: its optimizer Odd is left out");
    test_expect(result, 0, "noted.h5: its loss is dice");
}

/* What the network sees, as characters and as a picture. */
Test(cmd_inspect, draws_augmented_images)
{
    char more[1280], config[512], png[512];
    snprintf(config, sizeof config, "%s",
             test_file("changes.ini",
                       "[data]\nfile = none\n[model]\ninput_shape = 28, 28, 1\n[layer.turn]\n"
                       "type = random_rotation\nfactor = 0.1\n[layer.f]\ntype = flatten\n"
                       "[layer.o]\ntype = dense\nunits = 10\nactivation = softmax\n[compile]\n"
                       "loss = sparse_categorical_crossentropy\noptimizer = sgd\n[output]\n"
                       "directory = none\n"));
    snprintf(more, sizeof more, "--augmented 2 -c %s", config);
    test_expect(inspect(test_small_data(), more), 0, "and behind layer turn in epochs 1 to 7\n");
    snprintf(png, sizeof png, "%s/sheet.png", test_folder());
    snprintf(more, sizeof more, "--augmented 3 -c %s --png %s", config, png);
    test_expect(inspect(test_small_data(), more), 0, "sheet.png: written");
    cr_assert_eq(access(png, R_OK), 0);
    /* Read again behind a cut, the images are kept. */
    snprintf(config, sizeof config, "%s",
             test_file("normalized.ini",
                       "[data]\nfile = none\n[model]\ninput_shape = 28, 28, 1\n[layer.n]\n"
                       "type = batch_normalization\n[layer.turn]\ntype = random_flip\n[layer.f]\n"
                       "type = flatten\n[layer.o]\ntype = dense\nunits = 10\n"
                       "activation = softmax\n[compile]\n"
                       "loss = sparse_categorical_crossentropy\noptimizer = sgd\n[output]\n"
                       "directory = none\n"));
    snprintf(more, sizeof more, "--augmented 2 -c %s", config);
    test_expect(inspect(test_small_data(), more), 0, "and behind layer turn in epochs 1 to 7\n");
    test_expect(inspect(test_small_data(), "--augmented 3"), 2, "give the configuration with -c");
    test_expect(inspect(test_small_data(), "-c a.ini"), 2, "belongs to --augmented N");
    test_expect(inspect(test_small_data(), "--augmented 0 -c a.ini"), 2, "from 1 to 1000");
    test_expect(inspect(test_small_data(), "--augmented 1 -c " TR_SOURCE "/configs/mnist.ini"), 2,
                "no layer of the model changes images at random");
}

Test(cmd_inspect, digests_a_dataset)
{
    test_expect(inspect(data_path(), "--digest"), 0, "  x_train\n");
    test_expect(inspect(data_path(), "--digest --show 0"), 2, "give one");
}

Test(cmd_inspect, draws_a_sample_in_plain_characters)
{
    const test_outcome *result = inspect(data_path(), "--show 0");
    test_expect(result, 0,
                "x_train, sample 0, 2 x 4 x 1, label 4 (y_train), min 0, max 255\n"
                "  @@  @@\n@@  @@  \n");
}

Test(cmd_inspect, writes_a_png)
{
    char more[700], path[600];
    snprintf(path, sizeof path, "%s/sample.png", test_folder());
    snprintf(more, sizeof more, "--show 1 --png %s --zoom 4", path);
    test_expect(inspect(data_path(), more), 0, "sample.png: written");
    cr_expect_eq(access(path, R_OK), 0);
    snprintf(more, sizeof more, "--show 1 --png /nowhere/sample.png");
    test_expect(inspect(data_path(), more), 5, "/nowhere/sample.png");
}

Test(cmd_inspect, mistakes_have_their_exit_codes)
{
    test_expect(inspect(data_path(), "--show 3"), 3, "has no sample 3; it has samples 0 to 2");
    test_expect(inspect(data_path(), "--show 0 --dataset x_test"), 3, "no dataset x_test");
    test_expect(inspect(data_path(), "--show=-1"), 2, "--show -1: must be a whole number");
    test_expect(inspect(data_path(), "--show 1x"), 2, "--show 1x");
    test_expect(inspect(data_path(), "--show 1 --show 2"), 2, "--show is given twice");
    test_expect(inspect(data_path(), "--dataset x --dataset y"), 2, "--dataset is given twice");
    test_expect(inspect(data_path(), "--png a --png b"), 2, "--png is given twice");
    test_expect(inspect(data_path(), "--zoom 2 --zoom 2"), 2, "--zoom is given twice");
    test_expect(inspect(data_path(), "--png a.png"), 2, "which sample?");
    test_expect(inspect(data_path(), "--show 1 --zoom 2"), 2, "--png FILE only");
    test_expect(inspect("", ""), 2, "expected: FILE.h5");
    test_expect(inspect("nowhere.h5", ""), 3, "nowhere.h5: no such file");
    test_expect(inspect(TR_SOURCE "/README.md", ""), 3, "README.md: is not an HDF5 file");
}

Test(cmd_inspect, says_what_an_archive_is)
{
    test_expect(test_run("", "inspect " TR_GOLDEN "/keras/handmade_minimal.keras"), 3,
                "trainer summary --checkpoint");
}
