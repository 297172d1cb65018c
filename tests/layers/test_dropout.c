/* test_dropout.c -- masks against another Philox, the share they keep, and what they depend on. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "net.h"

Test(dropout, golden_forward_and_gradients)
{
    test_golden_layer("dropout");
}

enum { N = 4, PIXELS = 30 * 31 * 7 };
static const int64_t shape[3] = {30, 31, 7};

static test_net *net_of(const char *rate)
{
    char *layer = tr_format("[layer.a]\ntype = dropout\nrate = %s\n", rate);
    test_net *net = test_net_new(layer, shape, N);
    tr_free(layer);
    return net;
}

static void ones(float *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        values[i] = 1.0f;
}

Test(dropout, keeps_its_share_and_the_expectation)
{
    static float src[N * PIXELS], dst[N * PIXELS];
    static const struct {
        const char *text;
        double rate;
    } rates[] = {
        {"0.05", 0.05}, {"0.5", 0.5}, {"0.75", 0.75}, {"0.99", 0.99}, {"0.99999", 0.99999}};
    ones(src, N * PIXELS);
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        /* What is drawn, and divided by, is the nearest multiple of 1/65536. */
        const double kept_share = round((1.0 - rates[r].rate) * 65536.0) / 65536.0;
        const double rate = 1.0 - kept_share, n = N * PIXELS;
        test_net *net = net_of(rates[r].text);
        double kept = 0.0, sum = 0.0;
        test_net_forward(net, src, dst);
        for (size_t i = 0; i < N * PIXELS; i++) {
            cr_assert(dst[i] == 0.0f || dst[i] == (float)(1.0 / kept_share));
            kept += dst[i] != 0.0f;
            sum += (double)dst[i];
        }
        /* Five standard deviations of a binomial distribution. */
        cr_assert_float_eq(kept / n, 1.0 - rate, 5.0 * sqrt(rate * (1.0 - rate) / n));
        cr_assert_float_eq(sum / n, 1.0, 5.0 * sqrt(rate / (1.0 - rate) / n));
        test_net_free(net);
    }
}

static void forward_at(test_net *net, const tr_draw *draw, float *dst)
{
    static float src[N * PIXELS];
    ones(src, N * PIXELS);
    tr_replica_set_draw(net->replica, draw);
    test_net_forward(net, src, dst);
}

static bool same(const float *a, const float *b)
{
    return memcmp(a, b, PIXELS * sizeof *a) == 0;
}

Test(dropout, mask_belongs_to_the_sample_and_the_update)
{
    static float first[N * PIXELS], other[N * PIXELS];
    static const uint32_t samples[N] = {7, 1000000007, 3, 0}, moved[N] = {0, 7, 9, 1000000007};
    test_net *net = net_of("0.5");
    tr_draw draw = {.seed = 5, .update = 9, .samples = samples, .n = N};
    forward_at(net, &draw, first);
    draw.samples = moved;
    forward_at(net, &draw, other);
    cr_assert(same(first, other + PIXELS) && same(first + PIXELS, other + 3 * PIXELS) &&
              same(first + 3 * PIXELS, other));
    for (int i = 0; i < N; i++) /* sample 9 is new */
        cr_assert_not(same(first + i * PIXELS, other + 2 * PIXELS));
    draw = (tr_draw){.seed = 5, .update = 10, .samples = samples, .n = N};
    forward_at(net, &draw, other);
    cr_assert_not(same(first, other));
    draw = (tr_draw){.seed = 6, .update = 9, .samples = samples, .n = N};
    forward_at(net, &draw, other);
    cr_assert_not(same(first, other));
    draw = (tr_draw){.seed = 5, .update = 9, .samples = samples, .n = 2}; /* a short micro-batch */
    forward_at(net, &draw, other);
    cr_assert(same(first, other) && same(first + PIXELS, other + PIXELS));
    test_net_free(net);
}

/* One after the other: what is left is a product of two masks. */
Test(dropout, layers_have_masks_of_their_own)
{
    static float src[N * PIXELS], dst[N * PIXELS];
    test_net *net = test_net_new("[layer.a]\ntype = dropout\nrate = 0.5\n"
                                 "[layer.b]\ntype = dropout\nrate = 0.5\n",
                                 shape, N);
    int kept = 0;
    ones(src, N * PIXELS);
    test_net_forward(net, src, dst);
    for (size_t i = 0; i < N * PIXELS; i++)
        kept += dst[i] != 0.0f;
    cr_assert_float_eq(kept / (double)(N * PIXELS), 0.25, 0.02);
    test_net_free(net);
}

Test(dropout, evaluation_leaves_it_out)
{
    test_net *net = net_of("0.5");
    cr_assert_eq(tr_program_n_ops(net->model->inference.program), 0);
    cr_assert_eq(tr_program_n_ops(net->model->training.program), 2);
    test_net_free(net);
}

Test(dropout, a_rate_of_one_or_below_zero_is_refused)
{
    static const char *const wrong[] = {"1", "-0.1", "1.5", "half", "0.999999", "0.000001"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *body = tr_format("[model]\ninput_shape = 3, 3, 1\n[layer.a]\ntype = dropout\n"
                               "rate = %s\n[layer.f]\ntype = flatten\n",
                               wrong[i]);
        tr_config *config = test_config(body, NULL, 0);
        tr_model *model = NULL;
        tr_error err = {0};
        cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
        cr_assert_eq(tr_config_check(config, &err), TR_ERR_CONFIG, "%s", wrong[i]);
        cr_assert_not_null(strstr(err.text, "rate"), "%s", err.text);
        tr_model_free(model);
        tr_config_free(config);
        tr_free(body);
    }
}
