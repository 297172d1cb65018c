/* test_alpha_dropout.c -- against Keras's, given the numbers that ours draws. */
#include <criterion/criterion.h>

#include "net.h"

Test(alpha_dropout, golden_forward_and_gradient)
{
    test_golden_layer("alpha_dropout");
}
