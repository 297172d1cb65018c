/* test_batch_normalization.c -- frozen against PyTorch's, in training against Keras's, on every
 * layout.
 */
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
    if (test_has_avx2())
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

/* ---- in training ---- */

/* Sources may lie 1000 deviations from 0; gradients are sums of up to 400 terms. */
static const test_golden_way measured = {
    .file = "normalization.h5", .absolute = 2e-5, .relative = 2e-5};

Test(batch_normalization, golden_in_training)
{
    test_golden_layer_with("batch", &measured);
}

Test(batch_normalization, golden_in_training_of_groups)
{
    test_golden_layer_with("virtual", &measured);
}

Test(batch_normalization, golden_in_training_with_avx2)
{
    test_golden_layer_with_avx2("batch", &measured);
}

/* The source itself is rounded to 2^-9. */
Test(batch_normalization, golden_in_training_in_bfloat16)
{
    test_golden_layer_in_bfloat16("batch_blocks", &measured, 4e-2);
    test_golden_layer_in_bfloat16("batch_flat", &measured, 4e-2);
}

static void expect_statistic(const test_net *net, hid_t file, const char *group, const char *name,
                             int step)
{
    char path[128];
    size_t n;
    tr_error err = {0};
    snprintf(path, sizeof path, "%s/%s_after", group, name);
    float *expected = test_golden_floats(file, path, &n), *got = tr_alloc(n / 2, sizeof *got);
    for (int i = 0; i < tr_model_n_weights(net->model); i++)
        if (strcmp(tr_model_weight(net->model, i).name, name) == 0)
            cr_assert_eq(tr_model_get_weight(net->model, i, got, &err), TR_OK, "%s", err.text);
    test_close(path, got, expected + (size_t)step * n / 2, n / 2, 1e-6, 1e-6);
    tr_free(expected);
    tr_free(got);
}

/* Keras's after one step and after two. */
Test(batch_normalization, golden_moving_statistics)
{
    static const char *const cases[] = {"batch",
                                        "batch_17_channels_no_scale",
                                        "batch_24_channels_relu",
                                        "batch_3_channels_wide",
                                        "batch_far_from_0",
                                        "batch_far_from_0_blocks_relu",
                                        "batch_flat",
                                        "batch_of_one_number",
                                        "virtual",
                                        "virtual_blocks_relu",
                                        "virtual_flat_relu"};
    const hid_t file = test_golden_open("normalization.h5");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[128];
        size_t n;
        snprintf(path, sizeof path, "%s/src", cases[i]);
        test_net *net = test_net_golden(file, cases[i], NULL, 0);
        float *src = test_golden_floats(file, path, &n), *dst = tr_alloc(n, sizeof *dst);
        for (int step = 0; step < 2; step++) {
            test_net_forward(net, src, dst);
            cr_assert_eq(tr_replica_run(net->replica, TR_CONCLUDE), TR_OK);
            expect_statistic(net, file, cases[i], "moving_mean", step);
            expect_statistic(net, file, cases[i], "moving_variance", step);
        }
        tr_free(src);
        tr_free(dst);
        test_net_free(net);
    }
    H5Fclose(file);
}

/* ---- what it has ---- */

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
