/* test_squared_hinge.c -- targets -1 or 1, 0 or 1: golden values of Keras, slopes, padding, NaN. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(squared_hinge, values)
{
    test_loss_all("squared_hinge", TEST_VALUES);
}
