/* test_mean_absolute_percentage_error.c -- targets of 0 among others: golden values of Keras,
 * slopes, padding, NaN. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(mean_absolute_percentage_error, values)
{
    test_loss_all("mean_absolute_percentage_error", TEST_VALUES);
}
