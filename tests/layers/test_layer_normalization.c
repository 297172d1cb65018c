/* test_layer_normalization.c -- against Keras's, on every layout. */
#include <criterion/criterion.h>

#include "rig.h"

/* Sources may lie 1000 deviations from 0. */
static const test_golden_way keras = {
    .file = "normalization.h5", .absolute = 2e-5, .relative = 2e-5};

Test(layer_normalization, golden_forward_and_gradient)
{
    test_golden_layer_with("layer", &keras);
}

Test(layer_normalization, golden_forward_and_gradient_with_avx2)
{
    test_golden_layer_with_avx2("layer", &keras);
}

/* The source itself is rounded to 2^-9. */
Test(layer_normalization, golden_forward_and_gradient_in_bfloat16)
{
    test_golden_layer_in_bfloat16("layer_blocks", &keras, 4e-2);
    test_golden_layer_in_bfloat16("layer_flat", &keras, 4e-2);
}
