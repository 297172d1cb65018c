/* test_random_sharpness.c -- as Keras does it with the same random numbers. */
#include <criterion/criterion.h>

#include "net.h"

Test(random_sharpness, golden_forward)
{
    test_golden_layer("random_sharpness");
}
