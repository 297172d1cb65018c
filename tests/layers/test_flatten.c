/* test_flatten.c -- channels-last order, whatever the layout of the tensor before it. */
#include <criterion/criterion.h>

#include "net.h"

Test(flatten, golden_forward_and_gradients)
{
    test_golden_layer("flatten");
}
