/* test_saves.c -- when a run saves, and which files. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "h5_attributes.h"
#include "mem.h"
#include "net.h"
#include "quadrants.h"

static int64_t saved_iterations;

/* In the fifth step, once what was handed over has had time to reach the disk. */
static void look_in_step_5(void *user, const tr_step_event *event)
{
    if (event->step != 5 || event->epoch != 1)
        return;
    usleep(300000);
    saved_iterations = 0;
    char *path = test_quadrants_path("last.h5");
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
    char *path = test_quadrants_path("last.h5");
    unlink(path);
    tr_free(path);
    cr_assert_eq(test_quadrants_make(&made, overrides, 2, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_run_fit(made.run, &listener, &own, &err), TR_INTERRUPTED, "%s", err.text);
    test_quadrants_discard(&made);
    return saved_iterations;
}

Test(saves, within_an_epoch_by_steps_and_by_time)
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
Test(saves, best_is_of_the_best_epoch)
{
    tr_error err = {0};
    static const char *const still[] = {"optimizer.learning_rate=0", "checkpoint.keep=3"};
    cr_assert_eq(test_quadrants_live(still, 2, "run", 0, NULL, &err), TR_OK, "%s", err.text);
    expect_same_file("best.h5", "epoch_0001.h5");
    expect_same_file("last.h5", "epoch_0003.h5");
    static const char *const learns[] = {"checkpoint.monitor=loss", "checkpoint.keep=3"};
    cr_assert_eq(test_quadrants_live(learns, 2, "run", 0, NULL, &err), TR_OK, "%s", err.text);
    expect_same_file("best.h5", "epoch_0003.h5");
}

/* Where a kill came between the last.h5 that took an earlier run's place and its best.h5, they are
 * one file; the best of an earlier epoch is lost when somebody removes it. */
Test(saves, best_comes_back_or_is_missed)
{
    tr_error err = {0};
    tr_resumed at = {0};
    static const char *const more[] = {"checkpoint.monitor=loss", "fit.epochs=3"};
    static const char *const still[] = {"optimizer.learning_rate=0"};
    char *path = test_quadrants_path("best.h5");
    cr_assert_eq(test_quadrants_live(more, 1, "run", 0, NULL, &err), TR_OK, "%s", err.text);
    cr_assert_eq(test_quadrants_live(more, 1, "run", 0, &at, &err), TR_OK, "%s", err.text);
    cr_expect(at.best_epoch == 3 && at.best_is_there);
    unlink(path);
    cr_assert_eq(test_quadrants_live(more, 1, "run", 0, &at, &err), TR_OK, "%s", err.text);
    cr_expect(at.best_epoch == 3 && at.best_is_there);
    expect_same_file("best.h5", "last.h5");
    cr_assert_eq(test_quadrants_live(still, 1, "run", 0, NULL, &err), TR_OK, "%s", err.text);
    unlink(path);
    cr_assert_eq(test_quadrants_live(still, 1, "run", 0, &at, &err), TR_OK, "%s", err.text);
    cr_expect(at.best_epoch == 1 && !at.best_is_there);
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
Test(saves, a_failure_ends_the_run_soon)
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
