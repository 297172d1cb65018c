/* test_mean_squared_logarithmic_error.c -- numbers below 0 among others: golden values of Keras,
 * slopes, padding, NaN. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(mean_squared_logarithmic_error, values)
{
    test_loss_all("mean_squared_logarithmic_error", TEST_VALUES);
}
