/* test_cmd_evaluate.c -- Keras's files measured without an INI file; what they must be told. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h5_write.h"
#include "keras.h"
#include "mem.h"
#include "net.h"
#include "run.h"
#include "small_run.h"

#define IO(name)                                                                                   \
    "--set data.file=" TR_GOLDEN "/keras/" name "_io.h5 --set data.x_train=x "                     \
    "--set data.y_train=y --set data.x_test=x --set data.y_test=y"

static const test_outcome *evaluate(const char *file, const char *more)
{
    char arguments[2048];
    snprintf(arguments, sizeof arguments, "evaluate --checkpoint %s %s", file, more);
    return test_run("", arguments);
}

/* loss_acc of the file: 1.13739896, 0.33333334. */
Test(cmd_evaluate, measures_what_keras_does)
{
    const test_outcome *result = evaluate(test_keras_golden("small_v3.9.2.h5"), IO("small_v3.9.2"));
    test_expect(result, 0, "test loss 1.137399  test accuracy 0.3333");
    cr_expect_null(strstr(result->text, "note"), "%s", result->text);
}

Test(cmd_evaluate, wants_a_dataset)
{
    test_expect(
        evaluate(test_keras_golden("small_v3.9.2.h5"), ""), 2,
        "small_v3.9.2.h5: names no dataset, as files of Keras do not; give the dataset with "
        "--set data.file=FILE");
    test_expect(evaluate(test_keras_golden("small_v3.9.2.weights.h5"), ""), 3, "-c FILE");
}

static const char *made(const char *training)
{
    static char path[512];
    static const float zeros[4 * 3];
    const hid_t file = test_keras_h5(
        "made.h5",
        "{'class_name':'Sequential','config':{'layers':[{'class_name':'InputLayer','config':"
        "{'batch_shape':[null,28,28,1]}},{'class_name':'GlobalMaxPooling2D','config':{'name':'g'}},"
        "{'class_name':'Dense','config':{'name':'d','units':10,'activation':'softmax',"
        "'kernel_regularizer':{'class_name':'OrthogonalRegularizer','config':{'factor':0.1}}}}]}}",
        training, "3.3.3", false);
    const hid_t group = H5Gcreate2(file, "model_weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t d = H5Gcreate2(group, "d", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    test_keras_names(group, "layer_names", (const char *const[]){"d"}, 1, false);
    test_keras_names(d, "weight_names", (const char *const[]){"k", "b"}, 2, false);
    test_keras_array(d, "k", 2, (const int64_t[]){1, 10}, H5T_IEEE_F32LE, zeros);
    test_keras_array(d, "b", 1, (const int64_t[]){10}, H5T_IEEE_F32LE, zeros);
    H5Gclose(d);
    H5Gclose(group);
    H5Fclose(file);
    snprintf(path, sizeof path, "%s/made.h5", test_folder());
    return path;
}

/* ln 10 = 2.302585: all classes equally likely. */
Test(cmd_evaluate, says_what_it_assumes_and_leaves_out)
{
    char data[1024];
    snprintf(data, sizeof data, "--set data.file=%s", test_small_data());
    const test_outcome *result = evaluate(made(NULL), data);
    test_expect(result, 0, "test loss 2.302585");
    test_expect(result, 0,
                "made.h5: the model was saved without its loss; to measure, "
                "sparse_categorical_crossentropy is taken");
    test_expect(result, 0, "layer d (Dense): kernel_regularizer = {\"class_name\":");
}

Test(cmd_evaluate, does_not_measure_another_loss_unasked)
{
    char data[1024];
    snprintf(data, sizeof data, "--set data.file=%s", test_small_data());
    test_expect(evaluate(made("{'loss':'dice'}"), data), 3,
                "made.h5: its loss is dice, which trainer does not have");
    snprintf(data, sizeof data, "predict --checkpoint %s --input %s:x_test",
             made("{'loss':'dice'}"), test_small_data());
    test_expect(test_run("", data), 0, "made.h5: its loss is dice, which trainer does not");
    snprintf(data, sizeof data,
             "--set data.file=%s --set compile.loss=sparse_categorical_crossentropy",
             test_small_data());
    test_expect(evaluate(made("{'loss':'dice'}"), data), 0, "test loss 2.302585");
}

Test(cmd_evaluate, summary_takes_a_checkpoint_too)
{
    char more[1024];
    snprintf(more, sizeof more, "summary --checkpoint %s", test_keras_golden("small_v3.9.2.h5"));
    test_expect(test_run("", more), 0, "Non-trainable params: 8");
    test_expect(test_run("", "summary --checkpoint x -c y"), 2, "keep one");
    test_expect(test_run("", "summary"), 2, "no configuration");
    test_expect(test_run("", "summary --checkpoint /no/such.h5"), 3, "/no/such.h5");
}

/* Every command that reads a model says the same of one that does not lie in its file. */
Test(cmd_evaluate, a_model_in_another_file_is_refused)
{
    static const char *const commands[] = {
        "evaluate --checkpoint %s --set data.file=x.h5", "predict --checkpoint %s --image x.png",
        "summary --checkpoint %s", "export --checkpoint %s --format keras", "inspect %s"};
    const char *path = made(NULL);
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(file, "model_weights/d/k", H5P_DEFAULT);
    cr_assert_geq(
        H5Lcreate_external("secret.h5", "/k", file, "model_weights/d/k", H5P_DEFAULT, H5P_DEFAULT),
        0);
    H5Fclose(file);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char *arguments = tr_format(commands[i], path);
        test_expect(
            test_run("", arguments), 3,
            "made.h5: model_weights/d/k: model_weights/d/k is an external link to /k in the "
            "file secret.h5");
        tr_free(arguments);
    }
}

/* A file of ours whose configuration was damaged is one of the data, and named. */
/* Another text in the place of the configuration, with or without the digest of the old one. */
static void change_config(const char *path, bool with_digest)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t group = H5Gopen2(file, "trainer", H5P_DEFAULT);
    H5Adelete(group, "config");
    if (!with_digest)
        H5Adelete(group, "config_digest");
    test_keras_names(group, "config", (const char *const[]){"[dat]\nfile = x\n"}, 1, false);
    H5Gclose(group);
    H5Fclose(file);
}

Test(cmd_evaluate, a_damaged_checkpoint_is_an_error_of_the_data)
{
    char path[512];
    test_expect(test_run("", test_short_run("mnist.ini", "")), 0, "test loss");
    snprintf(path, sizeof path, "%s/run/last.h5", test_folder());
    test_expect(evaluate(path, "--set data.nonsense=1"), 2, "nonsense");
    change_config(path, true);
    test_expect(evaluate(path, ""), 3, "last.h5: its configuration (/trainer, config) is damaged");
    change_config(path, false);
    test_expect(evaluate(path, ""), 3, "last.h5: its configuration is damaged, or of a model");
}

/* What a run leaves of the test set is what evaluate says of its checkpoint, byte for byte. */
Test(cmd_evaluate, as_json)
{
    char path[512], command[1100];
    static char left[65536];
    const test_outcome *result = test_run("", test_short_run("mnist.ini", ""));
    snprintf(path, sizeof path,
             "\nresults in %s/run: last.h5, best.h5, history.csv, history.jsonl, history.svg, "
             "history.png, confusion.csv, evaluation.json, config.ini\n",
             test_folder());
    cr_assert_eq(result->code, 0, "%s", result->text);
    cr_expect(tr_ends_in(result->text, path), "the last line: %s", result->text);
    snprintf(path, sizeof path, "%s/run/evaluation.json", test_folder());
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    left[fread(left, 1, sizeof left - 1, file)] = '\0';
    fclose(file);
    snprintf(command, sizeof command, "evaluate --json --checkpoint %s/run/last.h5", test_folder());
    result = test_run("", command);
    cr_assert_eq(result->code, 0);
    cr_assert_str_eq(result->text, left);
    snprintf(path, sizeof path, "\n\"samples\": %d,\n", TEST_SMALL_N);
    cr_assert_not_null(strstr(left, path));
}

/* A dataset that has nothing else. */
Test(cmd_evaluate, a_test_set_is_enough)
{
    char command[1500], data[600], path[512];
    static char expected[65536];
    snprintf(data, sizeof data, "%s/test_only.h5", test_folder());
    snprintf(path, sizeof path, "%s/run/last.h5", test_folder());
    test_expect(test_run("", test_short_run("mnist.ini", "")), 0, "test loss");
    for (int i = 0; i < 2; i++) {
        const char name = "xy"[i];
        snprintf(command, sizeof command, "h5copy -i %s -o %s -s %c_test -d %c_test",
                 test_small_data(), data, name, name);
        cr_assert_eq(system(command), 0, "%s", command);
    }
    snprintf(command, sizeof command, "evaluate --checkpoint %s", path);
    const test_outcome *result = test_run("", command);
    test_expect(result, 0, "test loss");
    snprintf(expected, sizeof expected, "%s", strstr(result->text, "test loss"));
    snprintf(command, sizeof command, "evaluate --checkpoint %s --set data.file=%s", path, data);
    test_expect(test_run("", command), 0, expected);
}

/* ---- fine-tuning ---- */

Test(cmd_evaluate, a_training_starts_from_initial_weights)
{
    char more[1024], first[40], second[40];
    static const char *const files[] = {"keras/handmade_universal_noopt.h5",
                                        "keras/tutorial_untrained_v3.3.3.weights.h5",
                                        "keras/handmade_minimal.keras"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(
            more, sizeof more,
            "--set fit.initial_weights=%s/%s --set fit.epochs=1 --set optimizer.learning_rate=0",
            TR_GOLDEN, files[i]);
        const test_outcome *result = test_run("", test_short_run("mnist.ini", more));
        test_expect(result, 0, "parameters ");
        snprintf(first, sizeof first, "%s", strstr(result->text, "parameters "));
        snprintf(more, sizeof more,
                 "evaluate -c %s/configs/mnist.ini --set data.file=%s "
                 "--checkpoint %s/%s",
                 TR_SOURCE, test_small_data(), TR_GOLDEN, files[i]);
        result = test_run("", more);
        test_expect(result, 0, "parameters ");
        snprintf(second, sizeof second, "%s", strstr(result->text, "parameters "));
        cr_expect_str_eq(first, second, "%s", files[i]);
    }
    test_expect(test_run("", test_short_run("mnist.ini", "--set fit.initial_weights=/no/such.h5")),
                3, "/no/such.h5");
    snprintf(more, sizeof more, "--set fit.initial_weights=%s",
             test_keras_golden("small_v3.3.3.h5"));
    test_expect(test_run("", test_short_run("mnist.ini", more)), 3, "small_v3.3.3.h5: ");
}

static bool same_array(const char *file, const char *name, const char *other, const char *theirs)
{
    size_t n, m;
    const hid_t a = H5Fopen(file, H5F_ACC_RDONLY, H5P_DEFAULT),
                b = H5Fopen(other, H5F_ACC_RDONLY, H5P_DEFAULT);
    float *x = test_golden_floats(a, name, &n), *y = test_golden_floats(b, theirs, &m);
    const bool same = n == m && memcmp(x, y, n * sizeof *x) == 0;
    tr_free(x);
    tr_free(y);
    H5Fclose(a);
    H5Fclose(b);
    return same;
}

/* A pretrained body and a head that learns; another head is refused by the names of both. */
Test(cmd_evaluate, a_frozen_body_stays_that_of_initial_weights)
{
    static const char *const arrays[][2] = {
        {"conv1/conv1/kernel", "conv2d/conv2d/kernel"},
        {"conv1/conv1/bias", "conv2d/conv2d/bias"},
        {"conv2/conv2/kernel", "conv2d_1/conv2d_1/kernel"},
        {"conv2/conv2/bias", "conv2d_1/conv2d_1/bias"},
        {"output/output/kernel", "dense/dense/kernel"},
        {"output/output/bias", "dense/dense/bias"},
    };
    static const char pretrained[] = TR_GOLDEN "/keras/handmade_universal_noopt.h5";
    char last[512], more[1024];
    snprintf(last, sizeof last, "%s/run/last.h5", test_folder());
    snprintf(more, sizeof more,
             "--set fit.initial_weights=%s --set layer.conv1.trainable=false "
             "--set layer.conv2.trainable=false",
             pretrained);
    test_expect(test_run("", test_short_run("mnist.ini", more)), 0, "parameters ");
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        char ours[96], theirs[96];
        snprintf(ours, sizeof ours, "model_weights/%s:0", arrays[i][0]);
        snprintf(theirs, sizeof theirs, "model_weights/%s:0", arrays[i][1]);
        cr_expect_eq(same_array(last, ours, pretrained, theirs), i < 4, "%s", ours);
    }
    strcat(more, " --set layer.output.units=12");
    test_expect(test_run("", test_short_run("mnist.ini", more)), 3,
                "dense/kernel:0 is float32 [3136, 10], the model's output/kernel is [3136, 12]");
}

static tr_status fill_without_test(const void *user, hid_t file, tr_error *err)
{
    static const uint8_t x[4 * 28 * 28], y[4] = {0, 1, 2, 3};
    const int64_t dims[3] = {4, 28, 28};
    (void)user;
    TR_TRY(tr_h5_write_dataset(file, "x_train", 3, dims, H5T_STD_U8LE, H5T_NATIVE_UINT8, x, err));
    return tr_h5_write_dataset(file, "y_train", 1, dims, H5T_STD_U8LE, H5T_NATIVE_UINT8, y, err);
}

Test(cmd_evaluate, a_dataset_without_a_test_set)
{
    char path[512], arguments[1200], expected[600];
    tr_error err = {0};
    snprintf(path, sizeof path, "%s/no_test.h5", test_folder());
    cr_assert_eq(tr_h5_write_file(path, fill_without_test, NULL, &err), TR_OK, "%s", err.text);
    test_expect(test_run("", test_short_run("mnist.ini", "--set fit.epochs=1")), 0, "test loss");
    snprintf(arguments, sizeof arguments, "evaluate --checkpoint %s/run/last.h5 --set data.file=%s",
             test_folder(), path);
    snprintf(expected, sizeof expected, "%s: has no test set (x_test, y_test)", path);
    test_expect(test_run("", arguments), 3, expected);
}

Test(cmd_evaluate, a_dataset_that_is_missing_says_where_to_get_one)
{
    test_expect(test_run("", test_short_run("mnist.ini", "--set data.file=/absent.h5")), 3,
                "/absent.h5: no such file; data/fetch_mnist.sh makes data/mnist.h5");
}
