/* test_prelu.c -- against Keras's, whatever shares a slope. */
#include <criterion/criterion.h>

#include "net.h"

Test(prelu, golden_forward_and_gradients)
{
    test_golden_layer("prelu");
}

Test(prelu, a_vector_has_no_channels_to_share)
{
    test_refused(
        "[model]\ninput_shape = 4, 4, 3\n[layer.f]\ntype = flatten\n[layer.p]\ntype = prelu\n"
        "shared_axes = 2\n[layer.d]\ntype = dense\nunits = 2\n",
        "shared_axes has 2, but a flat vector has one axis");
}
