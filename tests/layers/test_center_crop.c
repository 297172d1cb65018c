/* test_center_crop.c -- as Keras does it. */
#include <criterion/criterion.h>

#include "net.h"

Test(center_crop, golden_forward)
{
    test_golden_layer("center_crop_");
}

Test(center_crop, a_larger_result_is_refused)
{
    test_refused("[model]\ninput_shape = 3, 3, 1\n[layer.a]\ntype = center_crop\nheight = 4\n"
                 "width = 2\n[layer.f]\ntype = flatten\n",
                 "4 x 2 cannot be cut out of 3 x 3");
}
