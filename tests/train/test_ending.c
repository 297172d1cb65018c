/* test_ending.c -- when a run is over, with which weights, and how it can go on all the same.
 *
 * After its first epoch the run of quadrants.h never gets better by as much as min_delta = 0.6.
 */
#include <criterion/criterion.h>
#include <hdf5.h>
#include <stdio.h>
#include <string.h>

#include "checkpoint_read.h"
#include "mem.h"
#include "net.h"
#include "quadrants.h"
#include "run_internal.h"

#define STOPS "early_stopping.patience=2", "early_stopping.min_delta=0.6"
#define RESTORES STOPS, "early_stopping.restore_best_weights=true"

static void live(const char *const *overrides, size_t n, const char *output, tr_resumed *resumed)
{
    tr_error err = {0};
    cr_assert_eq(test_quadrants_live(overrides, n, output, 0, resumed, &err), TR_OK, "%s",
                 err.text);
}

/* The weights of a file of a run. */
static float *weights_of(const char *output, const char *file, size_t *bytes)
{
    tr_error err = {0};
    test_quadrants made;
    tr_snapshot *snapshot = NULL;
    char *path = tr_format("%s/%s/%s", test_folder(), output, file);
    cr_assert_eq(test_quadrants_make(&made, NULL, 0, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_checkpoint_read(&snapshot, made.model, path, TR_READ_WEIGHTS, &err), TR_OK,
                 "%s", err.text);
    float *weights = snapshot->weights;
    snapshot->weights = NULL;
    *bytes = (size_t)snapshot->n_values * sizeof(float);
    tr_snapshot_free(snapshot);
    test_quadrants_discard(&made);
    tr_free(path);
    return weights;
}

static bool same_weights(const char *a_output, const char *a, const char *b_output, const char *b)
{
    size_t n, m;
    float *x = weights_of(a_output, a, &n), *y = weights_of(b_output, b, &m);
    const bool same = n == m && memcmp(x, y, n) == 0;
    tr_free(x);
    tr_free(y);
    return same;
}

Test(ending, early_stopping_ends_the_training)
{
    static const char *const stops[] = {STOPS, "fit.epochs=9", "checkpoint.keep=9"};
    test_quadrants made;
    live(stops, 4, "stops", NULL);
    tr_snapshot *last = test_quadrants_load(stops, 4, "stops", &made);
    cr_expect_eq(last->progress.epoch, 3, "best 1, then two that are no better");
    cr_expect_null(last->training_weights);
    tr_snapshot_free(last);
    test_quadrants_discard(&made);
    cr_expect(same_weights("stops", "last.h5", "stops", "epoch_0003.h5"));
}

Test(ending, restore_best_weights_goes_back)
{
    static const char *const restores[] = {RESTORES, "fit.epochs=9", "checkpoint.keep=9"};
    live(restores, 5, "restores", NULL);
    cr_expect(same_weights("restores", "last.h5", "restores", "epoch_0001.h5"));
    cr_expect_not(same_weights("restores", "last.h5", "restores", "epoch_0003.h5"));

    /* Resumed, it is over: nothing changes. */
    tr_resumed at;
    live(restores, 5, "restores", &at);
    cr_expect_eq(at.epoch, 3);
    cr_expect(same_weights("restores", "last.h5", "restores", "epoch_0001.h5"));

    /* With more patience it goes on from the weights of epoch 3, and not from the best ones. */
    live((const char *[]){"fit.epochs=5"}, 1, "plain", NULL);
    static const char *const longer[] = {"early_stopping.min_delta=0.6", "fit.epochs=5",
                                         "early_stopping.patience=9"};
    live(longer, 3, "restores", &at);
    cr_expect_eq(at.epoch, 3);
    cr_expect(same_weights("restores", "last.h5", "plain", "last.h5"));
}

static void ends(const char *const *overrides, size_t n, tr_end why, int64_t restored,
                 const char *text, const char *output)
{
    tr_error err = {0};
    tr_resumed at;
    test_quadrants made;
    cr_assert_eq(test_quadrants_make(&made, overrides, n, &err), TR_OK, "%s", err.text);
    char *path = tr_format("%s/%s/last.h5", test_folder(), output);
    cr_assert_eq(tr_run_resume(made.run, path, &at, &err), TR_OK, "%s", err.text);
    const tr_ending ending = tr_run_ending(made.run);
    cr_expect_eq(ending.why, why, "%s", ending.text);
    cr_expect_eq(ending.restored_epoch, restored);
    cr_expect_not_null(strstr(ending.text, text), "%s", ending.text);
    tr_free(path);
    test_quadrants_discard(&made);
}

Test(ending, says_why)
{
    static const char *const restores[] = {RESTORES, "fit.epochs=9"};
    static const char *const all[] = {"fit.epochs=2", "early_stopping.patience=9",
                                      "early_stopping.restore_best_weights=true"};
    live(restores, 4, "says", NULL);
    ends(restores, 4, TR_END_EARLY, 1,
         "early stopping ended it after epoch 3 of 9: the best val_loss is 1.", "says");
    ends((const char *[]){"fit.epochs=3"}, 1, TR_END_EPOCHS, 0, "all 3 epochs are done", "says");
    ends((const char *[]){"fit.epochs=9"}, 1, TR_END_NONE, 0, "", "says");
    live(all, 3, "all", NULL);
    ends(all, 3, TR_END_EPOCHS, 2, "all 2 epochs are done", "all");
}

/* What an older one kept are the weights of another epoch, or none. */
Test(ending, refuses_to_restore_weights_that_were_not_kept)
{
    tr_error err = {0};
    tr_resumed at;
    live((const char *[]){"fit.epochs=2"}, 1, "bare", NULL);
    static const char *const restores[] = {"fit.epochs=3", "early_stopping.patience=9",
                                           "early_stopping.restore_best_weights=true"};
    cr_expect_eq(test_quadrants_live(restores, 3, "bare", 0, &at, &err), TR_ERR_CONFIG);
    cr_expect_not_null(
        strstr(err.text, "go back to epoch 2, and the weights of no epoch were kept"), "%s",
        err.text);
    live(restores, 3, "kept", NULL);
    static const char *const others[] = {"fit.epochs=4", "early_stopping.patience=9",
                                         "early_stopping.restore_best_weights=true",
                                         "early_stopping.min_delta=0.6"};
    cr_expect_eq(test_quadrants_live(others, 4, "kept", 0, &at, &err), TR_ERR_CONFIG);
    cr_expect_not_null(strstr(err.text, "go back to epoch 1, and the weights of another one"), "%s",
                       err.text);
}

/* The limit is so small that one step passes it. */
Test(ending, time_ends_the_training_within_an_epoch)
{
    static const char *const limited[] = {"fit.max_seconds=0.000000001"};
    tr_resumed at;
    test_quadrants made;
    live(limited, 1, "limited", NULL);
    tr_snapshot *last = test_quadrants_load(limited, 1, "limited", &made);
    cr_expect_eq(last->progress.iterations, 1);
    tr_snapshot_free(last);
    test_quadrants_discard(&made);
    ends(limited, 1, TR_END_TIME, 0, "[fit] max_seconds = 1e-09 ended it after 0 of 3 epochs and 1",
         "limited");
    live(limited, 1, "limited", &at); /* resumed, the time is still up */
    cr_expect_eq(at.iterations, 1);
    live(NULL, 0, "limited", &at);
    live(NULL, 0, "unlimited", NULL);
    cr_expect(same_weights("limited", "last.h5", "unlimited", "last.h5"));
}

/* What was stopped behind the last step of an epoch finishes it, however late it is. */
Test(ending, time_does_not_take_the_end_of_an_epoch)
{
    static const char *const limited[] = {"fit.max_seconds=0.000000001", "fit.epochs=1"};
    test_quadrants made;
    tr_error err = {0};
    cr_assert_eq(test_quadrants_make(&made, limited, 2, &err), TR_OK, "%s", err.text);
    made.run->progress.seconds = 1.0;
    made.run->progress.step = tr_run_describe(made.run).steps;
    cr_expect_not(tr_run_time_is_up(made.run));
    cr_expect_not(tr_run_is_over(made.run));
    made.run->progress.step--;
    cr_expect(tr_run_time_is_up(made.run));
    cr_expect(tr_run_is_over(made.run));
    made.run->progress = (tr_progress){0};
    test_quadrants_discard(&made);
}

/* ---- the learning rate ---- */

static float rate_in(const char *output)
{
    float rate = 0.0f;
    char *path = tr_format("%s/%s/last.h5", test_folder(), output);
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT),
                set = H5Dopen2(file, "trainer/optimizer_weights/adam/learning_rate", H5P_DEFAULT);
    H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, &rate);
    H5Dclose(set);
    H5Fclose(file);
    tr_free(path);
    return rate;
}

/* The history has the rate that an epoch ended with, the file that of the next step, as Keras's
 * does. */
Test(ending, a_reduced_rate_is_that_of_the_next_step)
{
    static const char *const reduces[] = {
        "reduce_lr_on_plateau.patience=1", "reduce_lr_on_plateau.min_delta=0.6",
        "reduce_lr_on_plateau.factor=0.5", "reduce_lr_on_plateau.min_lr=0.0002",
        "optimizer.learning_rate=0.001",   "fit.epochs=6"};
    static const float rates[] = {1e-3f, 1e-3f, 5e-4f, 2.5e-4f, 2e-4f, 2e-4f};
    test_quadrants made;
    live(reduces, 6, "reduces", NULL);
    tr_snapshot *last = test_quadrants_load(reduces, 6, "reduces", &made);
    for (int i = 0; i < 6; i++)
        cr_expect_eq((float)last->epochs[i].learning_rate, rates[i], "epoch %d: %g", i + 1,
                     last->epochs[i].learning_rate);
    cr_expect_eq(rate_in("reduces"), 2e-4f);
    cr_expect_eq((float)tr_model_optimizers(made.model)->items[0]->learning_rate, 2e-4f,
                 "what is exported, too");
    char *path = tr_format("%s/reduces/last.h5", test_folder());
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    char *compiled = test_golden_text(file, "training_config");
    cr_expect_not_null(strstr(compiled, "\"learning_rate\":0.00019999999494757"), "%s", compiled);
    H5Fclose(file);
    tr_free(compiled);
    tr_free(path);
    tr_snapshot_free(last);
    test_quadrants_discard(&made);
}
