/* test_callbacks.c -- what early stopping and plateaus decide is what Keras's own callbacks decided
 * on the same series (golden/callbacks.py); and what a configuration says of them.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "trained.h"

static const char network[] = "[model]\ninput_shape = 2, 2, 1\n[layer.f]\ntype = flatten\n"
                              "[layer.o]\ntype = dense\nunits = 3\nactivation = softmax\n"
                              "[compile]\noptimizer = sgd\n"
                              "loss = sparse_categorical_crossentropy\nmetrics = accuracy\n";

typedef struct subject {
    tr_config *config;
    tr_model *model;
    tr_history history;
} subject;

static subject subject_of(const char *ini, const char *const *overrides, size_t n)
{
    subject made = {0};
    tr_error err = {0};
    const char *all[8] = {"data.validation_split=0.5"};
    for (size_t i = 0; i < n; i++)
        all[i + 1] = overrides[i];
    char *body = tr_format("%s%s", network, ini);
    made.config = test_config(body, all, n + 1);
    cr_assert_eq(tr_model_parse(&made.model, made.config, &err), TR_OK, "%s", err.text);
    tr_free(body);
    return made;
}

static void discard(subject *made)
{
    tr_free(made->history.epochs);
    tr_model_free(made->model);
    tr_config_free(made->config);
}

static double *read_doubles(hid_t group, const char *name, size_t *n)
{
    const hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT), space = H5Dget_space(dataset);
    *n = (size_t)H5Sget_simple_extent_npoints(space);
    double *values = tr_alloc(*n, sizeof *values);
    cr_assert(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Sclose(space);
    H5Dclose(dataset);
    return values;
}

static int64_t read_attribute(hid_t group, const char *name)
{
    int64_t value;
    const hid_t attribute = H5Aopen(group, name, H5P_DEFAULT);
    cr_assert(H5Aread(attribute, H5T_NATIVE_INT64, &value) >= 0, "%s", name);
    H5Aclose(attribute);
    return value;
}

/* A recorded series as a history; all values are everywhere, but for those that are not looked at.
 */
static subject recorded(hid_t group)
{
    size_t n;
    char *ini = test_golden_text(group, "ini");
    double *values = read_doubles(group, "values", &n);
    subject made = subject_of(ini, (const char *[]){"optimizer.learning_rate=0.01"}, 1);
    for (size_t i = 0; i < n; i++) {
        const tr_epoch epoch = {.epoch = (int64_t)i + 1,
                                .train = {.loss = -1, .values = {-1}},
                                .validation = {.loss = values[i], .values = {values[i]}}};
        cr_assert_eq(tr_history_add(&made.history, &epoch), TR_OK);
    }
    tr_free(values);
    tr_free(ini);
    return made;
}

static void each_case(const char *kind, void (*look)(const char *name, hid_t group))
{
    const hid_t file = test_golden_open("callbacks.h5"), cases = H5Gopen2(file, kind, H5P_DEFAULT);
    H5G_info_t info;
    cr_assert(H5Gget_info(cases, &info) >= 0 && info.nlinks > 50);
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[64];
        H5Lget_name_by_idx(cases, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                           H5P_DEFAULT);
        const hid_t group = H5Gopen2(cases, name, H5P_DEFAULT);
        look(name, group);
        H5Gclose(group);
    }
    H5Gclose(cases);
    H5Fclose(file);
}

/* At the end, and after each epoch before it: then nothing has stopped yet. */
static void stops_as_keras(const char *name, hid_t group)
{
    subject made = recorded(group);
    const tr_early_stopping *rules = &tr_model_callbacks(made.model)->early_stopping;
    const int64_t stopped = read_attribute(group, "stopped_epoch"), n = made.history.n;
    tr_stopping found = tr_early_stopping_judge(rules, &made.history);
    cr_expect_eq(found.stopped_epoch, stopped, "%s: stopped %lld, not %lld", name,
                 (long long)found.stopped_epoch, (long long)stopped);
    cr_expect_eq(found.best_epoch, read_attribute(group, "restored_epoch"), "%s: best %lld", name,
                 (long long)found.best_epoch);
    for (made.history.n = 0; made.history.n <= n; made.history.n++) {
        found = tr_early_stopping_judge(rules, &made.history);
        cr_expect_eq(found.stopped_epoch, stopped > made.history.n ? 0 : stopped, "%s", name);
        cr_expect(found.best_epoch <= made.history.n);
    }
    discard(&made);
}

Test(callbacks, early_stopping_stops_where_keras_does)
{
    each_case("early_stopping", stops_as_keras);
}

static void reduces_as_keras(const char *name, hid_t group)
{
    size_t n;
    subject made = recorded(group);
    double *rates = read_doubles(group, "rates", &n);
    cr_assert_eq((int64_t)n, made.history.n);
    for (made.history.n = 1; made.history.n <= (int64_t)n; made.history.n++) {
        tr_model_reduce_rates(made.model, &made.history);
        const double rate = tr_model_optimizer(made.model)->learning_rate;
        cr_expect_eq((float)rate, (float)rates[made.history.n - 1],
                     "%s: epoch %lld: %.9g, not %.9g", name, (long long)made.history.n, rate,
                     rates[made.history.n - 1]);
    }
    tr_free(rates);
    discard(&made);
    made = recorded(group); /* at once, as a resume does */
    rates = read_doubles(group, "rates", &n);
    tr_model_reduce_rates(made.model, &made.history);
    cr_expect_eq((float)tr_model_optimizer(made.model)->learning_rate, (float)rates[n - 1], "%s",
                 name);
    tr_free(rates);
    discard(&made);
}

Test(callbacks, plateaus_reduce_the_rate_as_keras_does)
{
    each_case("reduce_lr_on_plateau", reduces_as_keras);
}

/* Keras's MultiOptimizer: each above min_lr is reduced. */
Test(callbacks, plateaus_reduce_every_optimizer)
{
    subject made = subject_of("[optimizer.x]\nlayers = o\nlearning_rate = 0.02\n"
                              "[reduce_lr_on_plateau]\nmonitor = val_loss\npatience = 1\n"
                              "factor = 0.5\nmin_lr = 0.015\n",
                              (const char *[]){"optimizer.learning_rate=0.001"}, 1);
    const tr_optimizers *optimizers = tr_model_optimizers(made.model);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(tr_history_add(&made.history, &(tr_epoch){.validation.loss = 1.0}), TR_OK);
    cr_expect(tr_model_reduce_rates(made.model, &made.history));
    cr_expect_eq(optimizers->items[0]->learning_rate, 0.001, "it is below min_lr already");
    cr_expect_eq(optimizers->items[1]->learning_rate, (double)0.015f);
    cr_expect_not(tr_model_reduce_rates(made.model, &made.history), "it is there");
    discard(&made);
}

/* ---- configurations ---- */

Test(callbacks, are_off_without_their_sections)
{
    subject made = subject_of("", NULL, 0);
    const tr_callbacks *callbacks = tr_model_callbacks(made.model);
    cr_expect(callbacks->best.on && callbacks->best.validation);
    cr_expect_not(callbacks->early_stopping.monitor.on || callbacks->plateau.monitor.on);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(tr_history_add(&made.history, &(tr_epoch){.epoch = i + 1}), TR_OK);
    const tr_stopping verdict = tr_early_stopping_judge(&callbacks->early_stopping, &made.history);
    cr_expect_eq(verdict.stopped_epoch, 0);
    cr_expect_eq(verdict.best_epoch, 0);
    cr_expect_eq(tr_plateau_count(&callbacks->plateau, &made.history), 0);
    char *text = tr_config_text(made.config);
    cr_expect_null(strstr(text, "early_stopping"),
                   "a section that is not there is not spelled out");
    tr_free(text);
    discard(&made);
}

Test(callbacks, have_the_defaults_of_keras)
{
    subject made = subject_of("[early_stopping]\n[reduce_lr_on_plateau]\n", NULL, 0);
    const tr_callbacks *callbacks = tr_model_callbacks(made.model);
    const tr_early_stopping *stopping = &callbacks->early_stopping;
    cr_expect(stopping->monitor.on && stopping->monitor.validation);
    cr_expect_eq(stopping->monitor.metric, TR_LOSS);
    cr_expect(stopping->patience == 0 && stopping->min_delta == 0.0 && isnan(stopping->baseline) &&
              !stopping->restore_best_weights && stopping->start_from_epoch == 0);
    const tr_plateau *plateau = &callbacks->plateau;
    cr_expect(plateau->monitor.on && plateau->factor == 0.1 && plateau->patience == 10 &&
              plateau->min_delta == 1e-4 && plateau->cooldown == 0 && plateau->min_lr == 0.0);
    discard(&made);
}

static void refused(const char *ini, const char *expected)
{
    tr_error err = {0};
    subject made = subject_of(ini, NULL, 0);
    cr_expect_eq(tr_config_check(made.config, &err), TR_ERR_CONFIG, "%s", ini);
    cr_expect_not_null(strstr(err.text, expected), "%s", err.text);
    discard(&made);
}

Test(callbacks, refuse_what_has_no_effect_or_no_sense)
{
    refused("[early_stopping]\nmonitor = val_acc\n",
            "[early_stopping] monitor = val_acc: this run has no such value");
    refused("[reduce_lr_on_plateau]\nmonitor = f1\n",
            "[reduce_lr_on_plateau] monitor = f1: this run has no such value");
    refused("[reduce_lr_on_plateau]\nfactor = 1\n", "factor");
    refused("[early_stopping]\npatience = -1\n", "patience");
    refused("[early_stopping]\nmode = more\n", "auto, min, max");
    refused("[learning_rate]\nschedule = cosine_decay\ninitial_learning_rate = 0.1\n"
            "decay_steps = 5\n[reduce_lr_on_plateau]\n",
            "[reduce_lr_on_plateau] and the schedule of [learning_rate]");
}
