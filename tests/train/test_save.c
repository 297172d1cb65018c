/* test_save.c -- a run that is stopped anywhere and resumed ends with the same bits: weights, state
 * of the optimizer, history; and what cannot be resumed is refused.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "checkpoint_write.h"
#include "h5_attributes.h"
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
    for (size_t i = 0; i < n; i++)
        all[i] = overrides[i];
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
    for (size_t i = 0; i < n; i++)
        all[i] = overrides[i];
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
    for (size_t i = 0; i < n; i++)
        all[i] = overrides[i];
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

static const char *changed_data(void)
{
    static char path[512];
    tr_error err = {0};
    snprintf(path, sizeof path, "%s/changed.h5", test_folder());
    cr_assert_eq(tr_h5_write_file(path, copy_changed, NULL, &err), TR_OK, "%s", err.text);
    return path;
}

Test(save, refuses_another_job)
{
    tr_error err = {0};
    char override[600];
    cr_assert_eq(live(NULL, 0, "run", 9, NULL, &err), TR_INTERRUPTED, "%s", err.text);
    refused("engine.micro_batch=4", TR_ERR_CONFIG, "another [engine] micro_batch");
    refused("layer.c.filters=9", TR_ERR_CONFIG, "another [layer.c] filters");
    refused("data.split_seed=5", TR_ERR_CONFIG, "another [data] split_seed");
    refused("fit.epochs=1", TR_ERR_CONFIG, "has 1 epochs and 2 steps behind it, more than [fit]");
    snprintf(override, sizeof override, "data.file=%s", changed_data());
    refused(override, TR_ERR_DATA, "cannot be resumed with other data");
    refused("fit.epochs=30", TR_OK, ""); /* none of them has touched the file */
}

/* Targets that are values, and validation images of a file of their own. */
Test(save, refuses_other_values_and_other_validation_images)
{
    tr_error err = {0};
    tr_resumed at;
    char file[600], validation[600];
    snprintf(file, sizeof file, "data.file=%s", changed_data());
    static const char *values[] = {"compile.loss=mean_squared_error", "compile.metrics=mse",
                                   "layer.d.units=1", "layer.d.activation=linear", NULL};
    cr_assert_eq(live(values, 4, "values", 9, NULL, &err), TR_INTERRUPTED, "%s", err.text);
    values[4] = file;
    cr_assert_eq(live(values, 5, "values", 0, &at, &err), TR_ERR_DATA);
    cr_assert_not_null(strstr(err.text, "cannot be resumed with other data"), "%s", err.text);

    snprintf(validation, sizeof validation, "data.validation_file=%s", test_quadrants_data());
    const char *own[] = {"data.validation_split=0", validation, "data.x_validation=x_test",
                         "data.y_validation=y_test"};
    cr_assert_eq(live(own, 4, "own", 9, NULL, &err), TR_INTERRUPTED, "%s", err.text);
    own[2] = "data.x_validation=x_train";
    own[3] = "data.y_validation=y_train";
    cr_assert_eq(live(own, 4, "own", 0, &at, &err), TR_ERR_DATA);
    cr_assert_not_null(strstr(err.text, "cannot be resumed with other data"), "%s", err.text);
}

/* ---- a checkpoint that says something else ---- */

static char *run_path(const char *name)
{
    return tr_format("%s/run/%s", test_folder(), name);
}

/* last.h5 of run/, changed by `change` and written anew, is resumed. */
static tr_status resume_changed(void (*change)(tr_snapshot *snapshot), tr_resumed *at,
                                tr_error *err)
{
    test_quadrants made;
    char *path = run_path("last.h5");
    cr_assert_eq(live(NULL, 0, "run", 9, NULL, err), TR_INTERRUPTED, "%s", err->text);
    tr_snapshot *snapshot = load(NULL, 0, "run", &made);
    change(snapshot);
    cr_assert_eq(tr_checkpoint_write(snapshot, path, err), TR_OK, "%s", err->text);
    tr_snapshot_free(snapshot);
    test_quadrants_discard(&made);
    tr_free(path);
    return live(NULL, 0, "run", 0, at, err);
}

static void other_machine(tr_snapshot *snapshot)
{
    snprintf(snapshot->identity.machine, sizeof snapshot->identity.machine, "another one");
}

static void other_split(tr_snapshot *snapshot)
{
    snapshot->identity.split_digest[0] ^= 1;
}

static void other_iterations(tr_snapshot *snapshot)
{
    snapshot->progress.iterations++;
}

Test(save, checks_what_the_checkpoint_says)
{
    tr_error err = {0};
    tr_resumed at = {0};
    cr_expect_eq(resume_changed(other_machine, &at, &err), TR_OK, "%s", err.text);
    cr_expect_str_eq(at.other_machine, "another one");
    cr_expect_eq(resume_changed(other_split, &at, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "its split"), "%s", err.text);
    cr_expect_eq(resume_changed(other_iterations, &at, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "do not go together"), "%s", err.text);
}

/* The state of one step with the weights of another, each whole in itself. */
Test(save, weights_and_state_belong_together)
{
    tr_error err = {0};
    tr_resumed at;
    cr_assert_eq(live(NULL, 0, "other", 8, NULL, &err), TR_INTERRUPTED, "%s", err.text);
    cr_assert_eq(live(NULL, 0, "run", 9, NULL, &err), TR_INTERRUPTED, "%s", err.text);
    char *path = run_path("last.h5"), *other = tr_format("%s/other/last.h5", test_folder());
    const hid_t to = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t from = H5Fopen(other, H5F_ACC_RDONLY, H5P_DEFAULT);
    H5Ldelete(to, "model_weights", H5P_DEFAULT);
    H5Ocopy(from, "model_weights", to, "model_weights", H5P_DEFAULT, H5P_DEFAULT);
    H5Adelete_by_name(to, "trainer", "weights_digest", H5P_DEFAULT);
    H5Fclose(from);
    H5Fclose(to);
    cr_assert_eq(live(NULL, 0, "run", 0, &at, &err), TR_ERR_DATA);
    cr_assert_not_null(strstr(err.text, "not what was written with its weights"), "%s", err.text);
    tr_free(path);
    tr_free(other);
}

/* ---- when and what is saved ---- */

static int64_t saved_iterations;

/* In the fifth step, once what was handed over has had time to reach the disk. */
static void look_in_step_5(void *user, const tr_step_event *event)
{
    if (event->step != 5 || event->epoch != 1)
        return;
    usleep(300000);
    saved_iterations = 0;
    char *path = run_path("last.h5");
    tr_h5_quiet();
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t group = file < 0 ? H5I_INVALID_HID : H5Gopen2(file, "trainer", H5P_DEFAULT);
    if (group >= 0)
        tr_h5_read_int(group, "iterations", &saved_iterations);
    tr_h5_close(group);
    tr_h5_close(file);
    tr_free(path);
    ((tr_control *)user)->stop = SIGINT;
}

static int64_t saved_before_step_5(const char *override)
{
    tr_error err = {0};
    test_quadrants made;
    char folder[512];
    snprintf(folder, sizeof folder, "output.directory=%s/run", test_folder());
    const char *const overrides[] = {folder, override};
    tr_control own = {0};
    const tr_listener listener = {.user = &own, .on_step = look_in_step_5};
    char *path = run_path("last.h5");
    unlink(path);
    tr_free(path);
    cr_assert_eq(test_quadrants_make(&made, overrides, 2, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_run_fit(made.run, &listener, &own, &err), TR_INTERRUPTED, "%s", err.text);
    test_quadrants_discard(&made);
    return saved_iterations;
}

Test(save, within_an_epoch_by_steps_and_by_time)
{
    cr_expect_eq(saved_before_step_5("checkpoint.every_steps=0"), 0);
    cr_expect_eq(saved_before_step_5("checkpoint.every_steps=3"), 3);
    cr_expect_eq(saved_before_step_5("checkpoint.every_seconds=0.000001"), 4);
}

static void expect_same_file(const char *a, const char *b)
{
    char command[1200];
    snprintf(command, sizeof command, "cmp %s/run/%s %s/run/%s", test_folder(), a, test_folder(),
             b);
    cr_expect_eq(system(command), 0, "%s is not %s", a, b);
}

/* Without a learning rate all epochs are equal, and the first of equals is the best. */
Test(save, best_is_of_the_best_epoch)
{
    tr_error err = {0};
    static const char *const still[] = {"optimizer.learning_rate=0", "checkpoint.keep=3"};
    cr_assert_eq(live(still, 2, "run", 0, NULL, &err), TR_OK, "%s", err.text);
    expect_same_file("best.h5", "epoch_0001.h5");
    expect_same_file("last.h5", "epoch_0003.h5");
    static const char *const learns[] = {"checkpoint.monitor=loss", "checkpoint.keep=3"};
    cr_assert_eq(live(learns, 2, "run", 0, NULL, &err), TR_OK, "%s", err.text);
    expect_same_file("best.h5", "epoch_0003.h5");
}

Test(save, says_when_best_is_not_there)
{
    tr_error err = {0};
    tr_resumed at = {0};
    static const char *const more[] = {"fit.epochs=4"};
    char *path = run_path("best.h5");
    cr_assert_eq(live(NULL, 0, "run", 0, NULL, &err), TR_OK, "%s", err.text);
    cr_assert_eq(live(NULL, 0, "run", 0, &at, &err), TR_OK, "%s", err.text);
    cr_expect(at.best_epoch > 0 && at.best_is_there);
    unlink(path);
    cr_assert_eq(live(more, 1, "run", 0, &at, &err), TR_OK, "%s", err.text);
    cr_expect(at.best_epoch > 0 && !at.best_is_there);
    tr_free(path);
}

static int steps_made;

static void slowly(void *user, const tr_step_event *event)
{
    (void)user, (void)event;
    steps_made++;
    usleep(20000);
}

/* Not at the next save, an epoch later. */
Test(save, a_failure_ends_the_run_soon)
{
    tr_error err = {0};
    test_quadrants made;
    const tr_listener listener = {.on_step = slowly};
    tr_control own = {0};
    cr_assert_eq(test_quadrants_make(&made, NULL, 0, &err), TR_OK, "%s", err.text);
    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit small = {8192, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &small);
    cr_expect_eq(tr_run_fit(made.run, &listener, &own, &err), TR_ERR_IO, "%s", err.text);
    cr_expect(steps_made >= 7 && steps_made < 14, "%d steps", steps_made);
    test_quadrants_discard(&made);
}
