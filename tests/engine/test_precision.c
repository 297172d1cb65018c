/* test_precision.c -- bfloat16 computes, float32 remembers: gradients near those of float32,
 * threads without influence, parameters that keep what bfloat16 would round away.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "rig.h"

static void skip_without_bfloat16(void)
{
    if (!test_has_bfloat16())
        cr_skip_test("this CPU has neither AVX512_BF16 nor AMX");
}

/* ---- one step, both precisions ---- */

/* A bfloat16 number has 8 bits of mantissa: rounding to it errs by up to 2^-9 of the number, by
 * 2^-9 / sqrt(3) = 0.0011 on average. A gradient is a sum of products whose factors were rounded
 * independently a handful of times on the way there and back, so that its norm errs by 0.002 to
 * 0.005. That is so where all is smooth. A pooling takes another winner where two pixels are equal
 * in bfloat16, and ReLU another side: a part f of the gradient's elements then sits elsewhere and
 * its norm errs by sqrt(2 f), however small the rounding was; 0.1 is 1 winner in 200. A softmax in
 * the midst subtracts nearly equal numbers. The bounds below are three times what was measured. */
#define SMOOTH 0.012

/* The loss of a sample is a difference of outputs near 1 that err by 2^-9 at most on average. */
static const double loss_tolerance = 0x1p-9;

typedef struct network {
    const char *name, *body;
    int64_t shape[3];
    int classes;
    double last, others; /* what the gradients of the last weighted layer and of others may err */
} network;

static void compare_gradients(const network *net, const test_rig *rough, const test_rig *exact)
{
    const int n = tr_model_n_weights(exact->model);
    const char *last = tr_model_weight(exact->model, n - 1).layer;
    for (int w = 0; w < n; w++) {
        const tr_weight_info info = tr_model_weight(exact->model, w);
        float *a = test_rig_gradient(rough, w), *b = test_rig_gradient(exact, w);
        const double distance = test_distance(a, b, (size_t)info.n);
        cr_assert(distance <= (strcmp(info.layer, last) == 0 ? net->last : net->others),
                  "%s, %s of %s: %.3g of the gradient's norm away", net->name, info.name,
                  info.layer, distance);
        cr_assert_gt(distance, 1e-4, "%s: nothing was computed in bfloat16", net->name);
        tr_free(a);
        tr_free(b);
    }
}

/* A batch of 37, so that the last of its micro-batches of 8 is short. */
static void compare_step(const network *net, const char *micro_batch)
{
    enum { N = 37 };
    char *own = tr_format("engine.micro_batch=%s", micro_batch);
    const char *const overrides[] = {own, "engine.precision=bfloat16"};
    tr_samples samples = test_samples(50, net->shape, net->classes);
    test_rig exact = test_rig_new(net->body, "sgd", 2, N, overrides, 1);
    test_rig rough = test_rig_new(net->body, "sgd", 2, N, overrides, 2);
    const tr_sums expected = test_rig_step(&exact, &samples, N, 0);
    const tr_sums sums = test_rig_step(&rough, &samples, N, 0);
    cr_assert(fabs(sums.loss - expected.loss) <= loss_tolerance * expected.loss,
              "%s: loss %.7g, in float32 %.7g", net->name, sums.loss / N, expected.loss / N);
    compare_gradients(net, &rough, &exact);
    const tr_plan *plan = &rough.model->training;
    cr_assert_eq(tr_layout_type(tr_program_layout(plan->program, plan->output)), TR_FLOAT32);
    test_rig_free(&rough);
    test_rig_free(&exact);
    test_samples_free(&samples);
    tr_free(own);
}

static void compare_steps(const network *nets, size_t n)
{
    skip_without_bfloat16();
    for (size_t i = 0; i < n; i++) {
        compare_step(&nets[i], "8");
        compare_step(&nets[i], "1");
    }
}

Test(precision, gradients_are_near_those_of_float32)
{
    static const network nets[] = {
        {"reference", test_reference_layers, {28, 28, 1}, 10, SMOOTH, 0.3},
        {"odd", test_odd_layers, {9, 7, 3}, 4, SMOOTH, 0.05},
        {"more", test_more_layers, {9, 7, 3}, 4, SMOOTH, 0.05},
    };
    compare_steps(nets, sizeof nets / sizeof *nets);
}

#define LAST_SOFTMAX "[layer.s]\ntype = activation\nactivation = softmax\n"

/* Where types of numbers meet: behind the last weights all is float32, before the first as well. */
Test(precision, wherever_the_last_weights_are)
{
    static const network nets[] = {
        {"one layer",
         "[model]\ninput_shape = 6, 5, 3\n[layer.f]\ntype = flatten\n"
         "[layer.d]\ntype = dense\nunits = 7\nactivation = softmax\n",
         {6, 5, 3},
         7,
         SMOOTH,
         SMOOTH},
        {"activations last",
         "[model]\ninput_shape = 6, 5, 3\n[layer.f]\ntype = flatten\n[layer.h]\ntype = dense\n"
         "units = 9\nactivation = tanh\n[layer.d]\ntype = dense\nunits = 7\n"
         "[layer.t]\ntype = activation\nactivation = tanh\n"
         "[layer.s]\ntype = activation\nactivation = sigmoid\n",
         {6, 5, 3},
         7,
         SMOOTH,
         SMOOTH},
        {"convolution last",
         "[model]\ninput_shape = 6, 5, 3\n[layer.c]\ntype = conv2d\nfilters = 20\n"
         "kernel_size = 3\nactivation = sigmoid\n[layer.d]\ntype = conv2d\nfilters = 4\n"
         "kernel_size = 3, 2\n[layer.a]\ntype = activation\nactivation = sigmoid\n"
         "[layer.f]\ntype = flatten\n" LAST_SOFTMAX,
         {6, 5, 3},
         8,
         SMOOTH,
         SMOOTH},
        {"pooling last and first",
         "[model]\ninput_shape = 10, 9, 2\n[layer.p]\ntype = max_pooling2d\npool_size = 2, 1\n"
         "[layer.c]\ntype = conv2d\nfilters = 2\nkernel_size = 2\nactivation = tanh\n"
         "[layer.q]\ntype = max_pooling2d\n[layer.f]\ntype = flatten\n" LAST_SOFTMAX,
         {10, 9, 2},
         16,
         0.03,
         0.03},
        {"softmax within",
         "[model]\ninput_shape = 7, 6, 2\n[layer.c]\ntype = conv2d\nfilters = 5\n"
         "kernel_size = 2\nactivation = softmax\n[layer.p]\ntype = max_pooling2d\n"
         "[layer.d]\ntype = conv2d\nfilters = 6\nkernel_size = 2\nactivation = tanh\n"
         "[layer.f]\ntype = flatten\n[layer.g]\ntype = dense\nunits = 5\nactivation = softmax\n"
         "[layer.h]\ntype = dense\nunits = 4\nactivation = softmax\n",
         {7, 6, 2},
         4,
         SMOOTH,
         0.12},
    };
    compare_steps(nets, sizeof nets / sizeof *nets);
}

/* Single layers against PyTorch. The longest sums have 189 products of numbers of size 1, each off
 * by sqrt(2) * 0.0011 on average: 0.021 together, and in the thousands of results none is five
 * times as far off. Gradients of images are bfloat16 numbers themselves. */
Test(precision, golden_layers)
{
    static const char *const overrides[] = {"engine.precision=bfloat16"};
    const test_golden_way way = {overrides, 1, 0.1, 0x1p-8, .smooth = true};
    skip_without_bfloat16();
    test_golden_layer_with("conv2d_", &way);
    test_golden_layer_with("dense_", &way);
}

/* The inference program rounds as the training program does. */
Test(precision, evaluation_sees_the_loss_of_training)
{
    static const char *const overrides[] = {"engine.precision=bfloat16"};
    const int64_t shape[3] = {28, 28, 1};
    uint32_t index[37];
    tr_sums sums;
    tr_error err = {0};
    skip_without_bfloat16();
    tr_samples samples = test_samples(50, shape, 10);
    test_rig rig = test_rig_new(test_reference_layers, "sgd", 2, 37, overrides, 1);
    test_index(index, 37, 50, 0);
    cr_assert_eq(tr_engine_evaluate(rig.engine, &samples, index, 37, NULL, &sums, &err), TR_OK);
    const tr_sums training = test_rig_step(&rig, &samples, 37, 0);
    cr_assert_float_eq(sums.loss, training.loss, loss_tolerance * training.loss);
    test_rig_free(&rig);
    test_samples_free(&samples);
}

static bool is_bfloat16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & 0xffff) == 0;
}

/* Whatever the loss is given was never rounded: hardly one result is a bfloat16 number. */
Test(precision, the_last_results_are_float32)
{
    enum { N = 4, PIXELS = 90 };
    static const char *const overrides[] = {"engine.precision=bfloat16"};
    static const char *const bodies[] = {
        "[layer.c]\ntype = conv2d\nfilters = 5\nkernel_size = 3\nactivation = relu\n"
        "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 40\n",
        "[layer.c]\ntype = conv2d\nfilters = 20\nkernel_size = 3\n"
        "[layer.d]\ntype = conv2d\nfilters = 20\nkernel_size = 2\n",
    };
    const int64_t shape[3] = {6, 5, 3};
    float src[N * PIXELS];
    skip_without_bfloat16();
    test_fill(src, N * PIXELS, 1);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        test_net *net = test_net_new_with(bodies[i], shape, N, overrides, 1);
        const int64_t n = N * test_net_outputs(net);
        float *dst = tr_alloc((size_t)n, sizeof *dst);
        int64_t rounded = 0;
        test_net_forward(net, src, dst);
        for (int64_t k = 0; k < n; k++)
            rounded += is_bfloat16(dst[k]);
        cr_assert_lt(10 * rounded, n, "%lld of %lld", (long long)rounded, (long long)n);
        tr_free(dst);
        test_net_free(net);
    }
}

/* ---- threads ---- */

Test(precision, threads_do_not_change_a_bit)
{
    static const char *const micro_batches[] = {"engine.micro_batch=8", "engine.micro_batch=1"};
    static const int threads[] = {2, 5};
    const int64_t shape[3] = {28, 28, 1}, odd[3] = {9, 7, 3};
    skip_without_bfloat16();
    for (int m = 0; m < 2; m++) {
        const char *const overrides[] = {"engine.precision=bfloat16", micro_batches[m]};
        char one[33], other[33], odd_one[33], odd_other[33], more_one[33], float32[33];
        test_rig_digest(test_reference_layers, "adam", shape, 10, 1, overrides, 2, one);
        test_rig_digest(test_odd_layers, "sgd", odd, 4, 1, overrides, 2, odd_one);
        test_rig_digest(test_more_layers, "adam", odd, 4, 1, overrides, 2, more_one);
        test_rig_digest(test_odd_layers, "sgd", odd, 4, 1, overrides + 1, 1, float32);
        cr_assert_str_neq(odd_one, float32);
        for (int t = 0; t < 2; t++) {
            test_rig_digest(test_reference_layers, "adam", shape, 10, threads[t], overrides, 2,
                            other);
            cr_assert_str_eq(one, other, "%d threads, %s", threads[t], micro_batches[m]);
            test_rig_digest(test_odd_layers, "sgd", odd, 4, threads[t], overrides, 2, odd_other);
            cr_assert_str_eq(odd_one, odd_other, "%d threads, %s", threads[t], micro_batches[m]);
            test_rig_digest(test_more_layers, "adam", odd, 4, threads[t], overrides, 2, other);
            cr_assert_str_eq(more_one, other, "%d threads, %s", threads[t], micro_batches[m]);
        }
    }
}

/* ---- parameters are float32 ---- */

/* Half the distance of neighbouring bfloat16 numbers: what rounding to them loses. */
static double half_a_bfloat16(float value)
{
    int exponent;
    frexpf(value, &exponent);
    return ldexp(1.0, exponent - 9);
}

/* Updates by 1e-6 of the gradient: all are far below what a bfloat16 weight could hold, and yet the
 * kernels follow them. Not each of their elements: gradients here are near 1e-3, and float32
 * numbers near 0.05 are 4e-9 apart, so that the smaller updates are lost in float32 as well; a
 * third moves in the kernel that moves least. Biases start at 0, where any number is representable.
 */
Test(precision, no_update_is_too_small_for_the_parameters)
{
    static const char *const overrides[] = {"engine.precision=bfloat16",
                                            "optimizer.learning_rate=1e-6"};
    const int64_t shape[3] = {28, 28, 1};
    skip_without_bfloat16();
    tr_samples samples = test_samples(50, shape, 10);
    test_rig rig = test_rig_new(test_reference_layers, "sgd", 2, 50, overrides, 2);
    float *before[8];
    const int n_weights = tr_model_n_weights(rig.model);
    for (int w = 0; w < n_weights; w++)
        before[w] = test_rig_weight(&rig, w);
    for (uint32_t step = 0; step < 20; step++)
        test_rig_step(&rig, &samples, 50, step);
    for (int w = 0; w < n_weights; w++) {
        const tr_weight_info info = tr_model_weight(rig.model, w);
        int64_t moved = 0, rounded = 0;
        float *after = test_rig_weight(&rig, w);
        for (int64_t k = 0; k < info.n; k++) {
            const double way = fabs((double)after[k] - (double)before[w][k]);
            moved += way > 0.0 && (way < half_a_bfloat16(before[w][k]) || info.n_dims == 1);
            rounded += is_bfloat16(after[k]);
        }
        cr_assert_gt(10 * moved, info.n, "%s of %s: %lld of %lld moved", info.name, info.layer,
                     (long long)moved, (long long)info.n);
        cr_assert_lt(10 * rounded, info.n, "%s of %s: %lld of %lld are bfloat16 numbers", info.name,
                     info.layer, (long long)rounded, (long long)info.n);
        tr_free(after);
        tr_free(before[w]);
    }
    test_rig_free(&rig);
    test_samples_free(&samples);
}
