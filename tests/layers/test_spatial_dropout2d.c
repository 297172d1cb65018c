/* test_spatial_dropout2d.c -- against Keras's, given the numbers that ours draws. */
#include <criterion/criterion.h>

#include "net.h"

Test(spatial_dropout2d, golden_forward_and_gradient)
{
    test_golden_layer("spatial_dropout2d");
}
