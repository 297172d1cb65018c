/* test_weight_rules_run.c -- a whole run whose weights and results have rules, the first layer
 * whitening its samples: the same parameters at any number of threads and over a resume. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "net.h"
#include "run.h"
#include "small_run.h"

static const char rules[] =
    "--set layer.conv1.filters=18 --set layer.conv1.kernel_initializer=whitening "
    "--set layer.conv1.trainable=false --set layer.conv2.filters=18 "
    "--set layer.conv2.kernel_initializer=dirac --set "
    "\"layer.conv2.kernel_constraint=max_norm(1.5, "
    "axis=[0, 1, 2])\" --set layer.conv2.activity_regularizer=l2\\(0.001\\) "
    "--set layer.output.kernel_initializer=orthogonal --set layer.output.kernel_regularizer=l1 ";

/* The digest that a run prints behind its results. */
static void digest(const char *how, const char *more, char text[33])
{
    static const char before[] = "parameters ";
    char arguments[2000], all[1500];
    snprintf(all, sizeof all, "%s%s", rules, more);
    snprintf(arguments, sizeof arguments, "%s %s", test_first_run("mnist.ini", all), how);
    const test_outcome *outcome = test_run("", arguments);
    test_expect(outcome, 0, before);
    const char *at = strstr(outcome->text, before);
    cr_assert_not_null(at);
    snprintf(text, 33, "%.32s", at + strlen(before));
}

Test(weight_rules_run, threads_and_a_resume_change_nothing, .timeout = 200)
{
    char one[33], other[33];
    digest("--overwrite", "--threads 1", one);
    digest("--overwrite", "--threads 3", other);
    cr_expect_str_eq(one, other);
    digest("--overwrite", "--threads 2 --set fit.epochs=1", other);
    cr_expect_str_neq(one, other);
    digest("--resume", "--threads 2", other);
    cr_expect_str_eq(one, other);
}
