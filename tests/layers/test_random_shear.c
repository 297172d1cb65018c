/* test_random_shear.c -- as Keras does it with the same random numbers. */
#include <criterion/criterion.h>

#include "net.h"

Test(random_shear, golden_forward)
{
    test_golden_layer("random_shear");
}
