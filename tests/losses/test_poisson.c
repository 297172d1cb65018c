/* test_poisson.c -- expected numbers of any size: golden values of Keras, slopes, padding, NaN. */
#include <criterion/criterion.h>

#include "loss_case.h"

Test(poisson, positive_numbers)
{
    test_loss_all("poisson", TEST_PROBABILITIES);
}
