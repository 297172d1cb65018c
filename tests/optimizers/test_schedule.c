/* test_schedule.c -- Keras's schedules: recorded steps of Adam, values at chosen steps, refusals.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "trace.h"

#define SCHEDULE(name) "[learning_rate]\nschedule = " name "\n"
#define INITIAL "initial_learning_rate = 0.01\n"

Test(schedule, adam_follows_keras_on_each)
{
    test_optimizer_trace("adam_expdecay", "adam",
                         SCHEDULE("exponential_decay") INITIAL
                         "decay_steps = 2\ndecay_rate = 0.5\n");
    test_optimizer_trace("adam_invtime", "adam",
                         SCHEDULE("inverse_time_decay") INITIAL
                         "decay_steps = 2\ndecay_rate = 0.5\n");
    test_optimizer_trace("adam_poly", "adam",
                         SCHEDULE("polynomial_decay") INITIAL
                         "decay_steps = 4\nend_learning_rate = 0.001\npower = 2\n");
    test_optimizer_trace("adam_piecewise", "adam",
                         SCHEDULE("piecewise_constant_decay") "boundaries = 1, 3\n"
                                                              "values = 0.01, 0.002, 0.0005\n");
    test_optimizer_trace("adam_cosine", "adam",
                         SCHEDULE("cosine_decay") INITIAL "decay_steps = 4\nalpha = 0.1\n");
    test_optimizer_trace("adam_cosine_warm", "adam",
                         SCHEDULE("cosine_decay") "initial_learning_rate = 0.001\ndecay_steps = 4\n"
                                                  "warmup_target = 0.01\nwarmup_steps = 2\n");
}

/* Pairs of step and rate, ended by a negative step. */
static void rates(const char *keys, const double *expected)
{
    tr_config *config;
    tr_optimizer *optimizer = test_optimizer("sgd", keys, &config);
    for (; expected[0] >= 0.0; expected += 2) {
        const double rate = tr_optimizer_learning_rate(optimizer, (int64_t)expected[0]);
        cr_assert(fabs(rate - expected[1]) <= 1e-9 * fabs(expected[1]),
                  "%sstep %g: %.12g, not %.12g", keys, expected[0], rate, expected[1]);
    }
    tr_free(optimizer);
    tr_config_free(config);
}

/* By hand from the formulas: what the recorded cases do not reach. */
Test(schedule, values_at_chosen_steps)
{
    const double stairs[] = {0, 0.01, 9, 0.01, 10, 0.005, 19, 0.005, 20, 0.0025, -1};
    rates(SCHEDULE("exponential_decay") INITIAL
          "decay_steps = 10\ndecay_rate = 0.5\nstaircase = true\n",
          stairs);
    const double inverse[] = {9, 0.01, 10, 0.01 / 1.5, 29, 0.01 / 2, -1};
    rates(SCHEDULE("inverse_time_decay") INITIAL
          "decay_steps = 10\ndecay_rate = 0.5\nstaircase = yes\n",
          inverse);
    const double line[] = {0, 0.01, 5, 0.00505, 10, 0.0001, 1000, 0.0001, -1};
    rates(SCHEDULE("polynomial_decay") INITIAL "decay_steps = 10\n", line);
    /* In the second cycle the way down is 20 steps long, of which 11 are gone. */
    const double cycle[] = {0, 0.01, 10, 0.0001, 11, 0.0099 * 9 / 20 + 0.0001, 20, 0.0001, -1};
    rates(SCHEDULE("polynomial_decay") INITIAL "decay_steps = 10\ncycle = true\n", cycle);
    const double warm[] = {0, 0.01, 1, 0.015, 4, 0.03, 8, 0.5 * 0.03, 12, 0, 100, 0, -1};
    rates(SCHEDULE("cosine_decay") INITIAL
          "decay_steps = 8\nwarmup_target = 0.03\nwarmup_steps = 4\n",
          warm);
    /* Periods of 4, 8, 16 steps at 1, 1/2, 1/4 of the height; alpha is not halved. */
    const double restarts[] = {
        0,       0.01, 2,       0.0055, 4,        0.0055, 8,
        0.00325, 12,   0.00325, 20,     0.002125, 28,     0.01 * (0.1 + 0.9 / 8),
        -1};
    rates(SCHEDULE("cosine_decay_restarts") INITIAL
          "first_decay_steps = 4\nm_mul = 0.5\nalpha = 0.1\n",
          restarts);
    const double equal[] = {0, 0.01, 2, 0.005, 4, 0.01, 4000002, 0.005, -1};
    rates(SCHEDULE("cosine_decay_restarts") INITIAL "first_decay_steps = 4\nt_mul = 1\n", equal);
}

Test(schedule, refuses)
{
    test_optimizer_refuses("sgd", SCHEDULE("cosine_decy") INITIAL, 2, "did you mean cosine_decay?");
    test_optimizer_refuses("sgd", "[learning_rate]\n" INITIAL, 1,
                           "schedule is missing; allowed: ex");
    test_optimizer_refuses("sgd", SCHEDULE("cosine_decay") INITIAL, 1, "decay_steps is missing");
    test_optimizer_refuses("sgd", SCHEDULE("cosine_decay") INITIAL "decay_steps = 9\npower = 2\n",
                           5, "power: unknown key");
    test_optimizer_refuses("sgd",
                           SCHEDULE("cosine_decay") INITIAL "decay_steps = 9\nwarmup_steps = 2\n",
                           5, "warmup_steps has no effect without warmup_target");
    test_optimizer_refuses("sgd",
                           SCHEDULE("cosine_decay") INITIAL "decay_steps = 9\nwarmup_target = 2\n",
                           5, "warmup_target has no effect without warmup_steps");
    test_optimizer_refuses("sgd",
                           SCHEDULE("piecewise_constant_decay") "boundaries = 3, 3\n"
                                                                "values = 1, 2, 3\n",
                           3, "boundaries must increase, but 3 follows 3");
    test_optimizer_refuses("sgd",
                           SCHEDULE("piecewise_constant_decay") "boundaries = 1.5\n"
                                                                "values = 1, 2\n",
                           3, "1.5 is not a whole number");
    test_optimizer_refuses(
        "sgd", SCHEDULE("piecewise_constant_decay") "boundaries = 1, 3\nvalues = 1, 2\n", 4,
        "values must be one more than the 2 boundaries, not 2");
    test_optimizer_refuses(
        "sgd", SCHEDULE("cosine_decay_restarts") INITIAL "first_decay_steps = 9\nt_mul = 0.5\n", 5,
        "t_mul = 0.5: must be");
    test_optimizer_refuses(
        "sgd", "learning_rate = 0.1\n" SCHEDULE("cosine_decay") INITIAL "decay_steps = 9\n", 1,
        "has no effect beside the schedule of [learning_rate] (line");
}

/* The effective configuration must not hold a default that it would then refuse. */
Test(schedule, effective_configuration_reads_back)
{
    tr_config *config, *again = NULL;
    tr_optimizer *optimizer = NULL;
    tr_error err = {0};
    tr_free(test_optimizer(
        "adam", "use_ema = yes\n" SCHEDULE("cosine_decay") INITIAL "decay_steps = 9\n", &config));
    char *path = tr_format("%s/effective.ini", test_folder());
    cr_assert_eq(tr_config_write(config, path, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_config_load(&again, path, NULL, 0, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_optimizer_make(&optimizer, again, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_config_check(again, &err), TR_OK, "%s", err.text);
    cr_assert_eq(optimizer->ema_momentum, 0.99);
    cr_assert_eq(tr_optimizer_learning_rate(optimizer, 0), 0.01);
    tr_free(path);
    tr_free(optimizer);
    tr_config_free(config);
    tr_config_free(again);
}
