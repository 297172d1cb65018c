/* test_kill.c -- contract: a run that is killed at any moment, and resumed at any number of
 * threads, ends with the bits of the run that nobody disturbed.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "crash_run.h"
#include "net.h"
#include "rng.h"

static const char *folder(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", test_folder(), name);
    return path;
}

static test_result undisturbed(const char *config)
{
    const char *output = folder("undisturbed");
    cr_assert_eq(test_crash_run(config, output, 2, NULL, -1.0), 0, "%s", test_crash_output());
    return test_crash_result(config, output, 3);
}

/* ---- at random moments ---- */

/* The run has more steps than 200 lives of a random length can make, most of them cut off while it
 * starts or while it trains; what is left then is made in peace. */
Test(kill, at_200_random_moments, .timeout = 280)
{
    enum { KILLS = 200 };
    const char *config = test_crash_config(600, 7), *output = folder("killed");
    const double begin = tr_clock_s();
    const test_result expected = undisturbed(config);
    const double whole = tr_clock_s() - begin;
    int finished = 0, killed = 0;
    for (int i = 0; killed < KILLS; i++) {
        const double u = tr_random_uniform(11, TR_PURPOSE_SHUFFLE, 0, (uint64_t)i);
        const int threads = 1 + (int)tr_random_below(4, 11, TR_PURPOSE_SHUFFLE, 1, (uint64_t)i);
        const int code = test_crash_run(config, output, threads, NULL, u * 0.3 * whole);
        cr_assert(code == 0 || code == 137, "life %d ends with %d: %s", i, code,
                  test_crash_output());
        killed += code == 137;
        finished += code == 0;
        cr_assert_lt(finished, 3 * KILLS, "killed %d times only", killed);
    }
    cr_assert_eq(test_crash_run(config, output, 3, NULL, -1.0), 0, "%s", test_crash_output());
    const test_result found = test_crash_result(config, output, 3);
    test_same_result(&found, &expected, "killed 200 times");
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
    for (int at = 1; at <= n; at += stride) {
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
