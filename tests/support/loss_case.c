/* loss_case.c -- see loss_case.h. */
#include "loss_case.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ini_file.h"
#include "mem.h"
#include "net.h"
#include "value.h"

enum { MAX_PATH = 256 };

tr_loss test_loss(const char *name, test_mode mode, double label_smoothing)
{
    cr_assert_not_null(tr_loss_find(name), "%s", name);
    tr_loss loss = tr_loss_default(tr_loss_find(name));
    loss.label_smoothing = label_smoothing;
    loss.from_logits = mode == TEST_FROM_LOGITS;
    loss.takes_over = mode == TEST_TAKEN_OVER;
    loss.logits = mode == TEST_FROM_LOGITS || mode == TEST_TAKEN_OVER;
    return loss;
}

static tr_targets row_of(tr_targets targets, int64_t i, int64_t width)
{
    return (tr_targets){
        .classes = targets.classes == NULL ? NULL : targets.classes + i,
        .values = targets.values == NULL ? NULL : targets.values + i * width,
    };
}

/* ---- golden cases ---- */

typedef struct golden {
    float *pred;
    float *as_read; /* the targets */
    int32_t *classes;
    tr_targets targets;
    int64_t n, width;
} golden;

static float *load(hid_t group, const char *what, size_t n)
{
    size_t found;
    float *values = test_golden_floats(group, what, &found);
    cr_assert_eq(found, n, "%s", what);
    return values;
}

static double attribute_of(hid_t group, const char *name)
{
    double value;
    const hid_t id = H5Aopen(group, name, H5P_DEFAULT);
    cr_assert(id >= 0 && H5Aread(id, H5T_NATIVE_DOUBLE, &value) >= 0, "%s", name);
    H5Aclose(id);
    return value;
}

static golden golden_open(hid_t group, const char *per_sample)
{
    golden at = {0};
    size_t n, n_pred, n_targets;
    tr_free(test_golden_floats(group, per_sample, &n));
    at.pred = test_golden_floats(group, "pred", &n_pred);
    at.n = (int64_t)n;
    at.width = (int64_t)(n_pred / n);
    if (test_golden_has(group, "values")) {
        at.as_read = load(group, "values", n_pred);
        at.targets.values = at.as_read;
        return at;
    }
    at.as_read = test_golden_floats(group, "classes", &n_targets);
    cr_assert_eq(n_targets, n);
    at.classes = tr_alloc(n, sizeof *at.classes);
    for (size_t i = 0; i < n; i++)
        at.classes[i] = (int32_t)at.as_read[i];
    at.targets.classes = at.classes;
    return at;
}

static void golden_close(golden *at)
{
    tr_free(at->pred);
    tr_free(at->as_read);
    tr_free(at->classes);
}

/* Settings of the loss that the case names as attributes. */
static void take_settings(tr_loss *loss, hid_t group)
{
    for (size_t k = 0; k < loss->ops->n_keys; k++) {
        const tr_key *key = &loss->ops->keys[k];
        if (strcmp(key->name, "from_logits") == 0 || H5Aexists(group, key->name) <= 0)
            continue; /* the mode says the former */
        char text[40];
        const double value = attribute_of(group, key->name);
        snprintf(text, sizeof text, key->kind == TR_KEY_BOOL ? "%.0f" : "%.17g", value);
        cr_assert(tr_value_parse(key, text, loss), "%s = %s", key->name, text);
    }
}

/* Calls run(user, group, name) for each group below `path`. */
static void for_each(const char *path, void (*run)(const void *, hid_t, const char *),
                     const void *user)
{
    hid_t file = test_golden_open("losses.h5");
    if (!test_golden_has(file, path)) {
        H5Fclose(file);
        file = test_golden_open("losses_keras.h5");
    }
    if (!test_golden_has(file, path)) {
        H5Fclose(file);
        file = test_golden_open("metrics_keras.h5");
    }
    const hid_t all = H5Gopen2(file, path, H5P_DEFAULT);
    H5G_info_t info;
    cr_assert(all >= 0 && H5Gget_info(all, &info) >= 0, "%s", path);
    cr_assert_gt(info.nlinks, 0);
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[128], full[MAX_PATH];
        H5Lget_name_by_idx(all, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT);
        cr_assert_lt((size_t)snprintf(full, sizeof full, "%s/%s", path, name), sizeof full);
        const hid_t group = H5Gopen2(file, full, H5P_DEFAULT);
        run(user, group, full);
        H5Gclose(group);
    }
    H5Gclose(all);
    H5Fclose(file);
}

static void golden_loss(const void *user, hid_t group, const char *name)
{
    tr_loss loss = *(const tr_loss *)user;
    golden at = golden_open(group, "loss");
    const size_t n_pred = (size_t)(at.n * at.width);
    float *expected = load(group, "loss", (size_t)at.n), *slopes = load(group, "diff", n_pred);
    float *diff = tr_alloc(n_pred, sizeof *diff);
    take_settings(&loss, group);
    for (int64_t i = 0; i < at.n; i++) {
        const tr_loss_task one = {.pred = at.pred + i * at.width,
                                  .targets = row_of(at.targets, i, at.width),
                                  .n = 1,
                                  .n_padded = 1,
                                  .width = at.width,
                                  .weight = 1.0f};
        const double value = tr_loss_run(&loss, &one), wanted = (double)expected[i];
        /* Golden values are read as float32; expf, where a loss uses it, is good to one ulp. */
        cr_assert(fabs(value - wanted) <= 1e-6 + 1e-6 * fabs(wanted),
                  "%s sample %d: %.9g, expected %.9g", name, (int)i, value, wanted);
    }
    const tr_loss_task task = {.pred = at.pred,
                               .diff = diff,
                               .targets = at.targets,
                               .n = at.n,
                               .n_padded = at.n,
                               .width = at.width,
                               .weight = 1.0f / (float)at.n};
    (void)tr_loss_run(&loss, &task);
    /* p - t cancels for a sure prediction: the absolute error of one float near 1. */
    test_close(name, diff, slopes, n_pred, 2e-7, 2e-6);
    if (loss.takes_over) {
        float *activated = load(group, "activated", n_pred);
        tr_loss_predictions(&loss, at.pred, diff, at.n, at.width);
        test_close(name, diff, activated, n_pred, 1e-12, 1e-6);
        tr_free(activated);
    }
    tr_free(expected), tr_free(slopes), tr_free(diff);
    golden_close(&at);
}

void test_loss_golden(const char *name, test_mode mode)
{
    static const char *const words[] = {"logits", "logits", "probabilities", "values"};
    char path[MAX_PATH];
    const tr_loss loss = test_loss(name, mode, 0.0);
    snprintf(path, sizeof path, "cases/%s/%s", name, words[mode]);
    for_each(path, golden_loss, &loss);
}

static void golden_metric(const void *user, hid_t group, const char *name)
{
    const tr_metric_ops *ops = user;
    golden at = golden_open(group, "value");
    float *expected = load(group, "value", (size_t)at.n);
    const tr_loss_ops *loss = tr_loss_find(ops->name);
    const tr_metric_settings settings = {
        .threshold = NAN, .loss = loss == NULL ? (tr_loss){0} : tr_loss_default(loss)};
    const tr_metric_task task = {.pred = at.pred,
                                 .targets = at.targets,
                                 .n = at.n,
                                 .width = at.width,
                                 .k = (int64_t)attribute_of(group, "k"),
                                 .settings = &settings};
    for (int64_t i = 0; i < at.n; i++) {
        const double value = ops->value(&task, i), wanted = (double)expected[i];
        cr_assert(isnan(wanted) ? isnan(value) : fabs(value - wanted) <= 1e-7 + 1e-7 * wanted,
                  "%s sample %d: %.9g, expected %.9g", name, (int)i, value, wanted);
    }
    tr_free(expected);
    golden_close(&at);
}

void test_metric_golden(const char *name)
{
    char path[MAX_PATH];
    snprintf(path, sizeof path, "metrics/%s", name);
    tr_metric_ops ops;
    cr_assert(tr_metric_find(&ops, name), "no metric %s", name);
    for_each(path, golden_metric, &ops);
}

/* ---- results of whole metrics ---- */

/* The metrics of a network of as many outputs, by the text of its configuration. */
static tr_metric_list metrics_of(hid_t group, int64_t width, tr_config **config)
{
    char *compile = test_golden_text(group, "config");
    char *body = tr_format("[model]\ninput_shape = 1, 1, 1\n[layer.f]\ntype = flatten\n"
                           "[layer.d]\ntype = dense\nunits = %d\n%s",
                           (int)width, compile);
    tr_metric_list list;
    tr_loss loss;
    tr_error err = {0};
    *config = test_config(body, NULL, 0);
    cr_assert_eq(tr_loss_parse(&loss, *config, &err), TR_OK);
    tr_metrics_parse(&list, *config, &loss, width);
    (void)tr_config_check(*config, &err);
    cr_assert_str_eq(err.text, "", "%s", err.text);
    cr_assert_eq(list.n, 1);
    tr_free(compile);
    tr_free(body);
    return list;
}

static void golden_result(const void *user, hid_t group, const char *name)
{
    const char *prefix = user;
    if (strncmp(strrchr(name, '/') + 1, prefix, strlen(prefix)) != 0)
        return;
    size_t n_weights = 0, one;
    golden at = golden_open(group, "weights");
    float *weights = test_golden_floats(group, "weights", &n_weights);
    float *expected = test_golden_floats(group, "result", &one);
    tr_config *config;
    const tr_metric_list list = metrics_of(group, at.width, &config);
    tr_sums sums = {0};
    for (int64_t half = 0; half < 2; half++) {
        const int64_t first = half * (at.n / 2), count = half == 0 ? at.n / 2 : at.n - first;
        const tr_metric_task task = {.pred = at.pred + first * at.width,
                                     .targets = row_of(at.targets, first, at.width),
                                     .weights = weights + first,
                                     .n = count,
                                     .width = at.width};
        tr_sums part = {.n = count, .n_sums = list.n_sums};
        tr_metrics_add(&list, &task, part.metrics);
        tr_sums_add(&sums, &part);
    }
    const double value = tr_metrics_of(&list, &sums).values[0], wanted = (double)expected[0];
    /* Keras computes in float64 but for its epsilons; the result is read as float32. */
    cr_assert(fabs(value - wanted) <= 2e-7 + 2e-7 * fabs(wanted), "%s: %.9g, expected %.9g", name,
              value, wanted);
    tr_config_free(config);
    tr_free(weights), tr_free(expected);
    golden_close(&at);
}

void test_metric_results(const char *prefix)
{
    for_each("results", golden_result, prefix);
}

/* ---- made-up samples ---- */

enum { N = 3, WIDTH = 5, N_PRED = N * WIDTH };

typedef struct made {
    float pred[N_PRED], diff[N_PRED], values[N_PRED];
    int32_t classes[N];
} made;

/* Multiples of 2^-8, so that a step away is exact in float32 too; probabilities from 0.2 to 0.8,
 * not normalized, values and logits from -2 to 2. Soft targets that add up to 1. */
static void make(made *at, test_mode mode)
{
    float noise[N_PRED];
    test_fill(noise, N_PRED, 21);
    test_fill(at->values, N_PRED, 22);
    for (int k = 0; k < N_PRED; k++)
        at->pred[k] = mode == TEST_PROBABILITIES ? 0.5f + roundf(noise[k] * 76.0f) / 256.0f
                                                 : roundf(noise[k] * 512.0f) / 256.0f;
    for (int i = 0; i < N; i++) {
        float sum = 0.0f;
        for (int j = 0; j < WIDTH; j++)
            sum += at->values[i * WIDTH + j] = 1.01f + at->values[i * WIDTH + j];
        for (int j = 0; j < WIDTH; j++)
            at->values[i * WIDTH + j] /= sum;
        at->classes[i] = (i * 2) % WIDTH;
    }
}

static tr_loss_task task_of(made *at, bool as_classes)
{
    return (tr_loss_task){.pred = at->pred,
                          .diff = at->diff,
                          .targets = {.classes = as_classes ? at->classes : NULL,
                                      .values = as_classes ? NULL : at->values},
                          .n = N,
                          .n_padded = N,
                          .width = WIDTH,
                          .weight = 0.25f};
}

/* Calls run() for every form of targets that the loss has, with its defaults and with each setting
 * changed in turn: numbers to 0.3. */
static void for_each_form(const char *name, test_mode mode,
                          void (*run)(const tr_loss *, test_mode, bool))
{
    const tr_loss plain = test_loss(name, mode, 0.0);
    for (int form = 0; form < 2; form++) {
        const unsigned bit = form == 0 ? TR_TARGET_CLASSES : TR_TARGET_VALUES;
        if ((plain.ops->targets & bit) == 0)
            continue;
        run(&plain, mode, form == 0);
        for (size_t k = 0; k < plain.ops->n_keys; k++) {
            const tr_key *key = &plain.ops->keys[k];
            if (strcmp(key->name, "from_logits") == 0)
                continue;
            tr_loss changed = plain;
            cr_assert(tr_value_parse(key, key->kind == TR_KEY_BOOL ? "true" : "0.3", &changed));
            run(&changed, mode, form == 0);
        }
    }
}

/* Logits: the loss may be computed with expf, whose noise of 1e-7 a step of 2^-7 makes 1e-5; third
 * derivatives are below 1, so its square adds as little. Else everything is double: log(p) has
 * third derivatives up to 2 / 0.2^3, of which a step of 2^-12 makes 2.5e-6. */
static void slopes(const tr_loss *loss, test_mode mode, bool as_classes)
{
    const float step = loss->logits ? 0x1p-7f : 0x1p-12f;
    made at;
    make(&at, mode);
    tr_loss_task task = task_of(&at, as_classes);
    (void)tr_loss_run(loss, &task);
    task.diff = NULL;
    double steepest = 0.0;
    for (int k = 0; k < N_PRED; k++) {
        const float old = at.pred[k];
        at.pred[k] = old + step;
        const double up = tr_loss_run(loss, &task);
        at.pred[k] = old - step;
        const double down = tr_loss_run(loss, &task);
        at.pred[k] = old;
        const double slope = 0.25 * (up - down) / (2.0 * (double)step);
        cr_assert(fabs(slope - (double)at.diff[k]) <= 1e-5 + 1e-5 * fabs(slope),
                  "%s, mode %d, classes %d, smoothing %g, element %d: slope %.8g, gradient %.8g",
                  loss->ops->name, mode, as_classes, loss->label_smoothing, k, slope,
                  (double)at.diff[k]);
        steepest = fmax(steepest, fabs(slope));
    }
    cr_assert_gt(steepest, 0.002, "too flat for the tolerance to mean much");
}

void test_loss_slopes(const char *name, test_mode mode)
{
    for_each_form(name, mode, slopes);
}

static void padding(const tr_loss *loss, test_mode mode, bool as_classes)
{
    made at, whole;
    make(&at, mode);
    make(&whole, mode);
    tr_loss_task short_task = task_of(&at, as_classes), whole_task = task_of(&whole, as_classes);
    memset(at.diff, 0xff, sizeof at.diff);
    for (int k = WIDTH; k < N_PRED; k++)
        at.pred[k] = k % 2 == 0 ? NAN : INFINITY;
    short_task.n = whole_task.n = whole_task.n_padded = 1;
    cr_assert_eq(tr_loss_run(loss, &short_task), tr_loss_run(loss, &whole_task));
    for (int k = 0; k < N_PRED; k++)
        cr_assert_eq(at.diff[k], k < WIDTH ? whole.diff[k] : 0.0f, "%s, element %d",
                     loss->ops->name, k);
}

void test_loss_padding(const char *name, test_mode mode)
{
    for_each_form(name, mode, padding);
}

static void nan_is_noticed(const tr_loss *loss, test_mode mode, bool as_classes)
{
    for (int j = 0; j < WIDTH; j++) {
        made at;
        make(&at, mode);
        tr_loss_task task = task_of(&at, as_classes);
        at.pred[j] = NAN;
        cr_assert(isnan(tr_loss_run(loss, &task)), "%s, mode %d, output %d", loss->ops->name, mode,
                  j);
        cr_assert(isnan(at.diff[j]), "%s, mode %d, output %d: gradient %g", loss->ops->name, mode,
                  j, (double)at.diff[j]);
        for (int k = WIDTH; k < N_PRED; k++)
            cr_assert(isfinite(at.diff[k]), "other samples are not touched");
    }
}

void test_loss_nan(const char *name, test_mode mode)
{
    for_each_form(name, mode, nan_is_noticed);
}

void test_loss_all(const char *name, test_mode mode)
{
    test_loss_golden(name, mode);
    test_loss_slopes(name, mode);
    test_loss_padding(name, mode);
    test_loss_nan(name, mode);
}
