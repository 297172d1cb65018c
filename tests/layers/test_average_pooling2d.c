/* test_average_pooling2d.c -- average pooling: overhang is not counted, stride over window. */
#include <criterion/criterion.h>

#include "net.h"

Test(average_pooling2d, golden_forward_and_gradients)
{
    test_golden_layer("average_pooling2d");
}
