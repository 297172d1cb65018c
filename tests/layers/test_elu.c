/* test_elu.c -- against Keras's, alone; behind other layers: layers_functions.py. */
#include <criterion/criterion.h>

#include "net.h"

Test(elu, golden_forward_and_gradient)
{
    test_golden_layer("elu_");
}
