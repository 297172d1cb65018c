/* test_conv2d.c -- convolution against PyTorch in float64, at odd shapes, and its refusals. */
#include <criterion/criterion.h>

#include "net.h"

Test(conv2d, golden_forward_and_gradients)
{
    test_golden_layer("conv2d_");
}

Test(conv2d, groups_divide_channels_and_filters)
{
    test_refused("[model]\ninput_shape = 6, 6, 6\n[layer.c]\ntype = conv2d\nfilters = 8\n"
                 "kernel_size = 3\ngroups = 4\n",
                 "groups = 4: must divide the channels, which are 6, and filters = 8");
    test_refused("[model]\ninput_shape = 6, 6, 8\n[layer.c]\ntype = conv2d\nfilters = 6\n"
                 "kernel_size = 3\ngroups = 4\n",
                 "groups = 4: must divide the channels, which are 8, and filters = 6");
}

Test(conv2d, a_dilated_window_must_fit)
{
    test_refused("[model]\ninput_shape = 6, 6, 6\n[layer.c]\ntype = conv2d\nfilters = 8\n"
                 "kernel_size = 3\ndilation_rate = 2, 3\n",
                 "a window of 7 does not fit the width of 6");
}

Test(conv2d, strides_and_dilation_exclude_each_other)
{
    test_refused("[model]\ninput_shape = 6, 6, 6\n[layer.c]\ntype = conv2d\nfilters = 8\n"
                 "kernel_size = 2\ndilation_rate = 2, 1\nstrides = 1, 2\n",
                 "strides = 1, 2 and dilation_rate = 2, 1: one of the two must be 1, 1");
}
