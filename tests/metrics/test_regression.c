/* test_regression.c -- distances against NumPy: one output, several, class numbers, NaN. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(regression, squared_error)
{
    test_metric_golden("mean_squared_error");
}

Test(regression, absolute_error)
{
    test_metric_golden("mean_absolute_error");
}
