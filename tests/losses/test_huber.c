/* test_huber.c -- three deltas: golden values of Keras, slopes, padding, NaN. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(huber, values)
{
    test_loss_all("huber", TEST_VALUES);
}
