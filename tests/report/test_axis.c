/* test_axis.c -- ticks at round numbers inside the range, whatever the range is. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axis.h"

/* All labels in one text. */
static const char *labels(const tr_axis *axis)
{
    static char text[TR_TICKS_MAX * 24];
    text[0] = '\0';
    for (int i = 0; i < axis->n_ticks; i++) {
        strcat(text, i == 0 ? "" : " ");
        strcat(text, axis->ticks[i].label);
    }
    return text;
}

static const char *labels_of(double least, double most)
{
    static tr_axis axis;
    tr_axis_of_values(&axis, least, most, true);
    return labels(&axis);
}

static const char *epochs(int64_t first, int64_t last)
{
    static tr_axis axis;
    tr_axis_of_epochs(&axis, first, last);
    return labels(&axis);
}

Test(axis, values_are_round)
{
    cr_expect_str_eq(labels_of(0.01, 0.41), "0.0 0.1 0.2 0.3 0.4");
    cr_expect_str_eq(labels_of(0.9, 0.99), "0.90 0.92 0.94 0.96 0.98");
    cr_expect_str_eq(labels_of(-1.0, 1.0), "-1.0 -0.5 0.0 0.5 1.0");
    cr_expect_str_eq(labels_of(100.0, 900.0), "200 400 600 800");
}

Test(axis, epochs_are_whole)
{
    cr_expect_str_eq(epochs(1, 1), "1");
    cr_expect_str_eq(epochs(1, 3), "1 2 3");
    cr_expect_str_eq(epochs(1, 20), "2 4 6 8 10 12 14 16 18 20");
    cr_expect_str_eq(epochs(1, 1000), "100 200 300 400 500 600 700 800 900 1000");
    cr_expect_str_eq(epochs(1, 1000000), "200000 400000 600000 800000 1000000");
    cr_expect_str_eq(epochs(21, 24), "21 22 23 24");
}

Test(axis, very_large_and_tiny_values_share_a_power_of_ten)
{
    tr_axis axis;
    tr_axis_of_values(&axis, 1e-10, 4e-10, false);
    cr_expect_eq(axis.exponent, -10);
    cr_expect_str_eq(labels(&axis), "1 2 3 4");
    tr_axis_of_values(&axis, 1e9, 4e9, false);
    cr_expect_eq(axis.exponent, 9);
    cr_expect_str_eq(labels(&axis), "1 2 3 4");
}

Test(axis, logarithmic_only_from_three_decades_on)
{
    tr_axis axis;
    tr_axis_of_values(&axis, 0.01, 9.0, true);
    cr_expect_not(axis.logarithmic);
    tr_axis_of_values(&axis, 0.0, 9.0, true);
    cr_expect_not(axis.logarithmic, "zero has no logarithm");
    tr_axis_of_values(&axis, 0.005, 9.0, false);
    cr_expect_not(axis.logarithmic, "it was not allowed");
    tr_axis_of_values(&axis, 0.005, 9.0, true);
    cr_expect(axis.logarithmic);
    cr_expect_str_eq(labels(&axis), "0.01 0.1 1 10");
    cr_expect_float_eq(tr_axis_place(&axis, sqrt(0.005 * 9.0)), 0.5, 1e-9);
    tr_axis_of_values(&axis, 1e-20, 1e20, true);
    cr_expect_str_eq(labels(&axis), "1e-22 1e-16 1e-10 0.0001 100 1e8 1e14 1e20");
}

/* Whatever comes: ascending ticks within the range, the values too. */
static void check(double least, double most)
{
    tr_axis axis;
    tr_axis_of_values(&axis, least, most, true);
    cr_assert(axis.low < axis.high, "%g to %g", least, most);
    cr_assert(axis.n_ticks >= 2, "%g to %g: %d ticks", least, most, axis.n_ticks);
    for (int i = 0; i < axis.n_ticks; i++) {
        const double place = tr_axis_place(&axis, axis.ticks[i].value);
        cr_assert(place > -1e-6 && place < 1.0 + 1e-6, "%g to %g: %g", least, most, place);
        if (i > 0)
            cr_assert(strcmp(axis.ticks[i].label, axis.ticks[i - 1].label) != 0, "%g to %g: %s",
                      least, most, labels(&axis));
    }
    if (least <= most) {
        cr_assert(tr_axis_place(&axis, least) > 0.0);
        cr_assert(tr_axis_place(&axis, most) < 1.0);
    }
}

Test(axis, odd_ranges)
{
    check(INFINITY, -INFINITY); /* no value at all */
    check(0.0, 0.0);
    check(1.0, 1.0);
    check(-3.5, -3.5);
    check(1e-300, 1e-300);
    check(1e30, 1e30);
    check(0.6931471805, 0.6931471805000001);
    check(1e6, 1e6 + 1.0);
    check(1e-300, 1e30);
    check(1e-12, 1e30);
    check(-1e30, 1e30);
    for (double most = 1e-30; most < 1e31; most *= 1.7) {
        check(0.0, most);
        check(0.5 * most, most);
        check(most / 2000.0, most);
        check(0.999999 * most, most);
    }
}
