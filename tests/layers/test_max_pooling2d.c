/* test_max_pooling2d.c -- pooling against PyTorch: overhang, ties, stride over window. */
#include <criterion/criterion.h>

#include "net.h"

Test(max_pooling2d, golden_forward_and_gradients)
{
    test_golden_layer("max_pooling2d_");
}
