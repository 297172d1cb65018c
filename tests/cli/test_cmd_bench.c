/* test_cmd_bench.c -- trainer bench: its report, as text and as JSON, and what it refuses. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "run.h"

/* Arguments of a benchmark of a small network whose dataset does not exist. */
static const char *small(const char *more)
{
    static char arguments[1024];
    char *text = tr_format("[data]\nfile = /no/such/dataset.h5\nscale = 1/255\n"
                           "[model]\ninput_shape = 8, 8, 1\n"
                           "[layer.first]\ntype = conv2d\nfilters = 16\nkernel_size = 3\n"
                           "activation = relu\n[layer.flat]\ntype = flatten\n"
                           "[layer.last]\ntype = dense\nunits = 3\nactivation = softmax\n"
                           "[compile]\nloss = sparse_categorical_crossentropy\noptimizer = adam\n"
                           "[fit]\nbatch_size = 5\n[engine]\nmicro_batch = 3\nthreads = 1\n"
                           "[output]\ndirectory = %s/run\n",
                           test_folder());
    snprintf(arguments, sizeof arguments, "bench -c %s %s", test_file("small.ini", text), more);
    tr_free(text);
    return arguments;
}

static json_t *json_of(const test_outcome *result)
{
    json_error_t error;
    cr_assert_eq(result->code, 0, "%s", result->text);
    json_t *root = json_loads(result->text, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(root, "%s in:\n%s", error.text, result->text);
    return root;
}

static json_int_t integer(const json_t *object, const char *key)
{
    cr_assert(json_is_integer(json_object_get(object, key)), "%s", key);
    return json_integer_value(json_object_get(object, key));
}

/* The micro-batches that were tried, in their order. */
static void assert_choices(const json_t *root, const json_int_t *sizes, size_t n)
{
    const json_t *list = json_object_get(root, "micro_batch_choices");
    cr_assert_eq(json_array_size(list), n);
    for (size_t i = 0; i < n; i++) {
        const json_t *choice = json_array_get(list, i);
        cr_assert_eq(integer(choice, "micro_batch"), sizes[i]);
        cr_assert_gt(json_number_value(json_object_get(choice, "images_per_s")), 0.0);
    }
}

#define ALONE "--set fit.batch_size=1 --set engine.micro_batch=1"

/* ---- what it prints ---- */

Test(cmd_bench, shows_layers_kernels_and_a_recommendation)
{
    static const char *const words[] = {"multiply-add peak",
                                        "step: 5 images in 2 micro-batches",
                                        "training: ",
                                        "evaluation: ",
                                        "first ",
                                        "last ",
                                        "convolution",
                                        "inner product",
                                        "forward",
                                        "backward weights",
                                        "recommended here: micro_batch = "};
    const test_outcome *result = test_run("", small("--seconds 0.05"));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        test_expect(result, 0, words[i]);
    cr_assert(strstr(result->text, "jit") != NULL || strstr(result->text, "gemm") != NULL, "%s",
              result->text);
    cr_assert(strstr(result->text, "nan") == NULL && strstr(result->text, " inf") == NULL, "%s",
              result->text);
}

Test(cmd_bench, json)
{
    static const char *const keys[] = {
        "machine",    "peak_gflops",        "images_per_s", "evaluate_images_per_s",
        "n_floats",   "flops_per_step",     "step_us",      "compute_us_per_micro_batch",
        "prepare_us", "reduce_update_us",   "barrier_us",   "serial_us",
        "operations", "outside_us_per_step"};
    static const json_int_t sizes[] = {1, 2, 3, 4};
    json_t *root = json_of(test_run("", small("--seconds 0.05 --json --threads 2")));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        cr_assert_not_null(json_object_get(root, keys[i]), "%s", keys[i]);
    cr_assert_eq(integer(json_object_get(root, "machine"), "threads"), 2);
    cr_assert_eq(integer(root, "batch_size"), 5);
    cr_assert_eq(integer(root, "micro_batch"), 3);
    cr_assert_eq(integer(root, "micro_batches"), 2);
    assert_choices(root, sizes, 4); /* the configured one in its place; none above the batch */
    json_int_t best = integer(root, "recommended_micro_batch"), found = 0;
    for (size_t i = 0; i < 4; i++)
        found += sizes[i] == best;
    cr_assert_eq(found, 1);
    json_decref(root);
}

/* A power of two is not tried twice; one above the batch comes last. */
Test(cmd_bench, tries_the_configured_micro_batch_once)
{
    static const json_int_t power[] = {1, 2, 4}, above[] = {1, 2, 4, 32};
    json_t *root = json_of(test_run("", small("-j --seconds 0.01 --set engine.micro_batch=4")));
    assert_choices(root, power, 3);
    json_decref(root);
    root = json_of(test_run("", small("-j --seconds 0.01 --set engine.micro_batch=32")));
    assert_choices(root, above, 4);
    cr_assert_eq(integer(root, "micro_batches"), 1);
    json_decref(root);
}

Test(cmd_bench, alone_tries_nothing_else)
{
    json_t *root = json_of(test_run("", small("--alone -j --seconds 0.01")));
    assert_choices(root, NULL, 0);
    cr_assert_null(json_object_get(root, "recommended_micro_batch"));
    cr_assert_eq(json_array_size(json_object_get(root, "kernels")), 0);
    cr_assert_eq(integer(root, "micro_batch"), 3);
    json_decref(root);
    const test_outcome *result = test_run("", small("--alone --seconds 0.01"));
    cr_assert_eq(result->code, 0, "%s", result->text);
    cr_assert_null(strstr(result->text, "recommended here"), "%s", result->text);
    cr_assert_not_null(strstr(result->text, "first"), "%s", result->text);
}

/* One image a step and no other micro-batch to try: what a batch is takes no other path. */
Test(cmd_bench, measures_every_shipped_configuration)
{
    static const char *const files[] = {
        "mnist.ini",
#ifndef TR_SANITIZED /* minutes, of code that the first goes through as well */
        "fashion_mnist.ini",
        "mnist_convnet.ini",
        "resnet20.ini",
#endif
    };
    char arguments[1024];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(arguments, sizeof arguments,
                 "bench -c %s/configs/%s --threads 1 --seconds 0.05 " ALONE, TR_SOURCE, files[i]);
        const test_outcome *result = test_run("cd / &&", arguments);
        test_expect(result, 0, "1 images in 1 micro-batches of 1");
        test_expect(result, 0, "recommended here");
    }
}

/* ---- what it refuses ---- */

Test(cmd_bench, refuses_what_is_no_time)
{
    static const char *const bad[] = {"0",   "x",  "-1", "nan", "1e9",   "inf",
                                      "0.0", "''", "1s", "1,5", "1e-4x", "3600.1"};
    char more[64];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(more, sizeof more, "--seconds %s", bad[i]);
        /* What is taken for a time after all must not run for it. */
        test_expect(test_run("timeout 20", small(more)), 2, "must be a number above 0, up to 3600");
    }
    test_expect(test_run("", small("--seconds")), 2, "requires an argument");
}

Test(cmd_bench, refuses_what_every_command_refuses)
{
    test_expect(test_run("", "bench"), 2, "no configuration");
    test_expect(test_run("", small("more")), 2, "unexpected argument 'more'");
    test_expect(test_run("", small("--set engine.precision=float16")), 2, "float32, bfloat16");
    test_expect(test_run("", small("--set layer.first.filters=0")), 2, "layer.first.filters");
    test_expect(test_run("", small("--set compile.optimizer=adams")), 2, "did you mean adam");
    test_expect(test_run("", "bench --help"), 0, "--seconds");
}

Test(cmd_bench, lost_output_is_noticed)
{
    test_expect(test_run("", small(ALONE " --seconds 0.01 2>&1 > /dev/full; exit $?")), 5,
                "standard output cannot be written");
    test_expect(test_run("", small(ALONE " --json --seconds 0.01 2>&1 > /dev/full; exit $?")), 5,
                "standard output cannot be written");
}
