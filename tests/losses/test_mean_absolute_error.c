/* test_mean_absolute_error.c -- distances: golden values of Keras, slopes, padding, NaN. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(mean_absolute_error, values)
{
    test_loss_all("mean_absolute_error", TEST_VALUES);
}
