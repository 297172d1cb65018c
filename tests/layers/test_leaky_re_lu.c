/* test_leaky_re_lu.c -- against Keras's, alone; behind other layers: layers_functions.py. */
#include <criterion/criterion.h>

#include "net.h"

Test(leaky_re_lu, golden_forward_and_gradient)
{
    test_golden_layer("leaky_re_lu_");
}
