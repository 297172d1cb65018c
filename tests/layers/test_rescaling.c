/* test_rescaling.c -- a factor and a constant, for all channels or for each. */
#include <criterion/criterion.h>

#include "net.h"

Test(rescaling, golden_forward_and_gradients)
{
    test_golden_layer("rescaling");
}

Test(rescaling, other_numbers_of_channels_are_refused)
{
    test_refused("[model]\ninput_shape = 3, 3, 4\n[layer.a]\ntype = rescaling\nscale = 1, 2, 3\n"
                 "[layer.f]\ntype = flatten\n",
                 "scale has 3 numbers for 4 channels");
    test_refused("[model]\ninput_shape = 3, 3, 4\n[layer.a]\ntype = rescaling\nscale = 1/0\n"
                 "[layer.f]\ntype = flatten\n",
                 "or fractions");
}
