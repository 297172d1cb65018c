/* test_accuracy.c -- shares of right answers against NumPy: ties, soft targets, NaN. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(accuracy, binary)
{
    test_metric_golden("binary_accuracy");
}

Test(accuracy, thresholds_and_weights)
{
    test_metric_results("accuracy_");
}

Test(accuracy, categorical)
{
    test_metric_golden("categorical_accuracy");
    test_metric_golden("sparse_categorical_accuracy");
}

Test(accuracy, top_k)
{
    test_metric_golden("top_k_categorical_accuracy");
    test_metric_golden("sparse_top_k_categorical_accuracy");
}
