/* test_gaussian_dropout.c -- against Keras's, given the numbers that ours draws. */
#include <criterion/criterion.h>

#include "net.h"

Test(gaussian_dropout, golden_forward_and_gradient)
{
    test_golden_layer("gaussian_dropout");
}
