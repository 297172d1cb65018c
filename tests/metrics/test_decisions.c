/* test_decisions.c -- counts of decisions, precision, recall, against Keras: thresholds, one class,
 * the k largest. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(decisions, results)
{
    test_metric_results("decisions_");
}
