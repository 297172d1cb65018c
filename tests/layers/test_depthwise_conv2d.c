/* test_depthwise_conv2d.c -- each channel convolved by itself, against real Keras in float64. */
#include <criterion/criterion.h>
#include <string.h>

#include "mem.h"
#include "net.h"

Test(depthwise_conv2d, golden_forward_and_gradients)
{
    test_golden_layer("depthwise_conv2d_");
}

/* oneDNN 2.6 has only products of matrices for some of these, which take 17 times as long. */
Test(depthwise_conv2d, does_without_slow_kernels)
{
    static const char *const keys[] = {"kernel_size = 3\nstrides = 2\n",
                                       "kernel_size = 5\npadding = same\n",
                                       "kernel_size = 3\ndepth_multiplier = 2\n"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char *layers = tr_format("[layer.c]\ntype = depthwise_conv2d\n%s", keys[i]);
        test_net *net = test_net_new(layers, (const int64_t[]){12, 11, 24}, 2);
        const tr_program *program = net->model->training.program;
        for (size_t k = 0; k < tr_program_n_ops(program); k++) {
            const tr_op_info op = tr_program_op(program, k);
            cr_assert(!op.is_ref && strstr(op.impl, "gemm") == NULL, "%s: %s, %s", keys[i],
                      tr_direction_name(op.direction), op.impl);
        }
        test_net_free(net);
        tr_free(layers);
    }
}
