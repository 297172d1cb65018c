/* test_monitor.c -- which value compares epochs, and which of them is the best. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "monitor.h"
#include "net.h"
#include "run_internal.h"

typedef struct subject {
    tr_config *config;
    tr_model *model;
} subject;

static subject model_with(const char *activation, const char *loss, const char *metrics)
{
    subject made;
    tr_error err = {0};
    char *body =
        tr_format("[model]\ninput_shape = 2, 2, 1\n[layer.f]\ntype = flatten\n[layer.o]\n"
                  "type = dense\nunits = 3\nactivation = %s\n[compile]\noptimizer = sgd\n"
                  "loss = %s\nmetrics = %s\n%s",
                  activation, loss, metrics, strstr(metrics, "top_k") != NULL ? "top_k = 2\n" : "");
    made.config = test_config(body, NULL, 0);
    cr_assert_eq(tr_model_parse(&made.model, made.config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_config_check(made.config, &err), TR_OK, "%s", err.text);
    tr_free(body);
    return made;
}

static subject model_with_metrics(void)
{
    return model_with("softmax", "sparse_categorical_crossentropy", "accuracy");
}

static void discard(subject *made)
{
    tr_model_free(made->model);
    tr_config_free(made->config);
}

static tr_epoch epochs[] = {
    {.train = {.loss = 3, .values = {0.2, 9}}, .validation = {.loss = 5, .values = {0.1, 1}}},
    {.train = {.loss = 1, .values = {0.9, 7}}, .validation = {.loss = 4, .values = {0.5, 2}}},
    {.train = {.loss = 2, .values = {0.9, 8}}, .validation = {.loss = 6, .values = {0.4, 3}}},
};

static tr_monitor parsed(const subject *made, const char *name, bool has_validation)
{
    tr_monitor monitor;
    made->config->data.validation_split = has_validation ? 0.5 : 0.0;
    tr_monitor_parse(&monitor, made->config, "checkpoint", name, TR_MODE_AUTO,
                     &made->model->metrics);
    return monitor;
}

static void expect_best_of(const subject *made, const char *name, bool has_validation, int64_t best,
                           double value)
{
    tr_history history;
    tr_history_begin(&history, made->model, has_validation);
    history.epochs = epochs;
    history.n = 3;
    const tr_monitor monitor = parsed(made, name, has_validation);
    cr_assert_eq(tr_config_check(made->config, NULL), TR_OK, "%s", name);
    double found = -1.0;
    cr_expect_eq(tr_monitor_best(&monitor, &history, &found), best, "%s", name);
    cr_expect_eq(found, value, "%s: %g", name, found);
}

Test(monitor, finds_the_best_epoch)
{
    subject made = model_with("sigmoid", "binary_crossentropy", "accuracy, mse");
    expect_best_of(&made, "auto", true, 2, 4);
    expect_best_of(&made, "auto", false, 2, 1);
    expect_best_of(&made, "loss", true, 2, 1);
    expect_best_of(&made, "val_loss", true, 2, 4);
    expect_best_of(&made, "accuracy", true, 2, 0.9); /* the first of equals */
    expect_best_of(&made, "val_accuracy", true, 2, 0.5);
    expect_best_of(&made, "mse", true, 2, 7); /* an error: smaller is better */
    expect_best_of(&made, "val_mse", true, 1, 1);
    expect_best_of(&made, "none", true, 0, 0);
    discard(&made);
}

/* Every metric that there is, under every name, whatever the outputs are: of accuracies the largest
 * is best, also where the mean over outputs is no share of samples; of errors the smallest. */
Test(monitor, each_metric_has_a_direction)
{
    static const struct {
        const char *loss, *activation, *metric, *reported;
        bool larger;
    } all[] = {
        {"binary_crossentropy", "sigmoid", "binary_accuracy", "binary_accuracy", true},
        {"binary_crossentropy", "sigmoid", "accuracy", "accuracy", true},
        {"binary_crossentropy", "sigmoid", "acc", "acc", true},
        {"mean_squared_error", "linear", "categorical_accuracy", "categorical_accuracy", true},
        {"categorical_crossentropy", "softmax", "top_k", "top_k_categorical_accuracy", true},
        {"sparse_categorical_crossentropy", "softmax", "acc", "acc", true},
        {"sparse_categorical_crossentropy", "softmax", "sparse_categorical_accuracy",
         "sparse_categorical_accuracy", true},
        {"sparse_categorical_crossentropy", "softmax", "top_k", "sparse_top_k_categorical_accuracy",
         true},
        {"binary_crossentropy", "sigmoid", "mean_squared_error", "mean_squared_error", false},
        {"binary_crossentropy", "sigmoid", "mse", "mse", false},
        {"binary_crossentropy", "sigmoid", "mean_absolute_error", "mean_absolute_error", false},
        {"binary_crossentropy", "sigmoid", "mae", "mae", false},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        subject made = model_with(all[i].activation, all[i].loss, all[i].metric);
        char *validation = tr_format("val_%s", all[i].reported);
        expect_best_of(&made, all[i].reported, true, all[i].larger ? 2 : 1,
                       all[i].larger ? 0.9 : 0.2);
        expect_best_of(&made, validation, true, all[i].larger ? 2 : 1, all[i].larger ? 0.5 : 0.1);
        tr_free(validation);
        discard(&made);
    }
}

/* A value that is no number is worse than any; alone, it is not the best either. */
Test(monitor, not_a_number_is_never_the_best)
{
    double value;
    subject made = model_with_metrics();
    tr_epoch some[] = {{.train = {.loss = NAN}}, {.train = {.loss = 3}}, {.train = {.loss = NAN}}};
    tr_history history = {.epochs = some, .n = 3};
    const tr_monitor monitor = parsed(&made, "loss", false);
    cr_expect_eq(tr_monitor_best(&monitor, &history, &value), 2);
    history.n = 1;
    cr_expect_eq(tr_monitor_best(&monitor, &history, &value), 0);
    discard(&made);
}

static void refused(const char *name, bool has_validation, const char *expected)
{
    tr_error err = {0};
    subject made = model_with_metrics();
    parsed(&made, name, has_validation);
    cr_expect_eq(tr_config_check(made.config, &err), TR_ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, expected), "%s", err.text);
    discard(&made);
}

Test(monitor, refuses_what_the_run_does_not_have)
{
    refused("val_acc", true, "allowed: auto, none, loss, accuracy, val_loss, val_accuracy");
    refused("val_loss", false, "val_ values need [data] validation_split, folds or a file");
}
