/* test_dense.c -- the dense layer against PyTorch. */
#include <criterion/criterion.h>

#include "net.h"

Test(dense, golden_forward_and_gradients)
{
    test_golden_layer("dense_");
}
