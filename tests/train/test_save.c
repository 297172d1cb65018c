/* test_save.c -- a run that is stopped anywhere and resumed ends with the same bits: weights, state
 * of the optimizer, history; and what cannot be resumed is refused.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "h5_write.h"
#include "mem.h"
#include "net.h"
#include "optimizer.h"
#include "quadrants.h"
#include "run_internal.h"
#include "training_state.h"

enum { MOST = 12 };

/* ---- stopping ---- */

static tr_control control;
static int64_t steps_left;

static void stop_after(void *user, const tr_step_event *event)
{
    (void)user, (void)event;
    if (--steps_left == 0)
        control.stop = SIGINT;
}

/* Up to `steps` further steps of the run; `resumed` tells where it went on. */
static tr_status live(const char *const *overrides, size_t n, const char *output, int64_t steps,
                      tr_resumed *resumed, tr_error *err)
{
    char folder[512], path[600];
    const char *all[MOST];
    test_quadrants made;
    const tr_listener listener = {.on_step = stop_after};
    snprintf(folder, sizeof folder, "output.directory=%s/%s", test_folder(), output);
    snprintf(path, sizeof path, "%s/%s/last.h5", test_folder(), output);
    memcpy(all, overrides, n * sizeof *all);
    all[n] = folder;
    steps_left = steps;
    control = (tr_control){0};
    tr_status status = test_quadrants_make(&made, all, n + 1, err);
    if (status == TR_OK && resumed != NULL)
        status = tr_run_resume(made.run, path, resumed, err);
    if (status == TR_OK)
        status = tr_run_fit(made.run, &listener, &control, err);
    test_quadrants_discard(&made);
    return status;
}

/* ---- comparing ---- */

static tr_snapshot *load(const char *const *overrides, size_t n, const char *output,
                         test_quadrants *made)
{
    tr_error err = {0};
    tr_snapshot *snapshot;
    char path[600];
    snprintf(path, sizeof path, "%s/%s/last.h5", test_folder(), output);
    const char *all[MOST];
    char folder[512];
    snprintf(folder, sizeof folder, "output.directory=%s/load_%s", test_folder(), output);
    memcpy(all, overrides, n * sizeof *all);
    all[n] = folder;
    cr_assert_eq(test_quadrants_make(made, all, n + 1, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_training_state_read(&snapshot, made->model, path, &err), TR_OK, "%s", err.text);
    return snapshot;
}

static void same_floats(const float *a, const float *b, int64_t n, const char *what)
{
    cr_assert_eq(a == NULL, b == NULL, "%s", what);
    cr_assert(a == NULL || memcmp(a, b, (size_t)n * sizeof *a) == 0, "%s: other bits", what);
}

static void same_history(const tr_snapshot *a, const tr_snapshot *b, const char *what)
{
    cr_assert_eq(a->n_epochs, b->n_epochs, "%s", what);
    for (int64_t i = 0; i < a->n_epochs; i++) {
        const tr_epoch *x = &a->epochs[i], *y = &b->epochs[i];
        cr_assert_eq(memcmp(&x->train, &y->train, sizeof x->train), 0, "%s", what);
        cr_assert_eq(memcmp(&x->validation, &y->validation, sizeof x->validation), 0, "%s", what);
        cr_assert_eq(x->learning_rate, y->learning_rate, "%s", what);
    }
}

static void same_ends(const char *const *overrides, size_t n, const char *one, const char *other,
                      const char *what)
{
    test_quadrants made[2];
    tr_snapshot *a = load(overrides, n, one, &made[0]), *b = load(overrides, n, other, &made[1]);
    same_floats(a->weights, b->weights, a->n_values, what);
    same_floats(a->training_weights, b->training_weights, a->n_values, what);
    for (int i = 0; i < a->n_slots; i++)
        same_floats(a->slots[i], b->slots[i], a->n_values, what);
    same_history(a, b, what);
    cr_assert_eq(a->progress.iterations, b->progress.iterations, "%s", what);
    cr_assert_eq(a->progress.best_epoch, b->progress.best_epoch, "%s", what);
    cr_assert_eq(a->progress.best_value, b->progress.best_value, "%s", what);
    tr_snapshot_free(a);
    tr_snapshot_free(b);
    test_quadrants_discard(&made[0]);
    test_quadrants_discard(&made[1]);
}

/* ---- exact ---- */

/* Lives of 1, 2, 3, ... steps at changing numbers of threads against one life. */
static void resumes_exactly(const char *const *overrides, size_t n, const char *what)
{
    tr_error err = {0};
    const char *all[MOST];
    char threads[32];
    cr_assert_eq(live(overrides, n, "whole", 0, NULL, &err), TR_OK, "%s: %s", what, err.text);
    memcpy(all, overrides, n * sizeof *all);
    all[n] = threads;
    tr_status status = TR_INTERRUPTED;
    int64_t made = 0;
    for (int life = 1; status == TR_INTERRUPTED; made += life++) {
        tr_resumed at = {0};
        snprintf(threads, sizeof threads, "engine.threads=%d", 1 + life % 2);
        status = live(all, n + 1, "pieces", life, life == 1 ? NULL : &at, &err);
        cr_assert_eq(at.iterations, life == 1 ? 0 : made, "%s", what);
    }
    cr_assert_eq(status, TR_OK, "%s: %s", what, err.text);
    same_ends(overrides, n, "whole", "pieces", what);
}

Test(save, every_optimizer_resumes_exactly)
{
    for (int i = 0; tr_optimizer_table[i] != NULL; i++) {
        char optimizer[64];
        snprintf(optimizer, sizeof optimizer, "compile.optimizer=%s", tr_optimizer_table[i]->name);
        const char *const overrides[] = {optimizer};
        resumes_exactly(overrides, 1, optimizer);
    }
}

Test(save, what_all_optimizers_share_resumes_exactly)
{
    static const char *const average[] = {"optimizer.use_ema=true",
                                          "optimizer.ema_overwrite_frequency=5"};
    resumes_exactly(average, 2, "moving average");
    static const char *const accumulated[] = {"optimizer.gradient_accumulation_steps=4"};
    resumes_exactly(accumulated, 1, "gradient accumulation");
    static const char *const scheduled[] = {
        "learning_rate.schedule=exponential_decay", "learning_rate.initial_learning_rate=0.01",
        "learning_rate.decay_steps=5", "learning_rate.decay_rate=0.8",
        "optimizer.global_clipnorm=0.5"};
    resumes_exactly(scheduled, 5, "schedule and clipping");
    static const char *const momentum[] = {"compile.optimizer=rmsprop", "optimizer.momentum=0.5",
                                           "optimizer.centered=true"};
    resumes_exactly(momentum, 3, "rmsprop with all its slots");
    static const char *const amsgrad[] = {"optimizer.amsgrad=true"};
    resumes_exactly(amsgrad, 1, "amsgrad");
}

/* A finished run goes on as if its last epoch had not been the last: also where use_ema has already
 * put the average in the place of the weights. */
Test(save, more_epochs_than_at_first)
{
    tr_error err = {0};
    tr_resumed at;
    static const char *const two[] = {"optimizer.use_ema=true", "fit.epochs=2"};
    static const char *const four[] = {"optimizer.use_ema=true", "fit.epochs=4"};
    cr_assert_eq(live(four, 2, "four", 0, NULL, &err), TR_OK);
    cr_assert_eq(live(two, 2, "two", 0, NULL, &err), TR_OK);
    cr_assert_eq(live(two, 2, "two", 0, &at, &err), TR_OK, "nothing is left, and that is fine");
    cr_assert_eq(at.epoch, 2);
    cr_assert_eq(live(four, 2, "two", 0, &at, &err), TR_OK, "%s", err.text);
    same_ends(four, 2, "four", "two", "two epochs and two more");
}

/* ---- refused ---- */

static void refused(const char *override, tr_status expected_status, const char *expected)
{
    tr_error err = {0};
    tr_resumed at;
    const char *const overrides[] = {override};
    cr_expect_eq(live(overrides, 1, "run", 0, &at, &err), expected_status, "%s: %s", override,
                 err.text);
    cr_expect_not_null(strstr(err.text, expected), "expected \"%s\" in: %s", expected, err.text);
}

static tr_status copy_changed(const void *user, hid_t file, tr_error *err)
{
    enum { SIDE = TEST_QUADRANTS_SIDE, N = TEST_QUADRANTS_TRAIN };
    static uint8_t x[N * SIDE * SIDE], y[N];
    const int64_t dims[3] = {N, SIDE, SIDE};
    (void)user;
    const hid_t old = H5Fopen(test_quadrants_data(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t images = H5Dopen2(old, "x_train", H5P_DEFAULT);
    const hid_t labels = H5Dopen2(old, "y_train", H5P_DEFAULT);
    H5Dread(images, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    H5Dread(labels, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, y);
    H5Dclose(images);
    H5Dclose(labels);
    H5Fclose(old);
    y[17] = (uint8_t)((y[17] + 1) % 4);
    TR_TRY(tr_h5_write_dataset(file, "x_train", 3, dims, H5T_STD_U8LE, H5T_NATIVE_UINT8, x, err));
    return tr_h5_write_dataset(file, "y_train", 1, dims, H5T_STD_U8LE, H5T_NATIVE_UINT8, y, err);
}

Test(save, refuses_another_job)
{
    tr_error err = {0};
    char path[512], override[600];
    cr_assert_eq(live(NULL, 0, "run", 9, NULL, &err), TR_INTERRUPTED, "%s", err.text);
    refused("engine.micro_batch=4", TR_ERR_CONFIG, "another [engine] micro_batch");
    refused("layer.c.filters=9", TR_ERR_CONFIG, "another [layer.c] filters");
    refused("data.split_seed=5", TR_ERR_CONFIG, "another [data] split_seed");
    snprintf(path, sizeof path, "%s/changed.h5", test_folder());
    cr_assert_eq(tr_h5_write_file(path, copy_changed, NULL, &err), TR_OK, "%s", err.text);
    snprintf(override, sizeof override, "data.file=%s", path);
    refused(override, TR_ERR_DATA, "cannot be resumed with other data");
    refused("fit.epochs=30", TR_OK, ""); /* none of them has touched the file */
}

Test(save, says_what_a_file_of_keras_lacks)
{
    tr_error err = {0};
    test_quadrants made;
    tr_resumed resumed;
    char folder[512];
    snprintf(folder, sizeof folder, "output.directory=%s/run", test_folder());
    cr_assert_eq(test_quadrants_make(&made, (const char *const[]){folder}, 1, &err), TR_OK);
    cr_expect_eq(tr_run_resume(made.run, TR_GOLDEN "/keras_written.h5", &resumed, &err),
                 TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "has no training state"), "%s", err.text);
    cr_expect_not_null(strstr(err.text, "fit.initial_weights"), "%s", err.text);
    test_quadrants_discard(&made);
}
