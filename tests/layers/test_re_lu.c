/* test_re_lu.c -- against Keras's, alone; behind other layers: layers_functions.py. */
#include <criterion/criterion.h>

#include "net.h"

Test(re_lu, golden_forward_and_gradient)
{
    test_golden_layer("re_lu_");
}
