/* crash_run.h -- a run of the program that is killed and resumed, and what it must end with. */
#ifndef TR_TEST_CRASH_RUN_H
#define TR_TEST_CRASH_RUN_H

/* The result of a run: the digests of weights, of those in best.h5, of optimizer state and history
 * (without times). */
typedef struct test_result {
    char weights[33], best[33], slots[33], history[33];
} test_result;

/* Writes a configuration of a small network with dropout, Adam and an average of the weights on a
 * small dataset into the folder of the test, `steps` steps in each of three epochs, a checkpoint
 * every `every_steps`; returns its path (static buffer). */
const char *test_crash_config(int steps, int every_steps);

/* Runs it into the folder `output`, resuming (unless " --overwrite" stands behind the config's
 * path), at `threads` threads, with these environment
 * assignments (NULL: none) before the program. With kill_after_s >= 0 it gets SIGKILL then. Returns
 * the exit code, or 128 + the signal. Output goes to output.txt in the test's folder. */
int test_crash_run(const char *config, const char *output, int threads, const char *environment,
                   double kill_after_s);

/* Of <output>/last.h5; fails the test when that is not a whole checkpoint after `epochs` epochs. */
test_result test_crash_result(const char *config, const char *output, int epochs);

void test_same_result(const test_result *a, const test_result *b, const char *what);

/* What the newest run printed (static buffer). */
const char *test_crash_output(void);

#endif
