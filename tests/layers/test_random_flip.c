/* test_random_flip.c -- as Keras does it with the same random numbers. */
#include <criterion/criterion.h>

#include "net.h"

Test(random_flip, golden_forward)
{
    test_golden_layer("random_flip_");
}
