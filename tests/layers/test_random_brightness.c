/* test_random_brightness.c -- as Keras does it with the same random numbers. */
#include <criterion/criterion.h>

#include "net.h"

Test(random_brightness, golden_forward)
{
    test_golden_layer("random_brightness");
}
