/* test_metric_sums.c -- sums over samples, and what they say in the end. */
#include <criterion/criterion.h>

#include "metric.h"

Test(metric_sums, add_up_to_means)
{
    tr_metric_ops accuracy;
    cr_assert(tr_metric_find(&accuracy, "binary_accuracy"));
    tr_metric_list list = {.n = 2, .n_sums = 3};
    list.items[0] = (tr_metric){.ops = accuracy, .n_sums = 1};
    list.items[1] = (tr_metric){.ops = accuracy, .first = 1, .n_sums = 2, .weighted = true};
    tr_sums sums = {.loss = 1.5, .metrics = {3, 1, 2}, .n = 4, .n_sums = 3};
    const tr_sums more = {.loss = 0.5, .metrics = {1, 2, 4}, .n = 12, .n_sums = 3};
    tr_sums_add(&sums, &more);
    const tr_metrics means = tr_metrics_of(&list, &sums);
    cr_expect_eq(means.n, 16);
    cr_expect_eq(means.loss, 0.125);
    cr_expect_eq(means.values[0], 0.25);
    cr_expect_eq(means.values[1], 0.5); /* by the weights */
    tr_sums none = {0};
    tr_sums_add(&none, &sums);
    cr_expect_eq(none.metrics[2], 6.0);
}

Test(metric_sums, of_no_samples_are_zeros)
{
    const tr_metric_list list = {0};
    const tr_sums none = {0};
    const tr_metrics means = tr_metrics_of(&list, &none);
    cr_expect(means.n == 0 && means.loss == 0.0 && means.values[0] == 0.0);
}
