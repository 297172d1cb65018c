/* test_no_reference.c -- networks of odd shapes do without oneDNN's reference kernels, which are up
 * to a thousand times slower than the others: on whatever this CPU has, and under AVX2.
 */
#include <criterion/criterion.h>
#include <oneapi/dnnl/dnnl_version.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "rig.h"
#include "rng.h"

static uint32_t pick(uint32_t n, uint32_t seed, uint32_t which)
{
    return (uint32_t)tr_random_below(n, 11, TR_PURPOSE_SHUFFLE, seed, which);
}

#define PICK(table, which) table[pick(sizeof(table) / sizeof *(table), seed, which)]

/* A convolution behind a convolution, so that it meets the layouts that oneDNN likes, a pooling, a
 * convolution behind that, all sorts of sizes; and a dense layer. */
static char *layers_of(uint32_t seed)
{
    static const int channels[] = {1, 2, 3, 4, 5, 8, 16, 17, 24, 32, 33, 64};
    static const int kernels[] = {1, 2, 3, 4, 5, 7}, strides[] = {1, 1, 1, 2, 3};
    static const int units[] = {1, 2, 7, 10, 16, 33};
    static const char *const poolings[] = {
        "type = max_pooling2d\npadding = same\n",
        "type = average_pooling2d\npadding = same\n",
        "type = average_pooling2d\npool_size = 5\nstrides = 2\npadding = same\n",
        "type = max_pooling2d\npool_size = 3\nstrides = 1\npadding = same\n",
        "type = dropout\nrate = 0.3\n",
        "type = zero_padding2d\n",
        "type = conv2d_transpose\nfilters = 9\nkernel_size = 3\nstrides = 2\npadding = same\n",
        "type = depthwise_conv2d\nkernel_size = 3\nstrides = 2\npadding = same\n",
        "type = depthwise_conv2d\nkernel_size = 5\npadding = same\ndepth_multiplier = 2\n",
        "type = separable_conv2d\nfilters = 12\nkernel_size = 3\npadding = same\n",
        "type = conv2d\nfilters = 12\nkernel_size = 3\ndilation_rate = 2\npadding = same\n",
        "type = global_max_pooling2d\nkeepdims = true\n",
        "type = global_average_pooling2d\nkeepdims = true\n"};
    static const char *const paddings[] = {"same", "valid"};
    return tr_format(
        "[layer.a]\ntype = conv2d\nfilters = %d\nkernel_size = %d\npadding = same\nactivation = "
        "%s\n"
        "[layer.b]\ntype = conv2d\nfilters = %d\nkernel_size = %d, %d\nstrides = %d, %d\n"
        "padding = %s\nactivation = %s\n"
        "[layer.p]\n%s"
        "[layer.c]\ntype = conv2d\nfilters = %d\nkernel_size = %d\npadding = same\nactivation = "
        "%s\n"
        "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = %d\nactivation = %s\n",
        PICK(channels, 0), PICK(kernels, 1), tr_activation_names[pick(TR_N_ACTIVATIONS, seed, 2)],
        PICK(channels, 3), PICK(kernels, 4), PICK(kernels, 5), PICK(strides, 6), PICK(strides, 7),
        PICK(paddings, 8), tr_activation_names[pick(TR_N_ACTIVATIONS, seed, 9)], PICK(poolings, 10),
        PICK(channels, 11), PICK(kernels, 12),
        tr_activation_names[pick(TR_N_ACTIVATIONS, seed, 13)], PICK(units, 14),
        tr_activation_names[pick(TR_N_ACTIVATIONS, seed, 15)]);
}

/* oneDNN 3.7 has only that for a dense layer of one unit behind an image of one pixel, under AVX2.
 * It is named as slow, and takes some hundred multiplications. */
static bool is_known(const tr_op_info *op)
{
    return DNNL_VERSION_MAJOR >= 3 && strcmp(op->what, "inner product") == 0 && op->flops < 1e4;
}

static int n_reference(const tr_program *program, const char *layers, const int64_t shape[3])
{
    int n = 0;
    for (size_t i = 0; i < tr_program_n_ops(program); i++) {
        const tr_op_info op = tr_program_op(program, i);
        if (!op.is_ref || is_known(&op))
            continue;
        n++;
        fprintf(stderr, "%s of %s, direction %d, is %s; input %d x %d x %d\n%s\n", op.what,
                op.layer, (int)op.direction, op.impl, (int)shape[0], (int)shape[1], (int)shape[2],
                layers);
    }
    return n;
}

static void sweep(uint32_t n, const char *const *overrides, size_t n_overrides)
{
    static const int64_t sizes[] = {9, 12, 17, 28}, channels[] = {1, 2, 3, 4, 7, 16, 32};
    int found = 0;
    for (uint32_t seed = 0; seed < n; seed++) {
        const int64_t shape[3] = {PICK(sizes, 16), PICK(sizes, 17), PICK(channels, 18)};
        char *layers = layers_of(seed);
        test_net *net =
            test_net_new_with(layers, shape, 1 + pick(8, seed, 19), overrides, n_overrides);
        found += n_reference(net->model->training.program, layers, shape);
        found += n_reference(net->model->inference.program, layers, shape);
        test_net_free(net);
        tr_free(layers);
    }
    cr_expect_eq(found, 0, "%d reference kernels", found);
}

Test(no_reference, on_this_cpu)
{
    sweep(60, NULL, 0);
}

Test(no_reference, with_avx2)
{
    if (test_has_avx2())
        sweep(60, (const char *const[]){"engine.isa=avx2"}, 1);
}
