/* test_class_weights.c -- class weights and sample weights: whole runs that report what Keras's
 * fit() and evaluate() do, and go on from a checkpoint; every refusal.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "trainer/fit.h"

/* ---- a run ---- */

typedef struct subject {
    tr_config *config;
    tr_model *model;
    tr_dataset *dataset;
    tr_run *run;
} subject;

static tr_config *config_of(const char *data, const char *rest, const char *const *more, size_t n)
{
    char *body =
        tr_format("%s[model]\ninput_shape = 2, 3, 1\n[layer.f]\ntype = flatten\n%s", data, rest);
    const char *overrides[8] = {"data.file=" TR_GOLDEN "/weights_trace.h5", "data.scale=1",
                                "data.validation_file=" TR_GOLDEN "/weights_trace.h5"};
    for (size_t i = 0; i < n; i++)
        overrides[3 + i] = more[i];
    tr_config *config = test_config(body, overrides, 3 + n);
    tr_free(body);
    return config;
}

static subject prepare(const char *data, const char *rest, const char *const *more, size_t n)
{
    tr_error err = {0};
    subject made = {.config = config_of(data, rest, more, n)};
    cr_assert_eq(tr_model_parse(&made.model, made.config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_config_check(made.config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_build(made.model, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_dataset_open(&made.dataset, made.config, tr_model_targets(made.model), &err),
                 TR_OK, "%s", err.text);
    cr_assert_eq(tr_run_new(&made.run, made.config, made.model, made.dataset, &err), TR_OK, "%s",
                 err.text);
    return made;
}

static void discard(subject *made)
{
    tr_run_free(made->run);
    tr_dataset_free(made->dataset);
    tr_model_free(made->model);
    tr_config_free(made->config);
}

static tr_status remember(void *user, const tr_history *history, int64_t epochs, tr_error *err)
{
    (void)epochs, (void)err;
    *(const tr_history **)user = history;
    return TR_OK;
}

/* The history is the run's. */
static const tr_history *fit(subject *made)
{
    static tr_control never;
    const tr_history *history = NULL;
    const tr_listener listener = {.user = &history, .on_epoch = remember};
    char *overwritten = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_run_overwrite(made->run, &overwritten, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_run_fit(made->run, &listener, &never, &err), TR_OK, "%s", err.text);
    tr_free(overwritten);
    return history;
}

/* ---- Keras's ---- */

static double value_of(const tr_history *history, const tr_metrics *metrics, const char *name)
{
    if (strcmp(name, "loss") == 0)
        return metrics->loss;
    for (int i = 0; i < history->n_metrics; i++)
        if (strcmp(history->names[i], name) == 0)
            return metrics->values[i];
    cr_assert_fail("no column %s", name);
    return NAN;
}

/* Float32 sums of some ten samples, in Keras; ours are in double. */
static void expect(const char *of, const char *name, double value, double wanted)
{
    cr_expect(fabs(value - wanted) <= 2e-6 * fmax(1.0, fabs(wanted)),
              "%s: %s is %.9g, Keras's %.9g", of, name, value, wanted);
}

static void compare_weight(const subject *made, const char *of, const char *name, int i)
{
    char path[96];
    size_t n;
    const hid_t file = test_golden_open("weights_trace.h5");
    snprintf(path, sizeof path, "cases/%s/%s", of, name);
    float *wanted = test_golden_floats(file, path, &n), *values = tr_alloc(n, sizeof *values);
    tr_error err = {0};
    cr_assert_eq(tr_model_get_weight(made->model, i, values, &err), TR_OK);
    test_close(path, values, wanted, n, 2e-6, 2e-6);
    tr_free(wanted), tr_free(values);
    H5Fclose(file);
}

static void equals_keras(const char *of)
{
    static tr_control never;
    char path[96], name[64];
    size_t n, n_test;
    tr_error err = {0};
    tr_evaluation test;
    const hid_t file = test_golden_open("weights_trace.h5");
    snprintf(path, sizeof path, "cases/%s", of);
    const hid_t group = H5Gopen2(file, path, H5P_DEFAULT);
    char *data = test_golden_text(group, "data"), *rest = test_golden_text(group, "config");
    const hid_t rows = H5Dopen2(group, "history", H5P_DEFAULT);
    char *names = test_golden_text(rows, "names");
    float *wanted = test_golden_floats(group, "history", &n);
    float *wanted_test = test_golden_floats(group, "test", &n_test);
    H5Dclose(rows);
    H5Gclose(group);
    H5Fclose(file); /* which a child of this process is to open */
    subject made = prepare(data, rest, NULL, 0);
    const tr_history *history = fit(&made);
    cr_assert_eq(tr_run_evaluate(made.run, &never.stop, &test, &err), TR_OK, "%s", err.text);
    cr_assert_eq(history->n, 3);
    cr_assert_eq(n, 3 * 2 * n_test);
    const char *text = names;
    for (size_t c = 0; c < 2 * n_test; c++) {
        const size_t length = strcspn(text, ",");
        snprintf(name, sizeof name, "%.*s", (int)length, text);
        text += length + (text[length] != '\0');
        const bool validation = strncmp(name, "val_", 4) == 0;
        for (int64_t e = 0; e < 3; e++) {
            const tr_epoch *epoch = &history->epochs[e];
            const tr_metrics *of_part = validation ? &epoch->validation : &epoch->train;
            expect(of, name, value_of(history, of_part, name + (validation ? 4 : 0)),
                   (double)wanted[(size_t)e * 2 * n_test + c]);
        }
        if (!validation)
            expect(of, name, value_of(history, &test.metrics, name), (double)wanted_test[c]);
    }
    compare_weight(&made, of, "kernel", 0);
    compare_weight(&made, of, "bias", 1);
    tr_evaluation_release(&test);
    discard(&made);
    tr_free(data), tr_free(rest), tr_free(names), tr_free(wanted), tr_free(wanted_test);
}

Test(class_weights, of_class_numbers)
{
    equals_keras("classes");
}

Test(class_weights, balanced)
{
    equals_keras("balanced");
}

Test(class_weights, of_rows)
{
    equals_keras("rows");
}

Test(class_weights, of_yes_or_no)
{
    equals_keras("yes_no");
}

Test(class_weights, sample_weights)
{
    equals_keras("samples");
}

Test(class_weights, sample_weights_of_rows)
{
    equals_keras("samples_of_rows");
}

/* ---- what else must hold ---- */

#define LAYER "[layer.d]\ntype = dense\nunits = 4\nactivation = softmax\n"
#define COMPILE                                                                                    \
    "[compile]\nloss = sparse_categorical_crossentropy\noptimizer = adam\nmetrics = accuracy\n"    \
    "weighted_metrics = accuracy\n[fit]\nbatch_size = 10\nepochs = 4\n"
#define WEIGHED "sample_weight_train = w_train\nsample_weight_validation = w_validation\n"

/* Of the weights behind the training; discards it. */
static void digest_of(subject *made, char text[33])
{
    tr_error err = {0};
    fit(made);
    cr_assert_eq(tr_model_digest(made->model, text, &err), TR_OK);
    discard(made);
}

/* Weights of 1 are no weights, to the last bit; images that are split off keep theirs. */
Test(class_weights, of_one_change_nothing)
{
    char plain[33], ones[33];
    subject made = prepare("", LAYER COMPILE, NULL, 0);
    digest_of(&made, plain);
    made = prepare("", LAYER COMPILE "class_weight = 1, 1, 1, 1\n", NULL, 0);
    digest_of(&made, ones);
    cr_expect_str_eq(plain, ones);
    made = prepare("", LAYER COMPILE "class_weight = 1, 1, 1, 2\n", NULL, 0);
    digest_of(&made, ones);
    cr_expect_str_neq(plain, ones);
}

Test(class_weights, threads_do_not_change_a_bit)
{
    static const char *const threads[] = {"engine.threads=1", "engine.threads=3",
                                          "engine.threads=7"};
    char first[33], other[33];
    for (int t = 0; t < 3; t++) {
        const char *const overrides[] = {threads[t], "engine.micro_batch=2"};
        subject made = prepare(WEIGHED, LAYER COMPILE, overrides, 2);
        digest_of(&made, t == 0 ? first : other);
        if (t > 0)
            cr_expect_str_eq(first, other, "%s", threads[t]);
    }
}

/* ---- taken up again ---- */

typedef struct stopper {
    tr_control *control;
    const tr_history *history;
} stopper;

static void stop_in_second_epoch(void *user, const tr_step_event *event)
{
    if (event->epoch == 2 && event->step == 2)
        ((stopper *)user)->control->stop = SIGINT;
}

#define WIDE                                                                                       \
    LAYER "[compile]\nloss = categorical_crossentropy\noptimizer = adam\n"                         \
          "metrics = auc, mse, precision\nweighted_metrics = auc, f1_score\n"                      \
          "[metric.auc]\nmulti_label = yes\ncurve = PR\n[fit]\nbatch_size = 10\nepochs = 3\n"

/* Stopped within an epoch: sums of any width are in the checkpoint, and so is the best epoch. */
Test(class_weights, a_resumed_run_reports_the_same)
{
    tr_control control = {0};
    tr_error err = {0};
    tr_resumed resumed;
    char whole[33], parts[33];
    double values[3][TR_MAX_METRICS];
    const char *const overrides[] = {"checkpoint.monitor=val_auc"};
    subject made = prepare(WEIGHED, WIDE, overrides, 1);
    const tr_history *history = fit(&made);
    for (int e = 0; e < 3; e++)
        memcpy(values[e], history->epochs[e].train.values, sizeof values[e]);
    cr_assert_eq(history->n_metrics, 5);
    cr_assert(history->larger_is_better[0] && !history->larger_is_better[1]);
    cr_assert_eq(tr_model_digest(made.model, whole, &err), TR_OK);
    discard(&made);

    made = prepare(WEIGHED, WIDE, overrides, 1);
    stopper user = {.control = &control};
    const tr_listener listener = {.user = &user, .on_step = stop_in_second_epoch};
    char *overwritten = NULL;
    cr_assert_eq(tr_run_overwrite(made.run, &overwritten, &err), TR_OK);
    cr_assert_eq(tr_run_fit(made.run, &listener, &control, &err), TR_INTERRUPTED, "%s", err.text);
    tr_free(overwritten);
    discard(&made);

    control.stop = 0;
    made = prepare(WEIGHED, WIDE, overrides, 1);
    const tr_listener silent = {0};
    cr_assert_eq(tr_run_resume(made.run, tr_run_checkpoint_path(made.run), &resumed, &err), TR_OK,
                 "%s", err.text);
    cr_assert(resumed.epoch == 1 && resumed.step == 2);
    cr_assert_eq(tr_run_fit(made.run, &silent, &control, &err), TR_OK, "%s", err.text);
    for (int e = 0; e < 3; e++)
        for (int i = 0; i < 5; i++)
            cr_expect_eq(resumed.history->epochs[e].train.values[i], values[e][i],
                         "epoch %d, metric %d", e + 1, i);
    cr_assert_eq(tr_model_digest(made.model, parts, &err), TR_OK);
    cr_expect_str_eq(parts, whole);
    discard(&made);
}

/* Other weights are another job. */
Test(class_weights, cannot_be_changed_in_a_resume)
{
    tr_error err = {0};
    tr_resumed resumed;
    subject made = prepare(WEIGHED, WIDE, NULL, 0);
    fit(&made);
    discard(&made);
    made = prepare("sample_weight_train = w_train\n", WIDE, NULL, 0);
    cr_expect_eq(tr_run_resume(made.run, tr_run_checkpoint_path(made.run), &resumed, &err),
                 TR_ERR_DATA);
    discard(&made);
    made = prepare("", WIDE "class_weight = balanced\n", NULL, 0);
    cr_expect_eq(tr_run_resume(made.run, tr_run_checkpoint_path(made.run), &resumed, &err),
                 TR_ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, "[fit] class_weight"), "%s", err.text);
    discard(&made);
}

/* ---- refusals ---- */

static void refused(const char *data, const char *rest, const char *expected)
{
    tr_error err = {0};
    tr_model *model = NULL;
    tr_config *config = config_of(data, rest, NULL, 0);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_expect_neq(tr_config_check(config, &err), TR_OK, "%s", expected);
    cr_expect_not_null(strstr(err.text, expected), "expected \"%s\" in:\n%s", expected, err.text);
    tr_model_free(model);
    tr_config_free(config);
}

static void refused_data(const char *data, const char *expected)
{
    tr_error err = {0};
    tr_dataset *dataset = NULL;
    tr_config *config = config_of(data, LAYER COMPILE, NULL, 0);
    cr_expect_neq(tr_dataset_open(&dataset, config, TR_TARGET_CLASSES, &err), TR_OK);
    cr_expect_not_null(strstr(err.text, expected), "expected \"%s\" in:\n%s", expected, err.text);
    tr_config_free(config);
}

Test(class_weights, what_is_refused)
{
    refused("", LAYER COMPILE "class_weight = 1, 2\n",
            "[fit] class_weight = 1, 2: has 2 numbers, but there are 4 classes");
    refused("", LAYER COMPILE "class_weight = balance\n",
            "[fit] class_weight = balance: must be balanced, or a number of at least 0");
    refused("", LAYER COMPILE "class_weight = 1, 2, 3, -4\n", "a number of at least 0");
    refused("sample_weight_train = w_train\n", LAYER COMPILE "class_weight = balanced\n",
            "[data] sample_weight_train and [fit] class_weight both say what a sample counts");
    refused("",
            "[layer.d]\ntype = dense\nunits = 1\n[compile]\nloss = mse\noptimizer = sgd\n"
            "[fit]\nclass_weight = balanced\n",
            "loss = mean_squared_error with one output has no classes");
    refused_data("sample_weight_train = w_test\n",
                 "x_train is float32 [37, 2, 3, 1] but w_test is float32 [19]: there must be one "
                 "weight for each image");
    refused_data("sample_weight_train = hot_train\n",
                 "hot_train is float32 [37, 4]; expected a weight for each image, [n] or [n, 1]");
    refused_data("sample_weight_train = nothing\n", "nothing");
}
