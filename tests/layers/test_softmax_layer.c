/* test_softmax_layer.c -- against Keras's, alone; behind other layers: layers_functions.py. */
#include <criterion/criterion.h>

#include "net.h"

Test(softmax_layer, golden_forward_and_gradient)
{
    test_golden_layer("softmax_");
}
