/* test_overwrite.c -- a run is never overwritten unasked, and where it is asked for, the earlier
 * one is whole until the new one's first checkpoint, and gone after it.
 */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crash_run.h"
#include "leftovers.h"
#include "net.h"
#include "run.h"
#include "small_run.h"

/* In the folder of the test. */
__attribute__((format(printf, 1, 2))) static bool shell(const char *format, ...)
{
    char line[2048];
    const int n = snprintf(line, sizeof line, "cd %s && ", test_folder());
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + n, sizeof line - (size_t)n, format, arguments);
    va_end(arguments);
    return system(line) == 0;
}

static bool there(const char *name)
{
    return shell("test -e run/%s", name);
}

/* Of 2 epochs, with all the files that can lie about it, and two of the user's. */
static void run_at_first(void)
{
    char export[1024];
    test_expect(test_run("", test_first_run("mnist.ini", "--set checkpoint.keep=2")), 0,
                "parameters ");
    snprintf(export, sizeof export, "export --format keras --checkpoint %s/run/best.h5",
             test_folder());
    test_expect(test_run("", export), 0, "best.keras");
    cr_assert(shell("echo mine > run/notes.txt; echo mine > run/best_of_all.h5; "
                    "touch run/.last.h5.Abc123.tmp; md5sum run/* > before"));
}

Test(overwrite, is_refused_unasked, .timeout = 120)
{
    run_at_first();
    const char *again = test_first_run("mnist.ini", "--set optimizer.learning_rate=0.5");
    test_expect(test_run("", again), 2, "run/last.h5: is of an earlier run");
    test_expect(test_run("", again), 2, "--resume");
    test_expect(test_run("", again), 2, "--overwrite");
    cr_expect(shell("md5sum --quiet -c before"), "something was changed");
    cr_assert(shell("rm run/last.h5"));
    test_expect(test_run("", again), 2, "run/epoch_0002.h5: is of an earlier run");
    cr_assert(shell("rm run/epoch_*.h5"));
    test_expect(test_run("", again), 2, "run/best.h5: is of an earlier run");
    cr_assert(shell("rm small_*.h5")); /* it is found before data is read */
    test_expect(test_run("", again), 2, "run/best.h5: is of an earlier run");
    test_expect(test_run("", test_first_run("mnist.ini", "--resume --overwrite")), 2, "keep one");
}

Test(overwrite, takes_the_place_of_the_earlier_run, .timeout = 120)
{
    run_at_first();
    test_expect(
        test_run("", test_first_run("mnist.ini", "--overwrite --set fit.epochs=1 --set "
                                                 "checkpoint.monitor=none")),
        0,
        "these are removed: best.h5, best.keras, config.ini, confusion.csv, epoch_0001.h5, "
        "epoch_0002.h5, evaluation.json, history.csv, history.jsonl, history.png, history.svg\n");
    cr_expect(there("last.h5") && there("config.ini") && there("history.csv"));
    cr_expect(!there("best.h5") && !there("best.keras"));
    cr_expect(!there("epoch_0001.h5") && !there("epoch_0002.h5"));
    cr_expect(there("notes.txt") && there("best_of_all.h5"), "what is not a run's");
    cr_expect(shell("grep -q '^epochs  *= 1$' run/config.ini"));
    cr_expect(shell("test $(wc -l < run/history.csv) = 2"));
    cr_expect(!there(".trainer-overwrites"));
    cr_expect(!there(".last.h5.Abc123.tmp"));
}

/* TensorBoard would take both for one. */
Test(overwrite, event_files_of_two_runs_do_not_meet, .timeout = 120)
{
    static const char events[] = "events.out.tfevents.0.trainer";
    char path[128];
    test_expect(test_run("", test_first_run("mnist.ini", "--set output.tensorboard=true")), 0,
                "parameters ");
    snprintf(path, sizeof path, "validation/%s", events);
    cr_assert(there(path));
    cr_assert(shell("echo mine > run/train/notes.txt"));
    test_expect(test_run("", test_first_run("mnist.ini", "--overwrite")), 0, "parameters ");
    cr_expect(!there("validation"));
    snprintf(path, sizeof path, "train/%s", events);
    cr_expect(!there(path));
    cr_expect(there("train/notes.txt"));
}

Test(overwrite, of_nothing_is_a_run, .timeout = 120)
{
    const test_outcome *outcome = test_run("", test_first_run("mnist.ini", "--overwrite"));
    test_expect(outcome, 0, "parameters ");
    cr_expect_null(strstr(outcome->text, "removed"));
}

Test(overwrite, a_finished_run_says_so, .timeout = 120)
{
    test_expect(test_run("", test_first_run("mnist.ini", "")), 0, "parameters ");
    test_expect(test_run("", test_first_run("mnist.ini", "--resume")), 0,
                "run/last.h5: finished, all 2 epochs are done; more with --set fit.epochs=N\n");
    test_expect(test_run("", test_first_run("mnist.ini", "--resume --set fit.epochs=3")), 0,
                "run/last.h5: 2 epochs and 0 steps done");
}

/* A kill came just before the first last.h5, or somebody removed it. */
Test(overwrite, a_resume_takes_the_newest_that_is_there, .timeout = 120)
{
    run_at_first();
    cr_assert(shell("cp run/last.h5 whole.h5; rm run/last.h5"));
    test_expect(test_run("", test_first_run("mnist.ini", "--resume --set fit.epochs=3")), 0,
                "resuming ");
    test_expect(test_run("", test_first_run("mnist.ini", "--resume --set fit.epochs=3")), 0,
                "run/last.h5: finished, all 3 epochs");
    cr_assert(shell("rm -f run/last.h5 run/best.h5 run/epoch_0003.h5"));
    test_expect(test_run("", test_first_run("mnist.ini", "--resume")), 0,
                "run/epoch_0002.h5: finished, all 2 epochs");
    cr_assert(shell("rm run/epoch_*.h5; cp whole.h5 run/best.h5"));
    test_expect(test_run("", test_first_run("mnist.ini", "--resume")), 0,
                "run/best.h5: finished, all 2 epochs");
    cr_assert(shell("rm run/*.h5"));
    test_expect(test_run("", test_first_run("mnist.ini", "--resume")), 0,
                "nothing to resume: there is no ");
}

/* Killed at each operation on a file in its turn: all is of the earlier run, or, once the next run
 * has looked, nothing is. */
Test(overwrite, killed_anywhere, .timeout = 280)
{
    char config[512], overwrite[600], old[600], output[600], environment[1400];
    enum { ENOUGH = 8 }; /* what follows is a run like any other */
    int n_old = 0, n_new = 0;
    snprintf(config, sizeof config, "%s", test_crash_config(6, 4));
    snprintf(overwrite, sizeof overwrite, "%s --overwrite --set fit.seed=5", config);
    snprintf(old, sizeof old, "%s/old", test_folder());
    snprintf(output, sizeof output, "%s/run", test_folder());
    cr_assert_eq(test_crash_run(config, old, 1, NULL, -1.0), 0, "%s", test_crash_output());
    cr_assert(shell("cp old/last.h5 old/last.keras && cd old && md5sum * > ../before"));
    for (int at = 1; n_new < ENOUGH; at++) {
        cr_assert(shell("rm -rf run && cp -a old run"));
        snprintf(environment, sizeof environment,
                 "LD_PRELOAD=%s ASAN_OPTIONS=verify_asan_link_order=0 FAULT_FOLDER=%s FAULT_AT=%d "
                 "FAULT_DO=kill",
                 TR_FAULT, output, at);
        const int code = test_crash_run(overwrite, output, 1, environment, -1.0);
        cr_assert_eq(code, 137, "%s", test_crash_output());
        if (shell("cmp -s run/last.h5 old/last.h5")) {
            cr_assert(shell("cd run && md5sum --quiet -c ../before"), "operation %d", at);
            n_old++;
            continue;
        }
        n_new++;
        snprintf(environment, sizeof environment, "%s --set fit.seed=5", config);
        cr_assert_eq(test_crash_run(environment, output, 1, NULL, -1.0), 0, "operation %d: %s", at,
                     test_crash_output());
        cr_assert(!there("last.keras") && !there(".trainer-overwrites"), "operation %d", at);
        cr_assert(there("best.h5") && there("config.ini"), "operation %d", at);
        cr_assert(shell("! cmp -s run/best.h5 old/best.h5"), "operation %d: the old best", at);
        cr_assert_eq(test_leftovers(output), 0, "operation %d", at);
    }
    cr_assert(n_old > 0 && n_new > 0, "%d, %d", n_old, n_new);
}
