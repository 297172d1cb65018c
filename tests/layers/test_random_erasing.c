/* test_random_erasing.c -- as Keras does it with the same random numbers. */
#include <criterion/criterion.h>
#include <math.h>

#include "net.h"

Test(random_erasing, golden_forward)
{
    test_golden_layer("random_erasing");
}

enum { N = 64, H = 16, W = 16, C = 3, IMAGE = H * W * C };

/* Without fill_value: normal numbers times the upper end, cut off at both ends; each element has
 * one of its own, in a rectangle whose sides lie between the roots of `scale`. */
Test(random_erasing, noise_within_the_range)
{
    static float src[N * IMAGE], dst[N * IMAGE];
    static const int64_t shape[3] = {H, W, C};
    test_net *net = test_net_new("[layer.a]\ntype = random_erasing\nfactor = 1, 1\n"
                                 "scale = 0.25, 0.5\nvalue_range = -1, 0.5\n",
                                 shape, N);
    int n = 0, low = 0, high = 0, above = 0;
    for (int i = 0; i < N * IMAGE; i++)
        src[i] = 7.0f;
    test_net_forward(net, src, dst);
    test_net_free(net);
    for (int i = 0; i < N * IMAGE; i++) {
        if (dst[i] == 7.0f)
            continue;
        cr_assert(dst[i] >= -1.0f && dst[i] <= 0.5f);
        low += dst[i] == -1.0f;
        high += dst[i] == 0.5f;
        above += dst[i] > 0.0f;
        n++;
    }
    /* A share of 0.25 to 0.5 of the image, less or more by the rounding to pixels. */
    cr_assert_gt(n, N * IMAGE / 5);
    cr_assert_lt(n, N * IMAGE / 2);
    /* z < -2: 2.3 % of the numbers; z > 1: 15.9 %; z > 0: half; five standard deviations. */
    cr_assert_float_eq(low / (double)n, 0.0228, 5.0 * sqrt(0.0228 / n));
    cr_assert_float_eq(high / (double)n, 0.1587, 5.0 * sqrt(0.1587 / n));
    cr_assert_float_eq(above / (double)n, 0.5, 5.0 * sqrt(0.25 / n));
}

Test(random_erasing, a_filling_for_other_channels_is_refused)
{
    test_refused("[model]\ninput_shape = 3, 3, 1\n[layer.a]\ntype = random_erasing\n"
                 "fill_value = 1, 2, 3\n[layer.f]\ntype = flatten\n",
                 "fill_value has 3 numbers for 1 channels");
}
