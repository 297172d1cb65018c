/* test_conv2d_transpose.c -- on oneDNN's kernels and on those of our own. */
#include <criterion/criterion.h>

#include "net.h"
#include "rig.h"

/* Sums of a few hundred terms. */
static const test_golden_way float32 = {.absolute = 2e-5, .relative = 2e-5};

Test(conv2d_transpose, golden_forward_and_gradients)
{
    test_golden_layer("conv2d_transpose_");
}

Test(conv2d_transpose, golden_forward_and_gradients_with_avx2)
{
    test_golden_layer_with_avx2("conv2d_transpose_", &float32);
}

Test(conv2d_transpose, golden_forward_and_gradients_in_bfloat16)
{
    test_golden_layer_in_bfloat16("conv2d_transpose_", &float32, 4e-2);
}

Test(conv2d_transpose, golden_forward_and_gradients_with_kernels_of_our_own)
{
    static const char *const portable[] = {"engine.kernels=portable"};
    const test_golden_way way = {
        .overrides = portable, .n_overrides = 1, .absolute = 2e-5, .relative = 2e-5};
    test_golden_layer_with("conv2d_transpose_", &way);
}

Test(conv2d_transpose, sizes_that_no_convolution_gives_are_refused)
{
#define IMAGE "[model]\ninput_shape = 3, 4, 2\n[layer.a]\ntype = conv2d_transpose\nfilters = 2\n"
#define END "[layer.f]\ntype = flatten\n"
    test_refused(IMAGE "kernel_size = 3\nstrides = 2\noutput_padding = 2\n" END,
                 "it must be less than strides = 2, 2");
    test_refused(IMAGE "kernel_size = 2\nstrides = 2\npadding = same\noutput_padding = 0\n" END,
                 "no convolution makes the input");
    test_refused(IMAGE "kernel_size = 2\nstrides = 2\ndilation_rate = 2\n" END,
                 "one of the two must be 1, 1");
    test_refused("[model]\ninput_shape = 3, 4, 2\n[layer.f]\ntype = flatten\n[layer.a]\n"
                 "type = conv2d_transpose\nfilters = 2\nkernel_size = 2\n",
                 "needs an image");
}
