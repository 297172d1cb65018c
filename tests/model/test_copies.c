/* test_copies.c -- weights that a copy has changed are noticed before a run. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "net.h"

/* Five filters: blocks of 8 or 16 are padded. */
static test_net *make(void)
{
    return test_net_new("[layer.a]\ntype = conv2d\nfilters = 5\nkernel_size = 3\n"
                        "[layer.b]\ntype = conv2d\nfilters = 16\nkernel_size = 3\n",
                        (const int64_t[]){9, 8, 1}, 2);
}

Test(copies, right_ones_pass)
{
    tr_error err = {0};
    test_net *net = make();
    cr_assert_eq(tr_check_copies(net->model, &err), TR_OK, "%s", err.text);
    test_net_free(net);
}

/* What a reorder that forgets the padding leaves there. */
Test(copies, something_in_the_padding_is_refused)
{
    tr_error err = {0};
    test_net *net = make();
    const tr_param *param = tr_model_param(net->model, 0);
    if (param->n_packed == (size_t)tr_param_elements(param))
        cr_skip_test("no padding in this instruction set's layout");
    for (size_t i = 0; i < param->n_packed; i++)
        net->model->params[param->offset + i] = 1.0f;
    cr_assert_eq(tr_check_copies(net->model, &err), TR_ERR_CONFIG);
    cr_assert_not_null(strstr(err.text, "layer a wrongly"), "%s", err.text);
    test_net_free(net);
}

/* The verifier counts what is not finite as wrong: so it did look at the kernels' own copies. */
Test(copies, a_wrong_copy_for_a_kernel_is_refused)
{
    tr_error err = {0};
    test_net *net = make();
    const tr_program *program = net->model->training.program;
    const tr_param *param = tr_model_param(net->model, 2);
    bool copied = false;
    for (size_t i = 0; i < tr_program_n_ops(program); i++) {
        const tr_op_info op = tr_program_op(program, i);
        copied = copied || (op.phase == TR_PREPARE && strcmp(op.layer, "b") == 0);
    }
    if (!copied)
        cr_skip_test("no kernel of layer b wants a copy of its own here");
    net->model->params[param->offset] = NAN;
    cr_assert_eq(tr_check_copies(net->model, &err), TR_ERR_CONFIG);
    cr_assert_not_null(strstr(err.text, "layer b wrongly"), "%s", err.text);
    test_net_free(net);
}
