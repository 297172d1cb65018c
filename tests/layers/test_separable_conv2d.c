/* test_separable_conv2d.c -- depthwise and pointwise convolution, against real Keras in float64. */
#include "net.h"

#include <criterion/criterion.h>

Test(separable_conv2d, golden_forward_and_gradients)
{
    test_golden_layer("separable_conv2d_");
}
