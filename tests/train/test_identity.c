/* test_identity.c -- what cannot be resumed is refused, by what differs. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "checkpoint_write.h"
#include "h5_write.h"
#include "mem.h"
#include "net.h"
#include "quadrants.h"

static void refused(const char *override, tr_status expected_status, const char *expected)
{
    tr_error err = {0};
    tr_resumed at;
    const char *const overrides[] = {override};
    cr_expect_eq(test_quadrants_live(overrides, 1, "run", 0, &at, &err), expected_status, "%s: %s",
                 override, err.text);
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

Test(identity, refuses_another_job)
{
    tr_error err = {0};
    char override[600];
    cr_assert_eq(test_quadrants_live(NULL, 0, "run", 9, NULL, &err), TR_INTERRUPTED, "%s",
                 err.text);
    refused("engine.micro_batch=4", TR_ERR_CONFIG, "another [engine] micro_batch");
    refused("layer.c.filters=9", TR_ERR_CONFIG, "another [layer.c] filters");
    refused("data.split_seed=5", TR_ERR_CONFIG, "another [data] split_seed");
    refused("fit.epochs=1", TR_ERR_CONFIG, "has 1 epochs and 2 steps behind it, more than [fit]");
    snprintf(override, sizeof override, "data.file=%s", changed_data());
    refused(override, TR_ERR_DATA, "cannot be resumed with other data");
    refused("fit.epochs=30", TR_OK, ""); /* none of them has touched the file */
}

/* Targets that are values, and validation images of a file of their own. */
Test(identity, refuses_other_values_and_other_validation_images)
{
    tr_error err = {0};
    tr_resumed at;
    char file[600], validation[600];
    snprintf(file, sizeof file, "data.file=%s", changed_data());
    static const char *values[] = {"compile.loss=mean_squared_error", "compile.metrics=mse",
                                   "layer.d.units=1", "layer.d.activation=linear", NULL};
    cr_assert_eq(test_quadrants_live(values, 4, "values", 9, NULL, &err), TR_INTERRUPTED, "%s",
                 err.text);
    values[4] = file;
    cr_assert_eq(test_quadrants_live(values, 5, "values", 0, &at, &err), TR_ERR_DATA);
    cr_assert_not_null(strstr(err.text, "cannot be resumed with other data"), "%s", err.text);

    snprintf(validation, sizeof validation, "data.validation_file=%s", test_quadrants_data());
    const char *own[] = {"data.validation_split=0", validation, "data.x_validation=x_test",
                         "data.y_validation=y_test"};
    cr_assert_eq(test_quadrants_live(own, 4, "own", 9, NULL, &err), TR_INTERRUPTED, "%s", err.text);
    own[2] = "data.x_validation=x_train";
    own[3] = "data.y_validation=y_train";
    cr_assert_eq(test_quadrants_live(own, 4, "own", 0, &at, &err), TR_ERR_DATA);
    cr_assert_not_null(strstr(err.text, "cannot be resumed with other data"), "%s", err.text);
}

/* ---- a checkpoint that says something else ---- */

/* last.h5 of run/, changed by `change` and written anew, is resumed. */
static tr_status resume_changed(void (*change)(tr_snapshot *snapshot), tr_resumed *at,
                                tr_error *err)
{
    test_quadrants made;
    char *path = test_quadrants_path("last.h5");
    cr_assert_eq(test_quadrants_live(NULL, 0, "run", 9, NULL, err), TR_INTERRUPTED, "%s",
                 err->text);
    tr_snapshot *snapshot = test_quadrants_load(NULL, 0, "run", &made);
    change(snapshot);
    cr_assert_eq(tr_checkpoint_write(snapshot, path, err), TR_OK, "%s", err->text);
    tr_snapshot_free(snapshot);
    test_quadrants_discard(&made);
    tr_free(path);
    return test_quadrants_live(NULL, 0, "run", 0, at, err);
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

Test(identity, checks_what_the_checkpoint_says)
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
Test(identity, weights_and_state_belong_together)
{
    tr_error err = {0};
    tr_resumed at;
    cr_assert_eq(test_quadrants_live(NULL, 0, "other", 8, NULL, &err), TR_INTERRUPTED, "%s",
                 err.text);
    cr_assert_eq(test_quadrants_live(NULL, 0, "run", 9, NULL, &err), TR_INTERRUPTED, "%s",
                 err.text);
    char *path = test_quadrants_path("last.h5"),
         *other = tr_format("%s/other/last.h5", test_folder());
    const hid_t to = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t from = H5Fopen(other, H5F_ACC_RDONLY, H5P_DEFAULT);
    H5Ldelete(to, "model_weights", H5P_DEFAULT);
    H5Ocopy(from, "model_weights", to, "model_weights", H5P_DEFAULT, H5P_DEFAULT);
    H5Adelete_by_name(to, "trainer", "weights_digest", H5P_DEFAULT);
    H5Fclose(from);
    H5Fclose(to);
    cr_assert_eq(test_quadrants_live(NULL, 0, "run", 0, &at, &err), TR_ERR_DATA);
    cr_assert_not_null(strstr(err.text, "not what was written with its weights"), "%s", err.text);
    tr_free(path);
    tr_free(other);
}

Test(identity, says_what_a_file_of_keras_lacks)
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
    cr_expect_not_null(strstr(err.text, "[fit] initial_weights = "), "%s", err.text);
    test_quadrants_discard(&made);
}
