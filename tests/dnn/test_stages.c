/* test_stages.c -- what crosses a cut is kept, or repeated; how much of either. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "net.h"
#include "program_internal.h"

static const int64_t shape[3] = {6, 6, 8};

/* So many normalizations, one behind the other. */
static size_t count_ops(int n)
{
    static char body[16384];
    size_t at = 0;
    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(body + at, sizeof body - at,
                               "[layer.b%d]\ntype = batch_normalization\n", i);
    snprintf(body + at, sizeof body - at,
             "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 3\n"
             "activation = softmax\n");
    test_net *net = test_net_new(body, shape, 4);
    cr_assert_eq(tr_program_n_stages(net->model->training.program), 2 * n + 1);
    const size_t n_ops = tr_program_n_ops(net->model->training.program);
    test_net_free(net);
    return n_ops;
}

/* A result that could only be repeated from other repeated ones is kept: a chain grows by the same
 * for each link. */
Test(stages, a_chain_of_cheap_operations_is_not_repeated_as_a_whole)
{
    const size_t at_10 = count_ops(10), at_20 = count_ops(20), at_40 = count_ops(40);
    cr_assert_eq(at_40 - at_20, 2 * (at_20 - at_10), "%zu, %zu, %zu", at_10, at_20, at_40);
}

static size_t count_kept(const tr_program *program)
{
    size_t n = 0;
    for (size_t i = 0; i < program->n_values; i++)
        n += program->values[i].space == TR_SPACE_KEPT && program->values[i].root == (tr_value)i;
    return n;
}

static size_t count_repeated(const tr_program *program)
{
    size_t n = 0;
    for (size_t i = 0; i < program->n_ops; i++)
        n += program->ops[i].native.borrowed;
    return n;
}

/* The second convolution's source is the normalized first: not kept, but made again from what the
 * normalization itself needs. */
Test(stages, a_normalized_result_is_repeated)
{
    test_net *net = test_net_new(
        "[layer.a]\ntype = conv2d\nfilters = 8\nkernel_size = 3\nuse_bias = false\n"
        "[layer.b]\ntype = batch_normalization\n[layer.r]\ntype = activation\nactivation = relu\n"
        "[layer.c]\ntype = conv2d\nfilters = 8\nkernel_size = 3\n"
        "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 3\nactivation = softmax\n",
        shape, 4);
    const tr_program *program = net->model->training.program;
    cr_assert_eq(tr_program_n_stages(program), 3);
    cr_assert_eq(tr_program_loss_stage(program), 1);
    /* The images and the first convolution's result, for its backward; the gradient behind the
     * normalization from its sums on. */
    cr_expect_eq(count_kept(program), 3);
    cr_expect_eq(count_repeated(program), 0, "all readers are in the stage that made it");
    test_net_free(net);
}

Test(stages, a_shortcut_over_a_cut_is_repeated)
{
    test_net *net = test_net_new(
        "[layer.a]\ntype = conv2d\nfilters = 8\nkernel_size = 3\npadding = same\n"
        "[layer.b]\ntype = batch_normalization\n"
        "[layer.c]\ntype = conv2d\nfilters = 8\nkernel_size = 3\npadding = same\n"
        "[layer.d]\ntype = batch_normalization\n"
        "[layer.s]\ntype = add\ninputs = d, b\n"
        "[layer.f]\ntype = flatten\n[layer.g]\ntype = dense\nunits = 3\nactivation = softmax\n",
        shape, 4);
    const tr_program *program = net->model->training.program;
    cr_assert_eq(tr_program_n_stages(program), 5);
    /* For the shortcut, and for the gradient of the second convolution's weights. */
    cr_expect_eq(count_repeated(program), 2);
    test_net_free(net);
}

/* What README says of it: two cuts for each of its 21 normalizations. */
Test(stages, of_the_residual_network)
{
    tr_config *config = NULL;
    tr_model *model = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_config_load(&config, TR_SOURCE "/configs/resnet20.ini", NULL, 0, &err), TR_OK,
                 "%s", err.text);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_config_check(config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_build(model, &err), TR_OK, "%s", err.text);
    cr_expect_eq(tr_program_n_stages(model->training.program), 43, "%d",
                 tr_program_n_stages(model->training.program));
    cr_expect_eq(tr_program_n_stages(model->inference.program), 1);
    tr_model_free(model);
    tr_config_free(config);
}
