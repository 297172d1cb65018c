/* test_depthwise_conv2d.c -- each channel convolved by itself, against real Keras in float64. */
#include "net.h"

#include <criterion/criterion.h>

Test(depthwise_conv2d, golden_forward_and_gradients)
{
    test_golden_layer("depthwise_conv2d_");
}
