/* test_mean_squared_error.c -- the loss of regression: golden values, slopes, padding, NaN. */
#include <criterion/criterion.h>

#include "loss_case.h"

static const char name[] = "mean_squared_error";

Test(mean_squared_error, golden_values)
{
    test_loss_golden(name, TEST_VALUES);
}

Test(mean_squared_error, slopes_values)
{
    test_loss_slopes(name, TEST_VALUES);
}

Test(mean_squared_error, padding_values)
{
    test_loss_padding(name, TEST_VALUES);
}

Test(mean_squared_error, nan_values)
{
    test_loss_nan(name, TEST_VALUES);
}
