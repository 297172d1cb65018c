/* test_metric_sums.c -- sums over samples and their means. */
#include "metric_sums.h"

#include <criterion/criterion.h>

Test(metric_sums, add_up_to_means)
{
    tr_sums sums = {.loss = 1.5, .metrics = {3, [TR_MAX_METRICS - 1] = 8}, .n = 4};
    const tr_sums more = {.loss = 0.5, .metrics = {1, [TR_MAX_METRICS - 1] = 8}, .n = 12};
    tr_sums_add(&sums, &more);
    const tr_metrics means = tr_metrics_of(&sums);
    cr_expect_eq(means.n, 16);
    cr_expect_eq(means.loss, 0.125);
    cr_expect_eq(means.values[0], 0.25);
    cr_expect_eq(means.values[TR_MAX_METRICS - 1], 1.0);
}

Test(metric_sums, of_no_samples_are_zeros)
{
    const tr_sums none = {0};
    const tr_metrics means = tr_metrics_of(&none);
    cr_expect(means.n == 0 && means.loss == 0.0 && means.values[0] == 0.0);
}
