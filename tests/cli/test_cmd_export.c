/* test_cmd_export.c -- trainer export from outside: names, refusals, the same bits. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "h5_attributes.h"
#include "keras_net.h"
#include "mem.h"
#include "net.h"
#include "run.h"
#include "small_run.h"
#include "zip_file.h"

static const char *checkpoint(void)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/run/last.h5", test_folder());
    if (access(path, F_OK) != 0)
        test_expect(test_run("", test_short_run("mnist.ini", "--set fit.epochs=1")), 0,
                    "parameters");
    return path;
}

static const test_outcome *export_to(const char *format, const char *more)
{
    char arguments[2048];
    snprintf(arguments, sizeof arguments, "export --checkpoint %s --format %s %s", checkpoint(),
             format, more);
    return test_run("", arguments);
}

Test(cmd_export, weights_are_the_checkpoint_s)
{
    static const char *const pairs[][2] = {
        {"model_weights/conv1/conv1/kernel:0", "layers/conv2d/vars/0"},
        {"model_weights/conv2/conv2/bias:0", "layers/conv2d_1/vars/1"},
        {"model_weights/output/output/kernel:0", "layers/dense/vars/0"}};
    char path[512];
    snprintf(path, sizeof path, "%s/run/last.weights.h5", test_folder());
    test_expect(export_to("weights.h5", ""), 0, path);
    const hid_t a = H5Fopen(checkpoint(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t b = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    for (int i = 0; i < 3; i++) {
        size_t n, m;
        float *own = test_golden_floats(a, pairs[i][0], &n);
        float *exported = test_golden_floats(b, pairs[i][1], &m);
        cr_assert_eq(n, m);
        cr_expect_eq(memcmp(own, exported, n * sizeof *own), 0, "%s", pairs[i][0]);
        tr_free(own);
        tr_free(exported);
    }
    H5Fclose(a);
    H5Fclose(b);
}

/* In Keras's order: 0 iteration, 1 learning_rate, then momentum and velocity of each weight. */
Test(cmd_export, optimizer_s_state_is_the_checkpoint_s)
{
    char path[512];
    snprintf(path, sizeof path, "%s/run/last.weights.h5", test_folder());
    test_expect(export_to("weights.h5", ""), 0, "with the optimizer's state");
    const hid_t a = H5Fopen(checkpoint(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t b = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    size_t n, m;
    float *own = test_golden_floats(a, "trainer/optimizer_weights/adam/conv2_kernel_velocity", &n);
    float *exported = test_golden_floats(b, "optimizer/vars/7", &m);
    cr_assert_eq(n, m);
    cr_expect_eq(memcmp(own, exported, n * sizeof *own), 0);
    tr_free(own);
    tr_free(exported);
    exported = test_golden_floats(b, "optimizer/vars/0", &m);
    cr_expect_eq(*exported, 2); /* steps: 184 samples in batches of 128 */
    tr_free(exported);
    H5Fclose(a);
    H5Fclose(b);
}

/* Another optimizer than the run's has no use for its state. */
Test(cmd_export, state_of_another_optimizer_is_left_out)
{
    char more[1024];
    snprintf(more, sizeof more,
             "--set compile.optimizer=adamw --output "
             "%s/other.keras",
             test_folder());
    char *config = tr_format("-c %s/configs/mnist.ini %s", TR_SOURCE, more);
    test_expect(export_to("keras", config), 0, "without the optimizer's state");
    tr_free(config);
}

/* As Keras 2.15 keeps it: steps first, no learning rate, then both moments of each weight; nothing
 * that only trainer reads. */
Test(cmd_export, keras2_has_the_state_in_its_order)
{
    char path[512], **names = NULL;
    size_t n, m;
    snprintf(path, sizeof path, "%s/run/last.keras2.h5", test_folder());
    test_expect(export_to("keras2", ""), 0, "last.keras2.h5: written from");
    const hid_t a = H5Fopen(checkpoint(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t b = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t group = H5Gopen2(b, "optimizer_weights", H5P_DEFAULT);
    cr_assert(tr_h5_read_names(group, "weight_names", &names, &n));
    cr_assert_eq(n, 13);
    cr_expect_str_eq(names[0], "adam/iteration");
    cr_expect_str_eq(names[1], "adam/conv1_kernel_momentum");
    cr_expect_str_eq(names[2], "adam/conv1_kernel_velocity");
    cr_expect_str_eq(names[12], "adam/output_bias_velocity");
    tr_h5_free_names(names, n);
    float *own = test_golden_floats(a, "trainer/optimizer_weights/adam/conv2_kernel_velocity", &n);
    float *exported = test_golden_floats(b, "optimizer_weights/adam/conv2_kernel_velocity", &m);
    cr_assert_eq(n, m);
    cr_expect_eq(memcmp(own, exported, n * sizeof *own), 0);
    tr_free(own);
    tr_free(exported);
    cr_expect_eq(H5Lexists(b, "trainer", H5P_DEFAULT), 0);
    H5Gclose(group);
    H5Fclose(a);
    H5Fclose(b);
}

Test(cmd_export, says_what_keras2_lacks)
{
    char *lamb = tr_format("-c %s/configs/mnist.ini --set compile.optimizer=lamb", TR_SOURCE);
    const test_outcome *outcome = export_to("keras2", lamb);
    test_expect(outcome, 0, "Keras 2 has no Lamb: the file is written without loss");
    test_expect(outcome, 0, "without the optimizer's state");
    char *other =
        tr_format("-c %s/configs/mnist.ini --set layer.conv1.activation=hard_sigmoid", TR_SOURCE);
    test_expect(export_to("keras2", other), 2, "layer conv1: activation = hard_sigmoid: Keras 2's");
    test_expect(export_to("keras", other), 0, "written from");
    tr_free(other);
    tr_free(lamb);
}

Test(cmd_export, takes_an_archive_of_keras)
{
    char arguments[1024];
    snprintf(arguments, sizeof arguments,
             "export --checkpoint %s --format weights.h5 --output %s/handmade.weights.h5",
             TR_GOLDEN "/keras/handmade_minimal.keras", test_folder());
    test_expect(test_run("", arguments), 0, "without the optimizer's state");
}

/* An archive of Keras with that config.json and the tutorial's weights, exported; its text. */
static const test_outcome *export_archive(const char *config, const char *more)
{
    char arguments[1200];
    tr_error err = {0};
    void *weights = NULL;
    size_t n;
    cr_assert_eq(tr_zip_read(&weights, &n, TR_GOLDEN "/keras/handmade_minimal.keras",
                             "model.weights.h5", 1 << 20, &err),
                 TR_OK);
    const char *path = test_keras_archive("from.keras", config, "3.15.1", weights, n, false);
    tr_free(weights);
    snprintf(arguments, sizeof arguments,
             "export --checkpoint %s --format keras --output %s/to.keras %s", path, test_folder(),
             more);
    return test_run("", arguments);
}

static json_t *exported_config(void)
{
    char path[512];
    tr_error err = {0};
    void *text = NULL;
    size_t n;
    snprintf(path, sizeof path, "%s/to.keras", test_folder());
    cr_assert_eq(tr_zip_read(&text, &n, path, "config.json", 1 << 20, &err), TR_OK, "%s", err.text);
    json_t *json = json_loadb(text, n, 0, NULL);
    tr_free(text);
    return json;
}

/* The tutorial's, compiled with that loss and that optimizer; the last layer is frozen. */
static char *minimal_with(const char *loss, const char *optimizer_class)
{
    json_t *json = json_load_file(TR_GOLDEN "/keras/handmade_minimal_config.json", 0, NULL);
    json_t *compile = json_object_get(json, "compile_config");
    json_t *layers = json_object_get(json_object_get(json, "config"), "layers");
    json_t *last = json_object_get(json_array_get(layers, json_array_size(layers) - 1), "config");
    json_object_set_new(compile, "loss", json_string(loss));
    json_object_set_new(json_object_get(compile, "optimizer"), "class_name",
                        json_string(optimizer_class));
    json_object_set_new(last, "trainable", json_false());
    json_object_set_new(last, "name", json_string("the last"));
    json_object_set_new(last, "kernel_regularizer",
                        json_pack("{s:s,s:{s:f}}", "class_name", "L2", "config", "l2", 0.01));
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}

/* Nothing of the model changes in silence: layers as they were, and no loss in place of another. */
Test(cmd_export, model_of_keras_stays_the_same)
{
    char *text = minimal_with("sparse_categorical_crossentropy", "Adam");
    test_expect(export_archive(text, ""), 0, "to.keras: written from");
    json_t *json = exported_config();
    json_t *layers = json_object_get(json_object_get(json, "config"), "layers");
    json_t *last = json_object_get(json_array_get(layers, 6), "config");
    json_t *penalty = json_object_get(last, "kernel_regularizer");
    cr_expect_str_eq(json_string_value(json_object_get(last, "name")), "the last");
    cr_expect(json_is_false(json_object_get(last, "trainable")));
    cr_expect_str_eq(json_string_value(json_object_get(penalty, "module")), "keras.regularizers");
    cr_expect_str_eq(json_string_value(json_object_get(penalty, "class_name")), "L2");
    cr_expect_eq(json_real_value(json_object_get(json_object_get(penalty, "config"), "l2")), 0.01);
    cr_expect(json_is_object(json_object_get(json, "compile_config")));
    json_decref(json);
    free(text); /* jansson's own */
}

static void expect_uncompiled(const char *loss, const char *optimizer, const char *note)
{
    char *text = minimal_with(loss, optimizer);
    const test_outcome *outcome = export_archive(text, "");
    test_expect(outcome, 0, note);
    test_expect(outcome, 0, "to.keras: is written without loss, optimizer and metrics");
    json_t *json = exported_config();
    cr_expect(json_is_null(json_object_get(json, "compile_config")));
    json_decref(json);
    free(text);
}

Test(cmd_export, what_trainer_does_not_have_is_not_replaced)
{
    expect_uncompiled("dice", "Adam", "its loss is dice, which trainer does not have");
    expect_uncompiled("sparse_categorical_crossentropy", "Rprop",
                      "its optimizer Rprop is left out");
    char *text = minimal_with("dice", "Adam");
    test_expect(export_archive(text, "--set compile.loss=sparse_categorical_crossentropy"), 0,
                "written from");
    json_t *json = exported_config();
    cr_expect(json_is_object(json_object_get(json, "compile_config")));
    json_decref(json);
    free(text);
}

/* Two words for one metric; the other ones stay. */
Test(cmd_export, one_metric_twice_costs_the_second_only)
{
    json_t *json = json_load_file(TR_GOLDEN "/keras/handmade_minimal_config.json", 0, NULL);
    json_object_set_new(json_object_get(json, "compile_config"), "metrics",
                        json_pack("[s,s,s]", "accuracy", "sparse_categorical_accuracy", "mae"));
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    const test_outcome *outcome = export_archive(text, "");
    test_expect(outcome, 0, "its metric sparse_categorical_accuracy is left out: ");
    test_expect(outcome, 0, "it is in the list twice");
    test_expect(outcome, 0, "its metric mae is left out: ");
    json = exported_config();
    cr_expect_eq(
        json_array_size(json_object_get(json_object_get(json, "compile_config"), "metrics")), 1);
    json_decref(json);
    free(text);
}

Test(cmd_export, keras_file_has_the_checkpoint_s_name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/run/last.keras", test_folder());
    test_expect(export_to("keras", ""), 0, path);
    cr_expect_eq(access(path, F_OK), 0);
}

/* Files of Keras are checkpoints, too; their own suffix goes, all of it. */
Test(cmd_export, takes_files_of_keras)
{
    char more[1024], path[512];
    test_expect(export_to("keras", ""), 0, "run/last.keras: written");
    snprintf(path, sizeof path, "%s/run/last", test_folder());
    snprintf(more, sizeof more, "export --checkpoint %s.keras --format weights.h5", path);
    test_expect(test_run("", more), 0, "run/last.weights.h5: written");
    test_expect(test_run("", more), 0, "without the optimizer's state");
    snprintf(more, sizeof more, "export --checkpoint %s.keras --format keras", path);
    test_expect(test_run("", more), 2, "run/last.keras: is the checkpoint itself");
    snprintf(more, sizeof more,
             "export -c %s/configs/mnist.ini --checkpoint %s.weights.h5 --format keras", TR_SOURCE,
             path);
    test_expect(test_run("", more), 0, "run/last.keras: written");
}

Test(cmd_export, refuses_what_it_cannot_do)
{
    char more[1024];
    test_expect(export_to("onnx", ""), 2, "allowed: keras, keras2, weights.h5");
    test_expect(export_to("keras", "--output model.h5"), 2, "must end in .keras");
    snprintf(more, sizeof more, "export --checkpoint %s", checkpoint());
    test_expect(test_run("", more), 2, "no format");
    test_expect(export_to("keras", "--output /nowhere/at/all.keras"), 5, "/nowhere/at/all.keras");
}

/* Under any of its names. */
Test(cmd_export, never_overwrites_the_checkpoint)
{
    char link_path[512], more[1024];
    snprintf(link_path, sizeof link_path, "%s/run/link.weights.h5", test_folder());
    snprintf(more, sizeof more, "--output %s", checkpoint());
    test_expect(export_to("weights.h5", more), 2, "is the checkpoint itself");
    cr_assert_eq(symlink("last.h5", link_path), 0);
    snprintf(more, sizeof more, "--output %s", link_path);
    test_expect(export_to("weights.h5", more), 2, "is the checkpoint itself");
}
