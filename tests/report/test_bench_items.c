/* test_bench_items.c -- what is outside of the primitives, and which micro-batch is recommended. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "made_bench.h"

static double us_of(const tr_bench_item items[TR_BENCH_ITEMS], const char *name)
{
    for (int i = 0; i < TR_BENCH_ITEMS; i++)
        if (strcmp(items[i].name, name) == 0)
            return items[i].us;
    cr_assert(false, "no item %s", name);
    return 0.0;
}

Test(bench_items, with_the_operations_they_are_the_whole_step)
{
    tr_bench_item items[TR_BENCH_ITEMS];
    made_bench made;
    make_bench(&made);
    tr_bench_items(&made.bench, items);
    double sum = 0.0;
    for (int i = 0; i < TR_BENCH_ITEMS; i++) {
        sum += items[i].us;
        cr_assert_gt(strlen(items[i].doc), 0);
    }
    for (size_t i = 0; i < made.bench.n_ops; i++)
        sum += made.bench.profile.op_us[i];
    cr_assert_float_eq(sum, made.bench.profile.step_us, 1e-9 * sum);
    cr_assert_eq(us_of(items, "gather"), 20);
    cr_assert_eq(us_of(items, "loss"), 5);
    cr_assert_eq(us_of(items, "wait"), 7);
    cr_assert_eq(us_of(items, "sum"), 40);
    cr_assert_eq(us_of(items, "update"), 30);
    cr_assert_eq(us_of(items, "rest"), 13);
    cr_assert_eq(us_of(items, "calls"), 10 + 300 + 500 - (8 + 290 + 450));
}

/* All threads together read a float of each slot once: 16 slots of 1000 floats in 40 us. */
Test(bench_items, bandwidth_of_the_sum)
{
    tr_bench_item items[TR_BENCH_ITEMS];
    made_bench made;
    make_bench(&made);
    tr_bench_items(&made.bench, items);
    for (int i = 0; i < TR_BENCH_ITEMS; i++)
        if (strcmp(items[i].name, "sum") == 0)
            cr_assert_float_eq(items[i].gb_per_s, 16 * 1000 * 4 / 40e-6 * 1e-9, 1e-9);
        else
            cr_assert_eq(items[i].gb_per_s, 0.0, "%s", items[i].name);
    made.bench.profile.part_us[TR_PART_SUM] = 0.0;
    tr_bench_items(&made.bench, items);
    for (int i = 0; i < TR_BENCH_ITEMS; i++)
        cr_assert_eq(items[i].gb_per_s, 0.0);
}

Test(bench_items, time_per_image_is_of_all_threads)
{
    made_bench made;
    make_bench(&made);
    cr_assert_float_eq(tr_bench_us_per_image(&made.bench, 64.0), 64.0 * 4 / 128, 1e-12);
}

/* ---- the recommendation ---- */

static int64_t best_of(const double images_per_s[3])
{
    const tr_bench_choice choices[] = {
        {4, images_per_s[0]}, {8, images_per_s[1]}, {16, images_per_s[2]}};
    const tr_bench_report report = {.choices = choices, .n_choices = 3};
    return tr_bench_best(&report)->micro_batch;
}

Test(bench_items, of_micro_batches_within_a_percent_the_smaller)
{
    cr_assert_eq(best_of((double[]){1000, 2000, 3000}), 16);
    cr_assert_eq(best_of((double[]){1000, 3000, 2000}), 8);
    cr_assert_eq(best_of((double[]){1000, 2975, 3000}), 8);
    cr_assert_eq(best_of((double[]){2975, 2000, 3000}), 4);
    cr_assert_eq(best_of((double[]){2965, 2965, 3000}), 16);
    cr_assert_eq(best_of((double[]){3000, 3000, 3000}), 4);
    const tr_bench_report none = {0};
    cr_assert_null(tr_bench_best(&none));
}

Test(bench_items, every_direction_has_its_own_name)
{
    for (int a = TR_DIR_FORWARD; a <= TR_DIR_REORDER; a++)
        for (int b = TR_DIR_FORWARD; b < a; b++)
            cr_assert_str_neq(tr_direction_name((tr_direction)a),
                              tr_direction_name((tr_direction)b));
}
