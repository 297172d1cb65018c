/* test_zero_padding2d.c -- zeros on each side, as many as asked for. */
#include <criterion/criterion.h>

#include "net.h"

Test(zero_padding2d, golden_forward_and_gradients)
{
    test_golden_layer("zero_padding2d");
}
