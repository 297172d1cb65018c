/* test_cmd_crossvalidate.c -- a run for each fold: the same as that run alone; the table says their
 * mean and standard deviation; and one that is resumed says it again.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "net.h"
#include "run.h"
#include "small_run.h"

enum { FOLDS = 3 };

static const char folds[] = "--set data.folds=3 --set data.validation_split=0 --set "
                            "data.stratify=true --set fit.epochs=2";

/* `command`: "crossvalidate " or "". Static buffer. */
static const test_outcome *run(const char *command, const char *output, const char *more)
{
    char *arguments =
        tr_format("%s-c " TR_SOURCE "/configs/mnist_mlp.ini --set data.file=%s %s --set "
                  "output.directory=%s/%s %s",
                  command, test_small_data(), folds, test_folder(), output, more);
    const test_outcome *result = test_run("", arguments);
    tr_free(arguments);
    return result;
}

/* The numbers of the row `name` of crossvalidation.csv; their number. */
static int row_of(const char *output, const char *name, double values[4])
{
    char line[512], head[32];
    int n = 0;
    char *path = tr_format("%s/%s/crossvalidation.csv", test_folder(), output);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    snprintf(head, sizeof head, "%s,", name);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, head, strlen(head)) == 0)
            n = sscanf(line + strlen(head), "%lf,%lf,%lf,%lf", &values[0], &values[1], &values[2],
                       &values[3]);
    fclose(file);
    tr_free(path);
    return n;
}

static void parameters(const test_outcome *result, char text[33])
{
    const char *at = strstr(result->text, "parameters ");
    cr_assert_not_null(at, "%s", result->text);
    snprintf(text, 33, "%s", at + strlen("parameters "));
}

Test(cmd_crossvalidate, trains_every_fold_and_says_mean_and_spread, .timeout = 240)
{
    double values[FOLDS][4], mean[4], deviation[4];
    test_expect(run("crossvalidate ", "cv", ""), 0, "all folds: ");
    for (int i = 0; i < FOLDS; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i + 1);
        cr_assert_eq(row_of("cv", name, values[i]), 4, "fold %s", name);
    }
    cr_assert_eq(row_of("cv", "mean", mean), 4);
    cr_assert_eq(row_of("cv", "std", deviation), 4);
    for (int k = 0; k < 4; k++) {
        double sum = 0.0, squares = 0.0;
        for (int i = 0; i < FOLDS; i++)
            sum += values[i][k];
        for (int i = 0; i < FOLDS; i++)
            squares += pow(values[i][k] - sum / FOLDS, 2.0);
        cr_expect_float_eq(mean[k], sum / FOLDS, 1e-7, "column %d", k);
        cr_expect_float_eq(deviation[k], sqrt(squares / (FOLDS - 1)), 1e-7, "column %d", k);
    }
    cr_expect_neq(values[0][0], values[1][0], "folds validate on other samples");
}

/* The second fold is the run that one would start by hand. */
Test(cmd_crossvalidate, a_fold_is_the_run_alone, .timeout = 240)
{
    char alone[33], path[600];
    parameters(run("", "alone", "--set data.fold=2"), alone);
    const test_outcome *all = run("crossvalidate ", "cv", "");
    const char *second = strstr(all->text, "==== fold 2 ====");
    cr_assert_not_null(second, "%s", all->text);
    cr_expect_eq(strncmp(strstr(second, "parameters ") + strlen("parameters "), alone, 32), 0);
    snprintf(path, sizeof path, "%s/cv/fold_3/last.h5", test_folder());
    cr_expect_eq(access(path, F_OK), 0);

    /* Again: refused; resumed: what is missing is trained, and the table is the same. */
    double before[4], after[4];
    cr_assert_eq(row_of("cv", "mean", before), 4);
    test_expect(run("crossvalidate ", "cv", ""), 2, "fold 1 of 3 ended with exit code 2");
    cr_assert_eq(unlink(path), 0);
    test_expect(run("crossvalidate ", "cv", "--resume"), 0, "fold_1/last.h5: finished");
    cr_assert_eq(row_of("cv", "mean", after), 4);
    cr_expect_arr_eq(before, after, sizeof before);
}

Test(cmd_crossvalidate, wants_folds)
{
    test_expect(run("crossvalidate ", "none", "--set data.folds=0 --set data.stratify=false"), 2,
                "crossvalidate wants [data] folds = N, 2 or more");
    test_expect(run("crossvalidate ", "none", "--set fit.max_seconds=9"), 2,
                "crossvalidate compares whole epochs");
    test_expect(run("", "none", "--set data.fold=4"), 2, "[data] fold = 4: there are 3 folds");
    test_expect(run("", "none", "--set data.validation_split=0.2"), 2,
                "[data] folds and validation_split both say");
}
