/* test_metric_list.c -- which metrics a run has: resolution by loss and outputs, names as Keras
 * reports them, and every refusal. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "net.h"

/* A network of one dense layer; `compile` are further keys of [compile]. */
typedef struct subject {
    tr_config *config;
    tr_model *model;
    tr_error err;
} subject;

static subject parse(const char *loss, int units, const char *compile)
{
    subject made = {0};
    const bool yes_no = strcmp(loss, "binary_crossentropy") == 0;
    const char *activation = strstr(loss, "categorical") != NULL ? "softmax"
                             : yes_no                            ? "sigmoid"
                                                                 : "linear";
    char *body = tr_format("[model]\ninput_shape = 2, 2, 1\n[layer.f]\ntype = flatten\n"
                           "[layer.d]\ntype = dense\nunits = %d\nactivation = %s\n"
                           "[compile]\nloss = %s\noptimizer = adam\n%s\n",
                           units, activation, loss, compile);
    made.config = test_config(body, NULL, 0);
    cr_assert_eq(tr_model_parse(&made.model, made.config, &made.err), TR_OK);
    (void)tr_config_check(made.config, &made.err);
    tr_free(body);
    return made;
}

static void discard(subject *made)
{
    tr_model_free(made->model);
    tr_config_free(made->config);
}

/* One metric, as written: what it is reported as, what it stands for, whether it counts. */
static void resolves(const char *loss, int units, const char *metrics, const char *name,
                     const char *resolved, bool counts)
{
    char *compile = tr_format("metrics = %s\n%s", metrics,
                              strstr(metrics, "top_k") != NULL ? "top_k = 2\n" : "");
    subject made = parse(loss, units, compile);
    cr_assert_str_eq(made.err.text, "", "%s", made.err.text);
    cr_assert_eq(tr_model_n_metrics(made.model), 1);
    const tr_metric_info info = tr_model_metric(made.model, 0);
    cr_assert_str_eq(info.name, name, "%s of %s: %s", metrics, loss, info.name);
    cr_assert_str_eq(info.resolved, resolved, "%s of %s: %s", metrics, loss, info.resolved);
    cr_assert_eq(info.counts, counts, "%s of %s", metrics, loss);
    discard(&made);
    tr_free(compile);
}

Test(metric_list, accuracy_is_resolved_by_loss_and_outputs)
{
    resolves("sparse_categorical_crossentropy", 3, "accuracy", "accuracy",
             "sparse_categorical_accuracy", true);
    resolves("categorical_crossentropy", 3, "accuracy", "accuracy", "categorical_accuracy", true);
    resolves("binary_crossentropy", 1, "accuracy", "accuracy", "binary_accuracy", true);
    resolves("binary_crossentropy", 3, "accuracy", "accuracy", "categorical_accuracy", true);
    resolves("mean_squared_error", 1, "accuracy", "accuracy", "binary_accuracy", true);
    resolves("mean_squared_error", 3, "accuracy", "accuracy", "categorical_accuracy", true);
    /* A mean over outputs is no share of samples: it has no standard error. */
    resolves("binary_crossentropy", 2, "binary_accuracy", "binary_accuracy", "binary_accuracy",
             false);
}

Test(metric_list, top_k_is_resolved_by_loss)
{
    resolves("sparse_categorical_crossentropy", 3, "top_k", "sparse_top_k_categorical_accuracy",
             "sparse_top_k_categorical_accuracy", true);
    resolves("categorical_crossentropy", 3, "top_k", "top_k_categorical_accuracy",
             "top_k_categorical_accuracy", true);
    resolves("mean_squared_error", 3, "top_k", "top_k_categorical_accuracy",
             "top_k_categorical_accuracy", true);
}

/* Keras's key in history.history is the string given to compile(). */
Test(metric_list, is_reported_as_written)
{
    resolves("sparse_categorical_crossentropy", 3, "acc", "acc", "sparse_categorical_accuracy",
             true);
    resolves("mean_squared_error", 2, "mse", "mse", "mean_squared_error", false);
    resolves("mean_squared_error", 2, "mean_squared_error", "mean_squared_error",
             "mean_squared_error", false);
    resolves("mean_squared_error", 2, "mae", "mae", "mean_absolute_error", false);
}

Test(metric_list, keeps_the_order_of_the_list)
{
    subject made = parse("categorical_crossentropy", 3,
                         "metrics = mae ,accuracy,  top_k, mse,binary_accuracy\ntop_k = 2");
    cr_assert_str_eq(made.err.text, "", "%s", made.err.text);
    static const char *const expected[] = {"mae", "accuracy", "top_k_categorical_accuracy", "mse",
                                           "binary_accuracy"};
    cr_assert_eq(tr_model_n_metrics(made.model), 5);
    for (int i = 0; i < 5; i++)
        cr_assert_str_eq(tr_model_metric(made.model, i).name, expected[i]);
    discard(&made);
    made = parse("categorical_crossentropy", 3, "");
    cr_assert_str_eq(made.err.text, "");
    cr_assert_eq(tr_model_n_metrics(made.model), 0);
    discard(&made);
}

/* ---- refusals; [compile] metrics is in line 15 ---- */

static void refused(const char *loss, int units, const char *compile, const char *expected)
{
    subject made = parse(loss, units, compile);
    cr_assert_not_null(strstr(made.err.text, expected), "expected \"%s\" in:\n%s", expected,
                       made.err.text);
    cr_assert_null(strchr(made.err.text, '\n'), "one mistake, one line:\n%s", made.err.text);
    discard(&made);
}

Test(metric_list, unknown_metric)
{
    refused("sparse_categorical_crossentropy", 3, "metrics = acuracy",
            ":15: [compile] metrics: unknown metric acuracy; did you mean accuracy? allowed: "
            "accuracy, binary_accuracy, categorical_accuracy");
    refused("sparse_categorical_crossentropy", 3, "metrics = accuracy, dice",
            ":15: [compile] metrics: unknown metric dice; allowed: ");
    refused("sparse_categorical_crossentropy", 3, "metrics = ,accuracy",
            ":15: [compile] metrics: a name is missing beside a comma");
    refused("sparse_categorical_crossentropy", 3, "metrics = accuracy,",
            ":15: [compile] metrics: a name is missing beside a comma");
    refused("sparse_categorical_crossentropy", 3, "metrics = top_1\ntop_k = 2",
            ":15: [compile] metrics: unknown metric top_1; ");
}

Test(metric_list, metric_twice)
{
    refused("sparse_categorical_crossentropy", 3, "metrics = accuracy, accuracy",
            ":15: [compile] metrics: accuracy with loss = sparse_categorical_crossentropy: it is "
            "in the list twice");
    refused("mean_squared_error", 3, "metrics = mse, mean_squared_error", "is in the list twice");
    refused("sparse_categorical_crossentropy", 3, "metrics = accuracy, sparse_categorical_accuracy",
            "is in the list twice");
}

Test(metric_list, metric_that_does_not_go_with_the_loss)
{
    static const char *const sparse[] = {"sparse_categorical_accuracy",
                                         "sparse_top_k_categorical_accuracy"};
    static const char *const wide[] = {"binary_accuracy", "categorical_accuracy", "mse", "mae",
                                       "top_k_categorical_accuracy"};
    for (size_t i = 0; i < sizeof sparse / sizeof *sparse; i++) {
        char *compile = tr_format("metrics = %s", sparse[i]);
        refused("mean_squared_error", 3, compile,
                "it wants class numbers, this loss other targets");
        tr_free(compile);
    }
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        char *compile = tr_format("metrics = %s", wide[i]);
        refused("sparse_categorical_crossentropy", 3, compile,
                "it wants targets of the outputs' size, this loss class numbers");
        tr_free(compile);
    }
    refused("binary_crossentropy", 1, "metrics = categorical_accuracy",
            "it wants several outputs, the last layer has one");
    refused("mean_squared_error", 1, "metrics = top_k", "it wants several outputs");
}

Test(metric_list, top_k_must_change_something)
{
    refused("sparse_categorical_crossentropy", 10, "metrics = accuracy\ntop_k = 3",
            ":16: [compile] top_k = 3 has no effect without a top_k metric");
    refused("sparse_categorical_crossentropy", 4, "metrics = top_k\ntop_k = 4",
            ":16: [compile] top_k = 4: with 4 outputs every sample is right; make it smaller");
    refused("sparse_categorical_crossentropy", 4, "metrics = top_k",
            "[compile] top_k = 5: with 4 outputs every sample is right");
    refused("sparse_categorical_crossentropy", 4, "metrics = top_k\ntop_k = 0", "top_k = 0");
    /* The default, spelled out in every effective configuration, is no mistake. */
    subject made = parse("sparse_categorical_crossentropy", 3, "metrics = accuracy\ntop_k = 5");
    cr_assert_str_eq(made.err.text, "", "%s", made.err.text);
    discard(&made);
}

/* ---- settings ---- */

Test(metric_list, settings_and_names_of_ones_own)
{
    subject made = parse("mean_squared_error", 3,
                         "metrics = auc, second, huber, mse\nweighted_metrics = huber, rmse\n"
                         "[metric.second]\ntype = auc\ncurve = PR\nnum_thresholds = 10\n"
                         "[metric.huber]\ndelta = 0.5");
    cr_assert_str_eq(made.err.text, "", "%s", made.err.text);
    static const char *const expected[][2] = {{"auc", "auc"},
                                              {"second", "auc"},
                                              {"huber", "huber"},
                                              {"mse", "mean_squared_error"},
                                              {"weighted_huber", "huber"},
                                              {"rmse", "root_mean_squared_error"}};
    cr_assert_eq(tr_model_n_metrics(made.model), 6);
    for (int i = 0; i < 6; i++) {
        const tr_metric_info info = tr_model_metric(made.model, i);
        cr_expect_str_eq(info.name, expected[i][0]);
        cr_expect_str_eq(info.resolved, expected[i][1]);
        cr_expect_eq(info.weighted, i >= 4);
        cr_expect_eq(info.larger_is_better, i < 2);
    }
    cr_expect_eq(made.model->metrics.items[4].settings.loss.delta, 0.5);
    cr_expect_eq(tr_model_n_sums(made.model), 400 + 20 + 1 + 1 + 2 + 2);
    char *text = tr_config_text(made.config); /* every default spelled out */
    cr_expect_not_null(strstr(text, "[metric.auc]\nnum_thresholds   = 200\n"), "%s", text);
    tr_free(text);
    discard(&made);
}

Test(metric_list, larger_is_better)
{
    static const struct {
        const char *name;
        bool larger;
    } cases[] = {{"cosine_similarity", true}, {"mae", false},
                 {"precision", true},         {"recall", true},
                 {"f1_score", true},          {"true_negatives", true},
                 {"false_positives", false},  {"rmse", false},
                 {"poisson", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *compile = tr_format("metrics = %s", cases[i].name);
        subject made = parse("mean_squared_error", 2, compile);
        cr_assert_str_eq(made.err.text, "", "%s", made.err.text);
        cr_expect_eq(tr_model_metric(made.model, 0).larger_is_better, cases[i].larger, "%s",
                     cases[i].name);
        discard(&made);
        tr_free(compile);
    }
}

Test(metric_list, settings_that_are_refused)
{
    refused("mean_squared_error", 3, "metrics = mse\n[metric.auc]\ncurve = PR",
            ":16: [metric.auc]: auc is not among [compile] metrics; add it there, or remove the "
            "section");
    refused("mean_squared_error", 3, "metrics = rmse\n[metric.rmse]\ncurve = PR",
            ":16: [metric.rmse]: root_mean_squared_error has no settings; remove the section");
    refused("mean_squared_error", 3, "metrics = auc\n[metric.auc]\ncurv = PR",
            ":17: [metric.auc] curv: unknown key; did you mean curve?");
    refused("mean_squared_error", 3, "metrics = a\n[metric.a]\ntype = auk",
            "[compile] metrics: unknown metric auk; did you mean auc?");
    refused("mean_squared_error", 3, "metrics = val_a\n[metric.val_a]\ntype = auc",
            "the history has a column of that name already");
    refused("mean_squared_error", 3, "metrics = precision\n[metric.precision]\nclass_id = 3",
            ":17: [metric.precision] class_id = 3: the last layer has 3 outputs");
    refused("mean_squared_error", 3,
            "metrics = auc\n[metric.auc]\nmulti_label = yes\nnum_thresholds = 800",
            "auc keeps 4800 numbers");
    refused("mean_squared_error", 3, "metrics = mse\nweighted_metrics = rmse, rmse",
            "[compile] weighted_metrics: rmse with loss = mean_squared_error: it is in the list "
            "twice");
}
