/* test_reshape.c -- the same elements in Keras's order, whatever layout they come in. */
#include <criterion/criterion.h>

#include "mem.h"
#include "net.h"

Test(reshape, golden_forward_and_gradients)
{
    test_golden_layer("reshape_");
}

Test(reshape, shapes_that_do_not_fit_are_refused)
{
    static const char *const wrong[][2] = {
        {"7", "does not hold the 18 elements"},
        {"-1, 4, 1", "does not hold the 18 elements"},
        {"65536, 65536, 65536", "does not hold the 18 elements"},
        {"-1, -1, 2", "one may be -1"},
        {"0", "one may be -1"},
        {"3, 6", "3 integers from -1 to 65536, separated by commas, or one alone"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *body = tr_format("[model]\ninput_shape = 3, 3, 2\n[layer.a]\ntype = reshape\n"
                               "target_shape = %s\n[layer.f]\ntype = flatten\n",
                               wrong[i][0]);
        test_refused(body, wrong[i][1]);
        tr_free(body);
    }
}

/* What a global pooling made into a vector is an image of one pixel: seen as one it is not copied.
 */
Test(reshape, a_pooled_vector_becomes_a_pixel_without_a_copy)
{
    static const int64_t shape[3] = {4, 5, 8};
    test_net *net = test_net_new("[layer.p]\ntype = global_average_pooling2d\n[layer.r]\n"
                                 "type = reshape\ntarget_shape = 1, 1, 8\n",
                                 shape, 2);
    const tr_program *program = net->model->training.program;
    for (size_t i = 0; i < tr_program_n_ops(program); i++)
        cr_expect_str_neq(tr_program_op(program, i).layer, "r");
    test_net_free(net);
}
