/* test_conv2d.c -- convolution against PyTorch in float64, at odd shapes, and its refusals. */
#include <criterion/criterion.h>

#include "net.h"

Test(conv2d, golden_forward_and_gradients)
{
    test_golden_layer("conv2d_");
}
