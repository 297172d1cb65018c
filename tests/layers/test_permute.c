/* test_permute.c -- the axes of an image in every order. */
#include <criterion/criterion.h>

#include "net.h"

Test(permute, golden_forward_and_gradients)
{
    test_golden_layer("permute_");
}

Test(permute, what_is_no_permutation_is_refused)
{
    test_refused("[model]\ninput_shape = 3, 3, 2\n[layer.a]\ntype = permute\ndims = 1, 2, 2\n"
                 "[layer.f]\ntype = flatten\n",
                 "dims must be 1, 2 and 3, each once");
    test_refused("[model]\ninput_shape = 3, 3, 2\n[layer.a]\ntype = permute\ndims = 1\n"
                 "[layer.f]\ntype = flatten\n",
                 "dims must be 1, 2 and 3, each once");
    test_refused("[model]\ninput_shape = 3, 3, 2\n[layer.f]\ntype = flatten\n[layer.a]\n"
                 "type = permute\ndims = 2, 1, 3\n",
                 "the input is a vector");
}
