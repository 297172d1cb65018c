/* test_fit.c -- a run through the library: learning, events, files, stopping, refusals. */
#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "h5.h"
#include "mem.h"
#include "net.h"
#include "quadrants.h"
#include "rng.h"
#include "trainer/checkpoint.h"
#include "trainer/fit.h"

static tr_control never;

/* ---- learning ---- */

static void learns(const char *const *overrides, size_t n)
{
    test_quadrants made;
    tr_error err = {0};
    tr_evaluation test;
    const tr_listener silent = {0};
    cr_assert_eq(test_quadrants_make(&made, overrides, n, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_run_fit(made.run, &silent, &never, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_run_evaluate(made.run, &never.stop, &test, &err), TR_OK);
    cr_assert_eq(test.metrics.n, TEST_QUADRANTS_TEST);
    cr_assert_gt(test.metrics.values[0], 0.95, "accuracy %g", test.metrics.values[0]);
    tr_evaluation_release(&test);
    test_quadrants_discard(&made);
}

Test(fit, learns_with_adam)
{
    const char *const overrides[] = {"fit.epochs=12", "optimizer.learning_rate=0.01"};
    learns(overrides, 2);
}

Test(fit, learns_with_sgd)
{
    const char *const overrides[] = {"compile.optimizer=sgd", "fit.epochs=20",
                                     "optimizer.momentum=0.9", "optimizer.learning_rate=0.05"};
    learns(overrides, 4);
}

/* ---- events and history ---- */

struct seen {
    int steps, epochs;
    int64_t last_images;
};

static void on_step(void *user, const tr_step_event *event)
{
    struct seen *seen = user;
    seen->steps++;
    seen->last_images = event->images;
    cr_assert_eq(event->steps, 7);
    cr_assert_eq(event->epochs, 3);
    cr_assert_eq(event->so_far.n, event->images);
}

static tr_status on_epoch(void *user, const tr_history *history, int64_t epochs, tr_error *err)
{
    struct seen *seen = user;
    (void)err;
    seen->epochs++;
    cr_assert_eq(epochs, 3);
    cr_assert_eq(history->n, seen->epochs);
    const tr_epoch *epoch = &history->epochs[history->n - 1];
    cr_assert_eq(epoch->epoch, seen->epochs);
    cr_assert_eq(epoch->train.n, 322);
    cr_assert_eq(epoch->validation.n, 81); /* ceil(0.2 * 403) */
    cr_assert(isfinite(epoch->train.loss) && isfinite(epoch->validation.loss));
    return TR_OK;
}

Test(fit, tells_every_step_and_epoch)
{
    test_quadrants made;
    tr_error err = {0};
    struct seen seen = {0};
    const tr_listener listener = {.user = &seen, .on_step = on_step, .on_epoch = on_epoch};
    cr_assert_eq(test_quadrants_make(&made, NULL, 0, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_run_describe(made.run).steps, 7);
    cr_assert_eq(tr_run_fit(made.run, &listener, &never, &err), TR_OK, "%s", err.text);
    cr_assert_eq(seen.steps, 21);
    cr_assert_eq(seen.epochs, 3);
    cr_assert_eq(seen.last_images, 322);
    cr_assert_eq(tr_run_describe(made.run).iterations, 21);
    test_quadrants_discard(&made);
}

/* The checkpoint holds the weights the run ended with, and evaluating it gives the same numbers. */
Test(fit, checkpoint_is_the_model)
{
    test_quadrants made;
    tr_error err = {0};
    tr_evaluation in_run, from_file;
    char a[33], b[33], path[600];
    const tr_listener silent = {0};
    cr_assert_eq(test_quadrants_make(&made, NULL, 0, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_run_fit(made.run, &silent, &never, &err), TR_OK);
    cr_assert_eq(tr_run_evaluate(made.run, &never.stop, &in_run, &err), TR_OK);
    cr_assert_eq(tr_model_digest(made.model, a, &err), TR_OK);
    float zero[4] = {0};
    cr_assert_eq(tr_model_set_weight(made.model, 3, zero, &err), TR_OK);
    snprintf(path, sizeof path, "%s/last.h5", made.config->output_directory);
    cr_assert_eq(tr_checkpoint_read_weights(made.model, path, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_digest(made.model, b, &err), TR_OK);
    cr_assert_str_eq(a, b);
    cr_assert_eq(tr_evaluate(made.config, made.model, made.dataset, &from_file, &err), TR_OK);
    cr_assert_eq(in_run.metrics.loss, from_file.metrics.loss);
    cr_assert_eq(in_run.metrics.values[0], from_file.metrics.values[0]);
    /* 4 classes; the diagonal of the confusion is what accuracy counts. */
    int64_t right = 0, all = 0;
    cr_assert_eq(in_run.confusion.n_classes, 4);
    for (int i = 0; i < 16; i++) {
        cr_assert_eq(in_run.confusion.counts[i], from_file.confusion.counts[i]);
        all += in_run.confusion.counts[i];
        right += i % 5 == 0 ? in_run.confusion.counts[i] : 0;
    }
    cr_assert_eq(all, TEST_QUADRANTS_TEST);
    cr_assert_float_eq((double)right / TEST_QUADRANTS_TEST, in_run.metrics.values[0], 1e-12);
    tr_evaluation_release(&in_run);
    tr_evaluation_release(&from_file);
    test_quadrants_discard(&made);
}

struct watched {
    const tr_model *model;
    char digest[33]; /* when the last epoch was reported */
    double rates[3];
};

static tr_status watch(void *user, const tr_history *history, int64_t epochs, tr_error *err)
{
    struct watched *watched = user;
    (void)epochs;
    for (int64_t i = 0; i < history->n; i++)
        watched->rates[i] = history->epochs[i].learning_rate;
    return tr_model_digest(watched->model, watched->digest, err);
}

/* As Keras's fit(): the weights become their average behind the last epoch; here the file, too. The
 * rate in the history is that of the step to come: 7, 14 and 21 were made. */
Test(fit, ends_with_the_average_and_logs_the_schedule)
{
    const char *const overrides[] = {
        "optimizer.use_ema=true", "learning_rate.schedule=piecewise_constant_decay",
        "learning_rate.boundaries=10", "learning_rate.values=0.01, 0.001"};
    test_quadrants made;
    tr_error err = {0};
    struct watched watched = {0};
    char ended[33], saved[33], path[600];
    const tr_listener listener = {.user = &watched, .on_epoch = watch};
    cr_assert_eq(test_quadrants_make(&made, overrides, 4, &err), TR_OK, "%s", err.text);
    watched.model = made.model;
    cr_assert_eq(tr_run_fit(made.run, &listener, &never, &err), TR_OK, "%s", err.text);
    cr_assert(watched.rates[0] == 0.01 && watched.rates[1] == 0.001 && watched.rates[2] == 0.001);
    cr_assert_eq(tr_model_digest(made.model, ended, &err), TR_OK);
    cr_assert_str_neq(ended, watched.digest);
    snprintf(path, sizeof path, "%s/last.h5", made.config->output_directory);
    cr_assert_eq(tr_checkpoint_read_weights(made.model, path, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_digest(made.model, saved, &err), TR_OK);
    cr_assert_str_eq(ended, saved);
    test_quadrants_discard(&made);
}

/* ---- the same run again; other seeds; no shuffle ---- */

static void digest_of(const char *const *overrides, size_t n, char digest[33])
{
    test_quadrants made;
    tr_error err = {0};
    const tr_listener silent = {0};
    cr_assert_eq(test_quadrants_make(&made, overrides, n, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_run_fit(made.run, &silent, &never, &err), TR_OK);
    cr_assert_eq(tr_model_digest(made.model, digest, &err), TR_OK);
    test_quadrants_discard(&made);
}

Test(fit, is_a_function_of_the_configuration)
{
    const char *const three[] = {"engine.threads=3"}, *const seed[] = {"fit.seed=1"};
    const char *const split[] = {"data.split_seed=1"}, *const ordered[] = {"fit.shuffle=false"};
    char base[33], again[33];
    digest_of(NULL, 0, base);
    digest_of(three, 1, again);
    cr_assert_str_eq(base, again);
    digest_of(seed, 1, again);
    cr_assert_str_neq(base, again);
    digest_of(split, 1, again);
    cr_assert_str_neq(base, again);
    digest_of(ordered, 1, again);
    cr_assert_str_neq(base, again);
}

/* ---- stopping ---- */

static tr_control control;

static void stop_in_second_epoch(void *user, const tr_step_event *event)
{
    (void)user;
    if (event->epoch == 2 && event->step == 3)
        control.stop = SIGINT;
}

Test(fit, stops_after_the_step_and_saves)
{
    test_quadrants made;
    tr_error err = {0};
    char before[33], saved[33], path[600];
    const tr_listener listener = {.on_step = stop_in_second_epoch};
    cr_assert_eq(test_quadrants_make(&made, NULL, 0, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_run_fit(made.run, &listener, &control, &err), TR_INTERRUPTED);
    cr_assert_eq(tr_run_describe(made.run).iterations, 10);
    cr_assert_not_null(strstr(err.text, "epoch 2 after 10 updates"), "%s", err.text);
    cr_assert_eq(tr_model_digest(made.model, before, &err), TR_OK);
    snprintf(path, sizeof path, "%s/last.h5", made.config->output_directory);
    cr_assert_eq(tr_checkpoint_read_weights(made.model, path, &err), TR_OK);
    cr_assert_eq(tr_model_digest(made.model, saved, &err), TR_OK);
    cr_assert_str_eq(before, saved);
    test_quadrants_discard(&made);
}

static tr_status stop_at_epoch_end(void *user, const tr_history *history, int64_t epochs,
                                   tr_error *err)
{
    (void)user, (void)history, (void)epochs, (void)err;
    control.stop = SIGTERM;
    return TR_OK;
}

/* Asked while an epoch is being reported, or while the test set is being measured. */
Test(fit, stop_is_not_lost_between_steps)
{
    test_quadrants made;
    tr_error err = {0};
    tr_evaluation test;
    const tr_listener listener = {.on_epoch = stop_at_epoch_end};
    const char *const overrides[] = {"fit.epochs=1"};
    cr_assert_eq(test_quadrants_make(&made, overrides, 1, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_run_fit(made.run, &listener, &control, &err), TR_TERMINATED);
    cr_assert_eq(tr_run_evaluate(made.run, &control.stop, &test, &err), TR_TERMINATED);
    test_quadrants_discard(&made);
}

/* A run started by mistake in the folder of a good one, and stopped at once. */
Test(fit, stop_before_the_first_update_keeps_the_old_file)
{
    test_quadrants made;
    tr_error err = {0};
    char path[600];
    const tr_listener silent = {0};
    control.stop = SIGINT;
    cr_assert_eq(test_quadrants_make(&made, NULL, 0, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_run_fit(made.run, &silent, &control, &err), TR_INTERRUPTED);
    cr_assert_not_null(strstr(err.text, "nothing to save"), "%s", err.text);
    snprintf(path, sizeof path, "%s/last.h5", made.config->output_directory);
    cr_assert_neq(access(path, F_OK), 0);
    test_quadrants_discard(&made);
}

/* ---- refusals ---- */

Test(fit, divergence_is_a_numeric_error)
{
    test_quadrants made;
    tr_error err = {0};
    const tr_listener silent = {0};
    const char *const overrides[] = {"compile.optimizer=sgd", "optimizer.learning_rate=1000000",
                                     "data.scale=1000"};
    cr_assert_eq(test_quadrants_make(&made, overrides, 3, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_run_fit(made.run, &silent, &never, &err), TR_ERR_NUMERIC);
    cr_assert_not_null(strstr(err.text, "epoch 1, step"), "%s", err.text);
    test_quadrants_discard(&made);
}

Test(fit, labels_outside_the_classes_are_named)
{
    static const char two[] =
        "validation_split = 0.2\n[model]\ninput_shape = 8, 8, 1\n[layer.f]\ntype = flatten\n"
        "[layer.d]\ntype = dense\nunits = 3\nactivation = softmax\n";
    tr_error err = {0};
    char file[600];
    const char *const overrides[] = {file};
    test_quadrants made = {0};
    snprintf(file, sizeof file, "data.file=%s", test_quadrants_data());
    made.config = test_config(two, overrides, 1);
    cr_assert_eq(tr_model_parse(&made.model, made.config, &err), TR_OK);
    cr_assert_eq(tr_config_check(made.config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_build(made.model, &err), TR_OK);
    cr_assert_eq(tr_dataset_open(&made.dataset, made.config, TR_TARGET_CLASSES, &err), TR_OK, "%s",
                 err.text);
    cr_assert_eq(tr_run_new(&made.run, made.config, made.model, made.dataset, &err), TR_ERR_DATA);
    cr_assert_not_null(strstr(err.text, "y_train"), "%s", err.text);
    test_quadrants_discard(&made);
}

Test(fit, output_folder_that_cannot_be_made)
{
    test_quadrants made;
    tr_error err = {0};
    const char *const overrides[] = {"output.directory=/proc/nothing/here"};
    cr_assert_eq(test_quadrants_make(&made, overrides, 1, &err), TR_ERR_IO);
    cr_assert_not_null(strstr(err.text, "/proc/nothing/here"), "%s", err.text);
    test_quadrants_discard(&made);
}

Test(fit, survives_lack_of_memory)
{
    for (int k = 0;; k++) {
        test_quadrants made;
        tr_error err = {0};
        const tr_listener silent = {0};
        const char *const overrides[] = {"fit.epochs=1"};
        cr_assert_eq(test_quadrants_make(&made, overrides, 1, &err), TR_OK);
        tr_run_free(made.run);
        made.run = NULL;
        tr_alloc_fail_after(k);
        tr_status status = tr_run_new(&made.run, made.config, made.model, made.dataset, &err);
        if (status == TR_OK)
            status = tr_run_fit(made.run, &silent, &never, &err);
        tr_alloc_fail_after(-1);
        test_quadrants_discard(&made);
        if (status == TR_OK)
            break;
        cr_assert(status == TR_ERR_INTERNAL || status == TR_ERR_IO, "k = %d: %s", k, err.text);
        cr_assert_lt(k, 1000);
    }
}
