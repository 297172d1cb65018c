/* test_random_contrast.c -- as Keras does it with the same random numbers. */
#include <criterion/criterion.h>

#include "net.h"

Test(random_contrast, golden_forward)
{
    test_golden_layer("random_contrast");
}
