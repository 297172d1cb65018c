/* test_random_rotation.c -- as Keras does it with the same random numbers. */
#include <criterion/criterion.h>

#include "net.h"

Test(random_rotation, golden_forward)
{
    test_golden_layer("random_rotation_");
}
