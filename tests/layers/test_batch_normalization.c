/* test_batch_normalization.c -- inference against PyTorch's, on every layout; no training yet. */
#include <criterion/criterion.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "optimizer.h"
#include "rig.h"

Test(batch_normalization, golden_forward_and_gradient)
{
    test_golden_layer("batch_normalization");
}

Test(batch_normalization, golden_forward_and_gradient_with_avx2)
{
    static const char *const avx2[] = {"engine.isa=avx2"};
    const test_golden_way way = {
        .overrides = avx2, .n_overrides = 1, .absolute = 2e-5, .relative = 2e-5};
    if (__builtin_cpu_supports("avx2"))
        test_golden_layer_with("batch_normalization", &way);
}

Test(batch_normalization, golden_forward_and_gradient_in_bfloat16)
{
    static const char *const bfloat16[] = {"engine.precision=bfloat16"};
    const test_golden_way way = {
        .overrides = bfloat16, .n_overrides = 1, .absolute = 2e-2, .relative = 2e-2};
    if (!test_has_bfloat16())
        cr_skip_test("this CPU has no bfloat16 instructions, or they are forbidden");
    test_golden_layer_with("batch_normalization", &way);
}

/* Keras's order and initial values; and what is trained of it. */
Test(batch_normalization, has_keras_weights)
{
    static const int64_t shape[3] = {2, 3, 5};
    static const char *const names[] = {"gamma", "beta", "moving_mean", "moving_variance"};
    static const float initial[] = {1.0f, 0.0f, 0.0f, 1.0f};
    tr_error err = {0};
    test_net *net = test_net_new("[layer.b]\ntype = batch_normalization\n", shape, 2);
    cr_assert_eq(tr_model_n_weights(net->model), 4);
    for (int i = 0; i < 4; i++) {
        float values[5];
        cr_expect_str_eq(tr_model_weight(net->model, i).name, names[i]);
        cr_assert_eq(tr_model_get_weight(net->model, i, values, &err), TR_OK, "%s", err.text);
        cr_expect_eq(values[0], initial[i]);
        cr_expect_eq(values[4], initial[i]);
    }
    char *summary = tr_model_summary(net->model);
    cr_expect_not_null(strstr(summary, "Trainable params: 10\n"), "%s", summary);
    cr_expect_not_null(strstr(summary, "Non-trainable params: 10\n"), "%s", summary);
    tr_free(summary);
    test_net_free(net);
}
