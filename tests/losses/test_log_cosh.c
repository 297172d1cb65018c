/* test_log_cosh.c -- small and large distances: golden values of Keras, slopes, padding, NaN. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(log_cosh, values)
{
    test_loss_all("log_cosh", TEST_VALUES);
}
