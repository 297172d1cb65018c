/* test_layer_scale.c -- factors of channels, and their gradient. */
#include <criterion/criterion.h>

#include "mem.h"
#include "net.h"
#include "rig.h"

/* Sums of up to 36 terms. */
static const test_golden_way float32 = {.absolute = 2e-5, .relative = 2e-5};

Test(layer_scale, golden_forward_and_gradients)
{
    test_golden_layer("layer_scale_");
}

Test(layer_scale, golden_forward_and_gradients_with_kernels_of_our_own)
{
    static const char *const portable[] = {"engine.kernels=portable"};
    const test_golden_way way = {
        .overrides = portable, .n_overrides = 1, .absolute = 2e-5, .relative = 2e-5};
    test_golden_layer_with("layer_scale_", &way);
}

Test(layer_scale, golden_forward_and_gradients_in_bfloat16)
{
    test_golden_layer_in_bfloat16("layer_scale_", &float32, 4e-2);
}

Test(layer_scale, begins_with_its_initial_value)
{
    static const int64_t shape[3] = {2, 3, 5};
    tr_error err = {0};
    float values[5];
    test_net *net = test_net_new("[layer.s]\ntype = layer_scale\ninit_values = 0.25\n"
                                 "projection_dim = 5\n",
                                 shape, 2);
    cr_assert_eq(tr_model_n_weights(net->model), 1);
    cr_expect_str_eq(tr_model_weight(net->model, 0).name, "gamma");
    cr_assert_eq(tr_model_get_weight(net->model, 0, values, &err), TR_OK, "%s", err.text);
    for (int i = 0; i < 5; i++)
        cr_expect_eq(values[i], 0.25f);
    test_net_free(net);
    test_refused("[model]\ninput_shape = 3, 3, 4\n[layer.a]\ntype = layer_scale\n"
                 "projection_dim = 3\n[layer.f]\ntype = flatten\n",
                 "projection_dim = 3, but there are 4 channels");
}
