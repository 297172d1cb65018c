/* test_winograd.c -- another algorithm, nearly the same numbers; which layers take it, and the
 * refusal where none can. */
#include <criterion/criterion.h>
#include <string.h>

#include "mem.h"
#include "rig.h"

static const char winograd[] = "engine.convolution=winograd";

static tr_status build(const char *body, const char *const *overrides, size_t n_overrides,
                       tr_config **config, tr_model **model, tr_error *err)
{
    *config = test_config(body, overrides, n_overrides);
    cr_assert_eq(tr_model_parse(model, *config, err), TR_OK, "%s", err->text);
    cr_assert_eq(tr_config_check(*config, err), TR_OK, "%s", err->text);
    return tr_model_build(*model, err);
}

/* 16 -> 32 -> 16 channels; smooth, because a kink makes a large error of a small one. */
#define SMOOTH(shape, padding)                                                                     \
    "[model]\ninput_shape = " shape "\n"                                                           \
    "[layer.a]\ntype = conv2d\nfilters = 32\nkernel_size = 3\npadding = same\n"                    \
    "activation = tanh\n[layer.b]\ntype = conv2d\nfilters = 16\nkernel_size = 3\n"                 \
    "padding = " padding "\nactivation = sigmoid\n[layer.f]\ntype = flatten\n"                     \
    "[layer.d]\ntype = dense\nunits = 5\nactivation = softmax\n"

/* ---- near the direct algorithm ---- */

static const char *const layers[] = {
    "[layer.a]\ntype = conv2d\nfilters = 32\nkernel_size = 3\npadding = same\nactivation = tanh\n"
    "[layer.b]\ntype = conv2d\nfilters = 16\nkernel_size = 3\npadding = same\n",
    "[layer.a]\ntype = conv2d\nfilters = 32\nkernel_size = 3\nuse_bias = false\n"
    "[layer.b]\ntype = activation\nactivation = sigmoid\n",
    "[layer.a]\ntype = conv2d\nfilters = 48\nkernel_size = 3\npadding = same\n"
    "activation = sigmoid\n[layer.b]\ntype = conv2d\nfilters = 16\nkernel_size = 3\n",
};

/* The transforms of blocks of 4 x 4 results multiply by up to 8 and subtract again, which costs a
 * digit: where the direct algorithm is 3e-7 of the norm away from the exact result, up to 1.6e-6
 * was measured here. Three times that. */
static const double tolerance = 5e-6;

static void compare(const char *what, const float *a, const float *b, size_t n)
{
    const double distance = test_distance(a, b, n);
    cr_assert(distance <= tolerance, "%s: %.3g of the norm away", what, distance);
}

static void compare_nets(const char *body, const int64_t shape[3], int64_t n)
{
    const char *const overrides[] = {winograd};
    test_net *direct = test_net_new(body, shape, n);
    test_net *net = test_net_new_with(body, shape, n, overrides, 1);
    const size_t n_src = (size_t)(n * shape[0] * shape[1] * shape[2]);
    const size_t n_dst = (size_t)(n * test_net_outputs(net));
    float *src = tr_alloc(n_src, sizeof *src), *diff_dst = tr_alloc(n_dst, sizeof *diff_dst);
    float *dst[2], *diff_src[2];
    test_fill(src, n_src, 1);
    test_fill(diff_dst, n_dst, 2);
    test_net *nets[2] = {net, direct};
    for (int i = 0; i < 2; i++) {
        dst[i] = tr_alloc(n_dst, sizeof(float));
        diff_src[i] = tr_alloc(n_src, sizeof(float));
        test_net_forward(nets[i], src, dst[i]);
        test_net_backward(nets[i], diff_dst, diff_src[i]);
    }
    compare("output", dst[0], dst[1], n_dst);
    compare("gradient of the images", diff_src[0], diff_src[1], n_src);
    for (int w = 0; w < tr_model_n_weights(net->model); w++) {
        const tr_weight_info info = tr_model_weight(net->model, w);
        float *a = tr_alloc((size_t)info.n, sizeof *a), *b = tr_alloc((size_t)info.n, sizeof *b);
        test_net_gradient(net, w, a);
        test_net_gradient(direct, w, b);
        compare(info.name, a, b, (size_t)info.n);
        tr_free(a);
        tr_free(b);
    }
    for (int i = 0; i < 2; i++) {
        tr_free(dst[i]);
        tr_free(diff_src[i]);
        test_net_free(nets[i]);
    }
    tr_free(src);
    tr_free(diff_dst);
}

Test(winograd, results_are_near_those_of_the_direct_algorithm)
{
    static const int64_t shapes[][3] = {{7, 9, 16}, {14, 14, 16}, {4, 4, 32}, {5, 3, 16}};
    test_skip_without_winograd();
    for (size_t l = 0; l < sizeof layers / sizeof *layers; l++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            compare_nets(layers[l], shapes[i], 1);
            compare_nets(layers[l], shapes[i], 8);
        }
}

Test(winograd, a_step_is_near_that_of_the_direct_algorithm)
{
    static const char *const overrides[] = {"engine.micro_batch=4", winograd};
    const int64_t shape[3] = {7, 9, 16};
    test_skip_without_winograd();
    tr_samples samples = test_samples(30, shape, 5);
    test_rig direct = test_rig_new(SMOOTH("7, 9, 16", "valid"), "sgd", 2, 30, overrides, 1);
    test_rig rig = test_rig_new(SMOOTH("7, 9, 16", "valid"), "sgd", 2, 30, overrides, 2);
    const tr_sums expected = test_rig_step(&direct, &samples, 30, 0);
    const tr_sums sums = test_rig_step(&rig, &samples, 30, 0);
    cr_assert_float_eq(sums.loss, expected.loss, tolerance * expected.loss);
    for (int w = 0; w < tr_model_n_weights(rig.model); w++) {
        const tr_weight_info info = tr_model_weight(rig.model, w);
        float *a = test_rig_gradient(&rig, w), *b = test_rig_gradient(&direct, w);
        compare(info.layer, a, b, (size_t)info.n);
        tr_free(a);
        tr_free(b);
    }
    test_rig_free(&rig);
    test_rig_free(&direct);
    test_samples_free(&samples);
}

/* ---- threads ---- */

static const char relu_layers[] =
    "[model]\ninput_shape = 9, 10, 16\n"
    "[layer.a]\ntype = conv2d\nfilters = 32\nkernel_size = 3\npadding = same\n"
    "activation = relu\n[layer.p]\ntype = max_pooling2d\n"
    "[layer.b]\ntype = conv2d\nfilters = 16\nkernel_size = 3\npadding = same\n"
    "activation = relu\n[layer.f]\ntype = flatten\n"
    "[layer.d]\ntype = dense\nunits = 5\nactivation = softmax\n";

Test(winograd, threads_do_not_change_a_bit)
{
    static const char *const micro_batches[] = {"engine.micro_batch=8", "engine.micro_batch=1"};
    const int64_t shape[3] = {9, 10, 16};
    test_skip_without_winograd();
    for (int m = 0; m < 2; m++) {
        const char *const overrides[] = {micro_batches[m], winograd};
        char one[33], other[33], direct[33];
        test_rig_digest(relu_layers, "adam", shape, 5, 1, overrides, 2, one);
        test_rig_digest(relu_layers, "adam", shape, 5, 1, overrides, 1, direct);
        cr_assert_str_neq(one, direct);
        for (int threads = 2; threads <= 5; threads += 3) {
            test_rig_digest(relu_layers, "adam", shape, 5, threads, overrides, 2, other);
            cr_assert_str_eq(one, other, "%d threads, %s", threads, micro_batches[m]);
        }
    }
}

/* ---- which layers take it ---- */

static const char mixed_layers[] =
    "[model]\ninput_shape = 14, 14, 1\n"
    "[layer.grey]\ntype = conv2d\nfilters = 32\nkernel_size = 3\npadding = same\n"
    "[layer.good]\ntype = conv2d\nfilters = 64\nkernel_size = 3\npadding = same\n"
    "activation = relu\n"
    "[layer.linear]\ntype = conv2d\nfilters = 32\nkernel_size = 3\n"
    "[layer.five]\ntype = conv2d\nfilters = 32\nkernel_size = 5\npadding = same\n"
    "[layer.stride]\ntype = conv2d\nfilters = 32\nkernel_size = 3\nstrides = 2\n"
    "padding = same\n"
    "[layer.few]\ntype = conv2d\nfilters = 24\nkernel_size = 3\n"
    "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 5\nactivation = softmax\n";

/* Convolutions of the layer, and how many of them are Winograd's. */
static void count(const tr_model *model, const char *layer, int *n, int *n_winograd)
{
    const tr_program *program = model->training.program;
    *n = *n_winograd = 0;
    for (size_t i = 0; i < tr_program_n_ops(program); i++) {
        const tr_op_info op = tr_program_op(program, i);
        if (strcmp(op.layer, layer) != 0 || strcmp(op.what, "convolution") != 0)
            continue;
        ++*n;
        *n_winograd += op.is_winograd;
        cr_assert_eq(op.is_winograd, strstr(op.impl, "wino") != NULL, "%s", op.impl);
        cr_assert_not(op.is_ref, "%s: %s", layer, op.impl);
    }
}

Test(winograd, takes_3x3_kernels_with_full_blocks_of_channels)
{
    static const char *const direct_layers[] = {"grey", "five", "stride", "few"};
    static const char *const overrides[] = {winograd};
    tr_config *config;
    tr_model *model = NULL;
    tr_error err = {0};
    int n, n_winograd;
    test_skip_without_winograd();
    cr_assert_eq(build(mixed_layers, overrides, 1, &config, &model, &err), TR_OK, "%s", err.text);
    count(model, "good", &n, &n_winograd);
    cr_assert(n == 3 && n_winograd == 3, "%d of %d", n_winograd, n);
    count(model, "linear", &n, &n_winograd);
    cr_assert(n == 3 && n_winograd == 3, "%d of %d", n_winograd, n);
    for (int i = 0; i < 4; i++) {
        count(model, direct_layers[i], &n, &n_winograd);
        cr_assert_eq(n, i == 0 ? 2 : 3, "%s", direct_layers[i]); /* the first: no data gradient */
        cr_assert_eq(n_winograd, 0, "%s", direct_layers[i]);
    }
    tr_model_free(model);
    tr_config_free(config);
}

Test(winograd, is_not_taken_unless_asked_for)
{
    tr_config *config;
    tr_model *model = NULL;
    tr_error err = {0};
    int n, n_winograd;
    cr_assert_eq(build(mixed_layers, NULL, 0, &config, &model, &err), TR_OK, "%s", err.text);
    count(model, "good", &n, &n_winograd);
    cr_assert(n == 3 && n_winograd == 0);
    tr_model_free(model);
    tr_config_free(config);
}

/* ---- a key that changes nothing is refused ---- */

static void refuse(const char *body, const char *other)
{
    const char *const overrides[] = {winograd, other};
    tr_config *config;
    tr_model *model = NULL;
    tr_error err = {0};
    cr_assert_eq(build(body, overrides, 2, &config, &model, &err), TR_ERR_CONFIG);
    cr_assert_not_null(strstr(err.text, "[engine] convolution = winograd"), "%s", err.text);
    cr_assert_not_null(strstr(err.text, "use convolution = direct"), "%s", err.text);
    tr_model_free(model);
    tr_config_free(config);
}

Test(winograd, refused_without_a_layer_for_it)
{
    refuse("[model]\ninput_shape = 14, 14, 16\n"
           "[layer.c]\ntype = conv2d\nfilters = 32\nkernel_size = 5\n"
           "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 5\nactivation = softmax\n",
           "engine.isa=auto");
    refuse("[model]\ninput_shape = 14, 14, 1\n"
           "[layer.c]\ntype = conv2d\nfilters = 32\nkernel_size = 3\n"
           "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 5\nactivation = softmax\n",
           "engine.isa=auto");
}

Test(winograd, refused_with_bfloat16)
{
    if (!test_has_bfloat16())
        cr_skip_test("this CPU has neither AVX512_BF16 nor AMX");
    refuse(mixed_layers, "engine.precision=bfloat16");
}

Test(winograd, refused_with_avx2)
{
    refuse(mixed_layers, "engine.isa=avx2");
}
