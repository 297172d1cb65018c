/* test_cropping2d.c -- rows and columns taken off at each side, as many as asked for. */
#include <criterion/criterion.h>

#include "net.h"

Test(cropping2d, golden_forward_and_gradients)
{
    test_golden_layer("cropping2d_");
}

Test(cropping2d, an_image_of_which_nothing_is_left_is_refused)
{
    test_refused(
        "[model]\ninput_shape = 3, 3, 1\n[layer.a]\ntype = cropping2d\ncropping = 1, 2, 0, "
        "0\n[layer.f]\ntype = flatten\n",
        "cropping takes 1 and 2 off the height of 3, and nothing is left");
    test_refused("[model]\ninput_shape = 3, 3, 1\n[layer.f]\ntype = flatten\n[layer.a]\n"
                 "type = cropping2d\n",
                 "needs an image");
}
