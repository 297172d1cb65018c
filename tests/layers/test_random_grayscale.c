/* test_random_grayscale.c -- as Keras does it with the same random numbers. */
#include <criterion/criterion.h>

#include "net.h"

Test(random_grayscale, golden_forward)
{
    test_golden_layer("random_grayscale");
}
