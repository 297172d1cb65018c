/* test_class_shares.c -- precision, recall, F1 and their means: scikit-learn's, from
 * golden/evaluation.py, to the digits that it prints. */
#include <criterion/criterion.h>
#include <math.h>

#include "class_shares.h"

enum { CLASSES = 4 };

static int64_t counts[CLASSES * CLASSES] = {40, 3, 0, 1, 2, 25, 0, 0, 4, 1, 0, 2, 0, 0, 0, 0};

static const tr_evaluation evaluation = {.confusion = {CLASSES, counts}};

static void expect(tr_class_shares shares, double precision, double recall, double f1)
{
    const double digits = 1e-12;
    cr_expect(fabs(shares.precision - precision) < digits, "precision %.12f", shares.precision);
    cr_expect(fabs(shares.recall - recall) < digits, "recall %.12f", shares.recall);
    cr_expect(fabs(shares.f1 - f1) < digits, "f1 %.12f", shares.f1);
}

Test(class_shares, of_classes)
{
    cr_assert_eq(tr_class_shares_n(&evaluation), CLASSES);
    expect(tr_class_shares_of(&evaluation, 0), 0.869565217391, 0.909090909091, 0.888888888889);
    expect(tr_class_shares_of(&evaluation, 1), 0.862068965517, 0.925925925926, 0.892857142857);
    const tr_class_shares never_said = tr_class_shares_of(&evaluation, 2);
    cr_expect(isnan(never_said.precision) && never_said.recall == 0.0 && never_said.f1 == 0.0);
    cr_expect(never_said.said == 0 && never_said.there == 7);
    const tr_class_shares not_there = tr_class_shares_of(&evaluation, 3);
    cr_expect(not_there.precision == 0.0 && isnan(not_there.recall) && not_there.f1 == 0.0);
    cr_expect(not_there.said == 3 && not_there.there == 0);
}

Test(class_shares, means)
{
    expect(tr_class_shares_average(&evaluation, false), 0.432908545727, 0.458754208754,
           0.445436507937);
    expect(tr_class_shares_average(&evaluation, true), 0.788932456848, 0.833333333333,
           0.81049043549);
}

/* A class that nobody meets is none of scikit-learn's labels. */
Test(class_shares, the_mean_is_of_classes_that_are_met)
{
    int64_t met[9] = {4, 0, 0, 0, 3, 0, 0, 0, 0};
    const tr_evaluation of = {.confusion = {.n_classes = 3, .counts = met}};
    expect(tr_class_shares_average(&of, false), 1.0, 1.0, 1.0);
}

Test(class_shares, of_answers)
{
    tr_answer_counts answers[2] = {{.right = 3, .wrong = 1, .missed = 2}, {0}};
    const tr_evaluation several = {.n_answers = 2, .answers = answers};
    cr_assert_eq(tr_class_shares_n(&several), 2);
    expect(tr_class_shares_of(&several, 0), 0.75, 0.6, 2.0 / 3.0);
    const tr_class_shares none = tr_class_shares_of(&several, 1);
    cr_expect(isnan(none.precision) && isnan(none.recall) && isnan(none.f1));
}

Test(class_shares, wilson_interval)
{
    static const struct {
        double right, n, low, high;
    } cases[] = {{65, 78, 0.735444247692, 0.899930545833},
                 {0, 7, 0.0, 0.354330435067},
                 {7, 7, 0.645669564933, 1.0},
                 {9753, 10000, 0.972070553067, 0.978164418082}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double interval[2];
        tr_wilson_interval(cases[i].right / cases[i].n, (int64_t)cases[i].n, interval);
        cr_expect(fabs(interval[0] - cases[i].low) < 1e-12, "%.12f", interval[0]);
        cr_expect(fabs(interval[1] - cases[i].high) < 1e-12, "%.12f", interval[1]);
    }
}
