/* test_root_mean_squared_error.c -- against Keras, weighted or not. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(root_mean_squared_error, results)
{
    test_metric_results("rmse_");
}
