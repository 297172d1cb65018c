/* test_up_sampling2d.c -- larger images, as Keras makes them. */
#include <criterion/criterion.h>

#include "net.h"

Test(up_sampling2d, golden_forward_and_gradients)
{
    test_golden_layer("up_sampling2d_");
}

Test(up_sampling2d, other_interpolations_are_refused)
{
    test_refused("[model]\ninput_shape = 3, 3, 1\n[layer.a]\ntype = up_sampling2d\n"
                 "interpolation = bicubic\n[layer.f]\ntype = flatten\n",
                 "one of: nearest, bilinear");
}
