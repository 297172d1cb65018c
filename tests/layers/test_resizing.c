/* test_resizing.c -- as Keras does it. */
#include <criterion/criterion.h>

#include "net.h"

Test(resizing, golden_forward)
{
    test_golden_layer("resizing_");
}
