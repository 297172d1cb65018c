/* test_random_zoom.c -- as Keras does it with the same random numbers. */
#include <criterion/criterion.h>

#include "net.h"

Test(random_zoom, golden_forward)
{
    test_golden_layer("random_zoom_");
}
