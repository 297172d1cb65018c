/* test_random_color_degeneration.c -- as Keras does it with the same random numbers. */
#include <criterion/criterion.h>

#include "net.h"

Test(random_color_degeneration, golden_forward)
{
    test_golden_layer("random_color_degeneration");
}
