/* test_gaussian_noise.c -- against Keras's, given the numbers that ours draws. */
#include <criterion/criterion.h>

#include "net.h"

Test(gaussian_noise, golden_forward_and_gradient)
{
    test_golden_layer("gaussian_noise");
}
