/* test_auc.c -- areas under curves, against Keras: both curves, all sums, logits, labels by
 * themselves. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(auc, results)
{
    test_metric_results("auc_");
}
