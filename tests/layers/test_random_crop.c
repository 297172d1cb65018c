/* test_random_crop.c -- as Keras does it with the same random numbers. */
#include <criterion/criterion.h>

#include "net.h"

Test(random_crop, golden_forward)
{
    test_golden_layer("random_crop");
}
