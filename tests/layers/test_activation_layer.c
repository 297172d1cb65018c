/* test_activation_layer.c -- activations alone against PyTorch. */
#include <criterion/criterion.h>

#include "net.h"

Test(activation_layer, golden_forward_and_gradients)
{
    test_golden_layer("activation_");
}
