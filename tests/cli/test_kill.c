/* test_kill.c -- contract: a run that is killed at any moment, and resumed at any number of
 * threads, ends with the bits of the run that nobody disturbed.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "crash_run.h"
#include "net.h"
#include "often.h"
#include "rng.h"

static const char *folder(const char *name)
{
    static char paths[4][512]; /* the last four are valid */
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", test_folder(), name);
    return path;
}

/* Of a run of few steps. */
static test_result undisturbed(const char *config)
{
    const char *output = folder("undisturbed");
    cr_assert_eq(test_crash_run(config, output, 2, NULL, -1.0), 0, "%s", test_crash_output());
    return test_crash_result(config, output, 3);
}

/* ---- at random moments ---- */

/* At one thread, which a busy machine disturbs least. */
static double seconds_of(const char *config, const char *output)
{
    const double begin = tr_clock_s();
    cr_assert_eq(test_crash_run(config, output, 1, NULL, -1.0), 0, "%s", test_crash_output());
    return tr_clock_s() - begin;
}

/* Lives long enough to start, and then to train for up to a fiftieth of the whole: they end while
 * the program starts, trains, or writes, and together they get somewhere. What is left then is made
 * in peace. */
Test(kill, at_200_random_moments, .timeout = 280)
{
    enum { STEPS = 6000, EVERY = 100 };
    const double start = seconds_of(test_crash_config(2, EVERY), folder("short"));
    const char *config = test_crash_config(STEPS, EVERY), *output = folder("killed");
    const double whole = seconds_of(config, folder("undisturbed"));
    const test_result expected = test_crash_result(config, folder("undisturbed"), 3);
    const int kills = test_often(200);
    int killed = 0;
    for (int i = 0; killed < kills; i++) {
        const double u = tr_random_uniform(11, TR_PURPOSE_SHUFFLE, 0, (uint64_t)i);
        const int threads = 1 + (int)tr_random_below(4, 11, TR_PURPOSE_SHUFFLE, 1, (uint64_t)i);
        const int code = test_crash_run(config, output, threads, NULL, u * (start + whole / 50));
        cr_assert(code == 0 || code == 128 + SIGKILL, "life %d ends with %d: %s", i, code,
                  test_crash_output());
        killed += code != 0;
        cr_assert_lt(i, 3 * kills, "killed %d times only", killed);
    }
    seconds_of(config, output);
    cr_assert(strstr(test_crash_output(), "resuming ") != NULL ||
                  strstr(test_crash_output(), ": finished, all ") != NULL,
              "no life reached a checkpoint");
    const test_result found = test_crash_result(config, output, 3);
    test_same_result(&found, &expected, "killed at random moments");
}

/* ---- at every operation on a file ---- */

static int n_operations(const char *config, const char *output)
{
    char environment[1024], path[512];
    int n = 0;
    snprintf(path, sizeof path, "%s/count", test_folder());
    snprintf(environment, sizeof environment,
             "LD_PRELOAD=%s ASAN_OPTIONS=verify_asan_link_order=0 FAULT_FOLDER=%s FAULT_COUNT=%s",
             TR_FAULT, output, path);
    cr_assert_eq(test_crash_run(config, output, 2, environment, -1.0), 0, "%s",
                 test_crash_output());
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%d", &n), 1);
    fclose(file);
    return n;
}

static int run_with_fault(const char *config, const char *output, int at, const char *what)
{
    char environment[1024];
    snprintf(environment, sizeof environment,
             "LD_PRELOAD=%s ASAN_OPTIONS=verify_asan_link_order=0 FAULT_FOLDER=%s FAULT_AT=%d "
             "FAULT_DO=%s",
             TR_FAULT, output, at, what);
    return test_crash_run(config, output, 1 + at % 3, environment, -1.0);
}

static void resume_in_peace(const char *config, const char *output, const test_result *expected,
                            const char *what, int at)
{
    char text[64];
    snprintf(text, sizeof text, "%s at operation %d", what, at);
    cr_assert_eq(test_crash_run(config, output, 2, NULL, -1.0), 0, "%s: %s", text,
                 test_crash_output());
    const test_result found = test_crash_result(config, output, 3);
    test_same_result(&found, expected, text);
}

/* Each open, write, fsync and rename in its turn. */
static void at_every_operation(const char *what, int code, int stride)
{
    const char *config = test_crash_config(6, 4);
    const test_result expected = undisturbed(config);
    const int n = n_operations(config, folder("counted"));
    cr_assert_gt(n, 60);
    for (int at = 1; at <= n; at += stride * test_stride()) {
        char name[64];
        snprintf(name, sizeof name, "fault_%s_%d", what, at);
        const char *output = folder(name);
        const int found = run_with_fault(config, output, at, what);
        cr_assert_eq(found, code, "%s at operation %d of %d ends with %d: %s", what, at, n, found,
                     test_crash_output());
        resume_in_peace(config, output, &expected, what, at);
    }
}

Test(kill, at_every_operation_on_a_file, .timeout = 280)
{
    at_every_operation("kill", 137, 1);
}

Test(kill, in_the_middle_of_every_write, .timeout = 280)
{
    at_every_operation("half", 137, 3);
}

/* ENOSPC from then on: code 5, and once there is room again the run goes on. */
Test(kill, full_disk_at_every_operation, .timeout = 280)
{
    at_every_operation("28", 5, 2);
}
