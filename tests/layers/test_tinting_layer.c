/* test_tinting_layer.c -- what all layers that tint images share: gradients, also of what is cut
 * off, and what they refuse.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "net.h"

enum { N = 3, H = 4, W = 5, C = 3, IN = N * H * W * C };
static const int64_t shape[3] = {H, W, C};

/* Results are piecewise linear in the source: a difference quotient of width 2^-7 is exact to
 * float32's rounding, 2^-23 * 128 a term, where no kink lies between; of 180 elements some have
 * one. */
static void check_gradient(const char *layers)
{
    static float src[IN], dst[IN], up[IN], down[IN], diff[IN], back[IN];
    const float step = 0.0078125f;
    int wrong = 0;
    test_net *net = test_net_new(layers, shape, N);
    test_fill(src, IN, 4);
    test_fill(diff, IN, 5);
    test_net_forward(net, src, dst);
    test_net_backward(net, diff, back);
    for (int i = 0; i < IN; i++) {
        const float x = src[i];
        double slope = 0.0;
        src[i] = x + step;
        test_net_forward(net, src, up);
        src[i] = x - step;
        test_net_forward(net, src, down);
        src[i] = x;
        for (int k = 0; k < IN; k++)
            slope += (double)(up[k] - down[k]) * (double)diff[k] / (2.0 * (double)step);
        wrong += fabs(slope - (double)back[i]) > 2e-4;
    }
    cr_assert_leq(wrong, IN / 20, "%s: %d of %d", layers, wrong, IN);
    test_net_free(net);
}

Test(tinting_layer, gradients)
{
    check_gradient("[layer.a]\ntype = random_contrast\nfactor = 0.9\nvalue_range = -0.7, 0.8\n");
    check_gradient("[layer.a]\ntype = random_brightness\nfactor = 0.4\nvalue_range = -0.7, 0.8\n");
    check_gradient("[layer.a]\ntype = random_color_degeneration\nfactor = 0.2, 0.9\n"
                   "value_range = -0.7, 0.8\n");
    check_gradient("[layer.a]\ntype = random_sharpness\nfactor = 1\nvalue_range = -0.7, 0.8\n");
    check_gradient("[layer.a]\ntype = random_grayscale\n");
    check_gradient("[layer.a]\ntype = random_invert\nfactor = 0.2, 0.8\nvalue_range = 0, 1\n");
    check_gradient("[layer.a]\ntype = random_erasing\nfactor = 1, 1\nscale = 0.2, 0.5\n");
}

Test(tinting_layer, evaluation_leaves_them_out)
{
    test_net *net = test_net_new("[layer.a]\ntype = random_contrast\nfactor = 0.5\n[layer.b]\n"
                                 "type = random_erasing\n",
                                 shape, N);
    cr_assert_eq(tr_program_n_ops(net->model->inference.program), 0);
    cr_assert_eq(tr_program_n_ops(net->model->training.program), 4);
    test_net_free(net);
}

#define ON_IMAGE "[model]\ninput_shape = 5, 6, 1\n[layer.a]\ntype = "
#define FLAT "[layer.f]\ntype = flatten\n"

Test(tinting_layer, mistakes_are_said)
{
    test_refused(ON_IMAGE "random_contrast\nfactor = -0.1\n" FLAT, "factor = -0.1: must be from 0");
    test_refused(ON_IMAGE "random_brightness\nfactor = 0.1\nvalue_range = 1\n" FLAT,
                 "value_range must be two numbers");
    test_refused(ON_IMAGE "random_brightness\nfactor = 0.1\nvalue_range = 1, 0\n" FLAT,
                 "value_range must be two numbers");
    test_refused(ON_IMAGE "random_grayscale\n" FLAT,
                 "random_grayscale needs three channels, red, green and blue, and here are 1");
}
