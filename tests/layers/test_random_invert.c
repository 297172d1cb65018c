/* test_random_invert.c -- as Keras does it with the same random numbers. */
#include <criterion/criterion.h>

#include "net.h"

Test(random_invert, golden_forward)
{
    test_golden_layer("random_invert");
}
