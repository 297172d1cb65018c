/* test_convolution.c -- layouts are asked for by rule, and no rule may end at a reference kernel.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "mem.h"
#include "net.h"
#include "rig.h"

static const int channels[] = {1, 3, 4, 7, 16, 32}, filters[] = {6, 10, 16, 33},
                 kernels[] = {1, 2, 3, 5};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void no_reference_kernel(int channel, int filter, int kernel, int stride,
                                const char *override)
{
    char layers[512];
    snprintf(layers, sizeof layers,
             "[layer.a]\ntype = conv2d\nfilters = %d\nkernel_size = %d\nstrides = %d\n"
             "padding = same\nactivation = relu\n"
             "[layer.b]\ntype = conv2d\nfilters = 12\nkernel_size = %d\n",
             filter, kernel, stride, kernel);
    test_net *net = test_net_new_with(layers, (const int64_t[]){17, 14, channel}, 3, &override, 1);
    char *slow = tr_model_slow_paths(net->model);
    cr_expect_str_empty(slow, "%d channels, %d filters, kernel %d, stride %d, %s: %s", channel,
                        filter, kernel, stride, override, slow);
    tr_free(slow);
    test_net_free(net);
}

static void sweep(const char *override)
{
    for (size_t c = 0; c < COUNT(channels); c++)
        for (size_t f = 0; f < COUNT(filters); f++)
            for (size_t k = 0; k < COUNT(kernels); k++)
                no_reference_kernel(channels[c], filters[f], kernels[k], 1 + (int)(k % 2),
                                    override);
}

Test(convolution, no_reference_kernel_with_avx2)
{
    if (!test_has_avx2())
        cr_skip_test("this CPU has no AVX2");
    sweep("engine.isa=avx2");
}

Test(convolution, no_reference_kernel_with_what_is_there)
{
    if (tr_dnn_isa() != TR_ISA_AVX2 && tr_dnn_isa() != TR_ISA_AVX512)
        cr_skip_test("below AVX2 oneDNN has reference kernels only");
    sweep("engine.isa=auto");
}
