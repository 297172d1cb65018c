/* test_program.c -- what planning guarantees: phases, reorders only where needed, reports. */
#include <criterion/criterion.h>
#include <string.h>

#include "net.h"
#include "program_internal.h"

Test(program, reorders_only_where_layouts_differ)
{
    tr_dnn *dnn = NULL;
    tr_program *program = NULL;
    tr_error err = {0};
    tr_extents extents = {0};
    cr_assert_eq(tr_dnn_new(&dnn, &(tr_engine_config){.isa = TR_ISA_AUTO}, &err), TR_OK);
    cr_assert_eq(tr_program_new(&program, dnn, 2, true, &extents, &err), TR_OK);
    tr_program_begin(program, "here", TR_FORWARD);
    const tr_layout nhwc = tr_layout_nhwc(dnn, 2, 3, 4, 5);
    const tr_layout hwio = tr_layout_hwio(dnn, 3, 4, 5, 2);
    const tr_value value = tr_program_value(program, nhwc);
    tr_value same, other;
    cr_assert_eq(tr_program_reorder(program, value, nhwc, &same, &err), TR_OK);
    cr_assert_eq(same, value);
    cr_assert_eq(tr_program_n_ops(program), 0);
    cr_assert_eq(tr_program_reorder(program, value, hwio, &other, &err), TR_OK);
    cr_assert_neq(other, value);
    cr_assert_eq(tr_program_n_ops(program), 1);
    tr_value again;
    cr_assert_eq(tr_program_reorder(program, value, hwio, &again, &err), TR_OK);
    cr_assert_eq(again, other, "a copy that is there is made again");
    cr_assert_eq(tr_program_n_ops(program), 1);
    const tr_op_info op = tr_program_op(program, 0);
    cr_assert_str_eq(op.layer, "here");
    cr_assert_eq(op.direction, TR_DIR_REORDER);
    cr_assert_eq(op.phase, TR_FORWARD);
    cr_assert_gt(strlen(op.impl), 0);
    tr_program_free(program);
    tr_dnn_free(dnn);
}

Test(program, parameters_start_on_cache_lines_and_share_one_layout)
{
    static const char layers[] = "[layer.a]\ntype = conv2d\nfilters = 5\nkernel_size = 3\n"
                                 "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 7\n";
    static const int64_t shape[3] = {6, 6, 2};
    test_net *net = test_net_new(layers, shape, 2);
    size_t end = 0;
    for (int i = 0; i < tr_model_n_weights(net->model); i++) {
        const tr_param *param = tr_model_param(net->model, i);
        cr_assert_eq(param->offset * sizeof(float) % 64, 0);
        cr_assert_geq(param->offset, end);
        cr_assert_geq((int64_t)param->n_packed, tr_param_elements(param));
        end = param->offset + param->n_packed;
    }
    cr_assert_leq(end, net->model->n_floats);
    test_net_free(net);
}

/* A size oneDNN has no kernel for at all is an error with the layer's name, not a crash. */
Test(program, what_onednn_refuses_is_named)
{
    tr_error err = {0};
    cr_assert_eq(tr_dnn_fail(&err, dnnl_unimplemented, "conv9", "convolution"), TR_ERR_CONFIG);
    cr_assert_not_null(strstr(err.text, "conv9: oneDNN refuses the convolution"), "%s", err.text);
}
