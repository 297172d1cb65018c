/* test_trust.c -- a kernel that is wrong is planned around, or the model is refused by name. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "program_internal.h"
#include "wrong_kernel.h"
#include "wrong_kernels.h"

static const char body[] =
    "[model]\ninput_shape = 9, 8, 3\n[layer.conv]\ntype = conv2d\nfilters = 10\nkernel_size = 3\n"
    "padding = same\nactivation = relu\n[layer.pool]\ntype = max_pooling2d\n[layer.mix]\n"
    "type = conv2d\nfilters = 16\nkernel_size = 3\n[layer.flat]\ntype = flatten\n[layer.out]\n"
    "type = dense\nunits = 4\nactivation = softmax\n[engine]\nmicro_batch = 3\n";

typedef struct built {
    tr_config *config;
    tr_model *model;
    tr_status status;
    tr_error err;
} built;

static built *build(const char *wrong, bool for_training)
{
    static built made;
    made = (built){0};
    made.config = test_config(body, NULL, 0);
    cr_assert_eq(tr_model_parse(&made.model, made.config, &made.err), TR_OK);
    cr_assert_eq(tr_config_check(made.config, &made.err), TR_OK, "%s", made.err.text);
    test_break_kernels(wrong);
    made.status = for_training ? tr_model_build(made.model, &made.err)
                               : tr_model_build_for_inference(made.model, &made.err);
    test_break_kernels(NULL);
    return &made;
}

static void release(built *made)
{
    tr_model_free(made->model);
    tr_config_free(made->config);
}

/* The implementation of the first operation of its kind in the program. */
static const char *kernel_of(const tr_program *program, const char *layer, const char *what,
                             tr_direction direction)
{
    static char impl[64];
    impl[0] = '\0';
    for (size_t i = 0; i < tr_program_n_ops(program); i++) {
        const tr_op_info op = tr_program_op(program, i);
        if (strcmp(op.layer, layer) == 0 && strcmp(op.what, what) == 0 &&
            op.direction == direction && impl[0] == '\0')
            strncpy(impl, op.impl, sizeof impl - 1);
    }
    return impl;
}

/* Breaks the kernel that oneDNN prefers: another one takes its place, it is said, and the results
 * are those of a right kernel. */
static void plan_around(const char *kind, const char *layer, const char *what,
                        tr_direction direction, bool training)
{
    built *right = build(NULL, true);
    const tr_program *program =
        training ? right->model->training.program : right->model->inference.program;
    char preferred[64], wrong[128];
    cr_assert_eq(right->status, TR_OK, "%s", right->err.text);
    char *none = tr_model_wrong_kernels(right->model);
    cr_assert_str_eq(none, "");
    free(none);
    strcpy(preferred, kernel_of(program, layer, what, direction));
    cr_assert_str_not_empty(preferred, "%s has no %s", layer, kind);
    release(right);

    snprintf(wrong, sizeof wrong, "%s %s", kind, preferred);
    built *made = build(wrong, true);
    cr_assert_eq(made->status, TR_OK, "%s", made->err.text);
    program = training ? made->model->training.program : made->model->inference.program;
    const char *now = kernel_of(program, layer, what, direction);
    cr_assert_str_not_empty(now);
    cr_assert_str_neq(now, preferred);
    char *said = tr_model_wrong_kernels(made->model);
    char *name = tr_format("layer %s, ", layer),
         *in_its_place = tr_format("in its place: %s\n", now);
    cr_assert_not_null(strstr(said, name), "%s", said);
    cr_assert_not_null(strstr(said, preferred), "%s", said);
    cr_assert_not_null(strstr(said, in_its_place), "%s not in %s", in_its_place, said);
    free(said);
    tr_free(name);
    tr_free(in_its_place);
    release(made);
}

Test(trust, next_kernel_of_a_convolution)
{
    plan_around("convolution forward_training", "mix", "convolution", TR_DIR_FORWARD, true);
    plan_around("convolution forward_inference", "mix", "convolution", TR_DIR_FORWARD, false);
    plan_around("convolution backward_data", "mix", "convolution", TR_DIR_BACKWARD_DATA, true);
    plan_around("convolution backward_weights", "mix", "convolution", TR_DIR_BACKWARD_WEIGHTS,
                true);
}

Test(trust, next_kernel_of_a_dense_layer)
{
    plan_around("inner_product forward_inference", "out", "inner product", TR_DIR_FORWARD, false);
    plan_around("inner_product backward_data", "out", "inner product", TR_DIR_BACKWARD_DATA, true);
    plan_around("inner_product backward_weights", "out", "inner product", TR_DIR_BACKWARD_WEIGHTS,
                true);
}

Test(trust, next_kernel_of_a_pooling)
{
    plan_around("pooling forward_training", "pool", "max pooling", TR_DIR_FORWARD, true);
    plan_around("pooling backward_data", "pool", "max pooling", TR_DIR_BACKWARD_DATA, true);
}

/* A reorder has no next implementation: a copy in plain C. */
Test(trust, copy_in_place_of_a_reorder)
{
    built *made = build("reorder * *", true);
    cr_assert_eq(made->status, TR_OK, "%s", made->err.text);
    const tr_program *program = made->model->training.program;
    int n_reorders = 0;
    for (size_t i = 0; i < tr_program_n_ops(program); i++) {
        const tr_op_info op = tr_program_op(program, i);
        n_reorders += op.direction == TR_DIR_REORDER;
        cr_assert(op.direction != TR_DIR_REORDER || strcmp(op.impl, "native") == 0, "%s", op.impl);
    }
    cr_assert_gt(n_reorders, 0);
    release(made);
}

/* What is found is the same at any time, and a step on other kernels gives what the preferred ones
 * give, but for rounding. */
Test(trust, is_repeatable)
{
    built *a = build("convolution backward_weights jit:avx2", true);
    char *first = tr_model_summary(a->model);
    release(a);
    built *b = build("convolution backward_weights jit:avx2", true);
    char *second = tr_model_summary(b->model);
    cr_assert_str_eq(first, second);
    free(first);
    free(second);
    release(b);
}

/* ---- refusals ---- */

Test(trust, refuses_by_name_where_none_is_right)
{
    built *made = build("convolution backward_weights *", true);
    char version[32];
    tr_dnn_version(version, sizeof version);
    cr_assert_eq(made->status, TR_ERR_CONFIG);
    cr_assert_not_null(strstr(made->err.text, "convolution, backward weights (training): "), "%s",
                       made->err.text);
    cr_assert_not_null(strstr(made->err.text, "layer conv, "), "%s", made->err.text);
    cr_assert_not_null(strstr(made->err.text, version), "%s", made->err.text);
    cr_assert_not_null(strstr(made->err.text, "micro_batch"), "%s", made->err.text);
    release(made);
}

/* What will not run need not be right. */
Test(trust, looks_at_what_will_run)
{
    built *made = build("convolution backward_weights *", false);
    cr_assert_eq(made->status, TR_OK, "%s", made->err.text);
    char *said = tr_model_wrong_kernels(made->model);
    cr_assert_str_eq(said, "");
    free(said);
    release(made);
    made = build("inner_product forward_inference *", false);
    cr_assert_eq(made->status, TR_ERR_CONFIG);
    cr_assert_not_null(strstr(made->err.text, "layer out, inner product, forward (inference): "),
                       "%s", made->err.text);
    release(made);
}

/* As if each operation had only a reference kernel: those that will run are named. */
static void name_slow(bool for_training, bool expected)
{
    built *made = build(NULL, for_training);
    tr_program *programs[] = {made->model->training.program, made->model->inference.program};
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < programs[k]->n_ops; i++)
            programs[k]->ops[i].info.is_ref = true;
    char *slow = tr_model_slow_paths(made->model);
    cr_assert_eq(strstr(slow, "(training)") != NULL, expected, "%s", slow);
    cr_assert_not_null(strstr(slow, "layer mix, convolution, forward (inference): "), "%s", slow);
    free(slow);
    release(made);
}

Test(trust, only_what_runs_is_called_slow)
{
    name_slow(true, true);
    name_slow(false, false);
}
