/* test_global_average_pooling2d.c -- the average of a channel, as a vector and as an image. */
#include <criterion/criterion.h>

#include "net.h"

Test(global_average_pooling2d, golden_forward_and_gradients)
{
    test_golden_layer("global_average_pooling2d");
}
