/* test_plan.c -- the rules of plan.c: where derivatives stand, softmax, dead gradients, graphs. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "program_internal.h"

static int count(const tr_program *program, const char *layer, const char *what, tr_phase phase)
{
    int n = 0;
    for (size_t i = 0; i < tr_program_n_ops(program); i++) {
        const tr_op_info op = tr_program_op(program, i);
        n += strcmp(op.layer, layer) == 0 && strcmp(op.what, what) == 0 && op.phase == phase;
    }
    return n;
}

static tr_model *build(const char *body, tr_config **config)
{
    tr_model *model = NULL;
    tr_error err = {0};
    *config = test_config(body, NULL, 0);
    cr_assert_eq(tr_model_parse(&model, *config, &err), TR_OK);
    cr_assert_eq(tr_config_check(*config, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_model_build(model, &err), TR_OK, "%s", err.text);
    return model;
}

#define NET(activation)                                                                            \
    "[model]\ninput_shape = 8, 8, 1\n[layer.p0]\ntype = max_pooling2d\npool_size = 1\n"            \
    "[layer.c]\ntype = conv2d\nfilters = 16\nkernel_size = 3\npadding = same\nactivation "         \
    "= " activation "\n[layer.p]\ntype = max_pooling2d\n[layer.f]\ntype = flatten\n"               \
    "[layer.d]\ntype = dense\nunits = 4\nactivation = softmax\n"

Test(plan, relu_is_differentiated_behind_the_pooling)
{
    tr_config *config;
    tr_model *model = build(NET("relu"), &config);
    const tr_program *program = model->training.program;
    cr_assert_eq(count(program, "c", "relu", TR_BACKWARD), 0);
    cr_assert_eq(count(program, "p", "relu", TR_BACKWARD), 1);
    tr_model_free(model);
    tr_config_free(config);
}

Test(plan, sigmoid_stays_before_the_pooling)
{
    tr_config *config;
    tr_model *model = build(NET("sigmoid"), &config);
    const tr_program *program = model->training.program;
    cr_assert_eq(count(program, "c", "sigmoid", TR_BACKWARD), 1);
    cr_assert_eq(count(program, "p", "sigmoid", TR_BACKWARD), 0);
    tr_model_free(model);
    tr_config_free(config);
}

Test(plan, final_softmax_is_the_loss_s)
{
    tr_config *config;
    tr_model *model = build(NET("relu"), &config);
    cr_assert(model->loss.takes_over && model->loss.logits);
    cr_assert_eq(count(model->training.program, "d", "softmax", TR_FORWARD), 0);
    tr_model_free(model);
    tr_config_free(config);
}

Test(plan, nothing_flows_back_before_the_first_weight)
{
    tr_config *config;
    tr_model *model = build(NET("relu"), &config);
    const tr_program *program = model->training.program;
    cr_assert_eq(count(program, "p0", "max pooling", TR_FORWARD), 1);
    cr_assert_eq(count(program, "p0", "max pooling", TR_BACKWARD), 0);
    cr_assert_eq(count(program, "c", "convolution", TR_BACKWARD), 1); /* weights, not data */
    tr_model_free(model);
    tr_config_free(config);
}

static bool runs_backward(const tr_program *program, const char *layer)
{
    for (size_t i = 0; i < tr_program_n_ops(program); i++) {
        const tr_op_info op = tr_program_op(program, i);
        if (op.phase == TR_BACKWARD && strcmp(op.layer, layer) == 0)
            return true;
    }
    return false;
}

/* Whether a max pooling writes down its winners, for its gradient. */
static bool notes_winners(const tr_program *program, const char *layer)
{
    for (size_t i = 0; i < program->n_ops; i++) {
        const tr_op *op = &program->ops[i];
        if (strcmp(op->info.layer, layer) == 0 && op->info.direction == TR_DIR_FORWARD &&
            op->n_args == 3)
            return true;
    }
    return false;
}

/* A frozen layer has no gradient of its own, and passes one on where somebody before it learns;
 * before all that learns it runs as in inference. */
Test(plan, frozen_layers_only_pass_gradients_on)
{
#define FROZEN(first, second)                                                                      \
    "[model]\ninput_shape = 8, 8, 1\n[layer.c]\ntype = conv2d\nfilters = 4\nkernel_size = 3\n"     \
    "activation = relu\ntrainable = " first "\n[layer.p]\ntype = max_pooling2d\n[layer.f]\ntype "  \
    "= flatten\n[layer.e]\ntype = dense\nunits = 6\nactivation = relu\ntrainable = " second        \
    "\n[layer.d]\ntype = dense\nunits = 4\nactivation = softmax\n"
    tr_config *config;
    tr_model *model = build(FROZEN("false", "true"), &config);
    const tr_program *program = model->training.program;
    cr_expect_not(runs_backward(program, "c"));
    cr_expect_not(runs_backward(program, "p"));
    cr_expect_not(notes_winners(program, "p"));
    cr_expect_eq(count(program, "e", "inner product", TR_BACKWARD), 1); /* weights, not data */
    cr_expect_eq(count(program, "d", "inner product", TR_BACKWARD), 2);
    tr_model_free(model);
    tr_config_free(config);
    model = build(FROZEN("true", "false"), &config);
    program = model->training.program;
    cr_expect_eq(count(program, "c", "convolution", TR_BACKWARD), 1); /* weights */
    cr_expect(runs_backward(program, "p"));
    cr_expect(notes_winners(program, "p"));
    cr_expect_eq(count(program, "e", "inner product", TR_BACKWARD), 1); /* data */
    cr_expect_eq(count(program, "e", "relu", TR_BACKWARD), 1);
    cr_expect_eq(count(program, "d", "inner product", TR_BACKWARD), 2);
    tr_model_free(model);
    tr_config_free(config);
}

/* On the reference network, this machine's widest instruction set. The end-to-end test repeats it
 * for AVX2. */
Test(plan, reference_network_has_no_reference_kernel)
{
    tr_config *config;
    tr_model *model = build("[model]\ninput_shape = 28, 28, 1\n"
                            "[layer.c1]\ntype = conv2d\nfilters = 32\nkernel_size = 3\n"
                            "padding = same\nactivation = relu\n[layer.p1]\ntype = "
                            "max_pooling2d\n[layer.c2]\ntype = conv2d\nfilters = 64\n"
                            "kernel_size = 3\npadding = same\nactivation = relu\n[layer.p2]\n"
                            "type = max_pooling2d\n[layer.f]\ntype = flatten\n[layer.d]\n"
                            "type = dense\nunits = 10\nactivation = softmax\n",
                            &config);
    char *slow = tr_model_slow_paths(model);
    cr_assert_str_eq(slow, "");
    free(slow);
    tr_model_free(model);
    tr_config_free(config);
}

/* ---- graphs ---- */

#define GRAPH(layers)                                                                              \
    "[model]\ninput_shape = 8, 8, 16\n" layers "[layer.f]\ntype = flatten\n[layer.d]\n"            \
    "type = dense\nunits = 4\nactivation = softmax\n"
#define CONV(name, more) "[layer." name "]\ntype = conv2d\nfilters = 16\nkernel_size = 1\n" more
#define RELU(more) "[layer.r]\ntype = activation\nactivation = relu\n" more

/* Where relu is applied by itself, and where it is differentiated. */
static void expect_relu(const char *body, const char *forward, const char *backward)
{
    static const char *const layers[] = {"a", "b", "s", "r", "p", "q"};
    tr_config *config;
    tr_model *model = build(body, &config);
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const tr_program *program = model->training.program;
        cr_expect_eq(count(program, layers[i], "relu", TR_FORWARD), strcmp(layers[i], forward) == 0,
                     "%s\n%s", layers[i], body);
        cr_expect_eq(count(program, layers[i], "relu", TR_BACKWARD),
                     strcmp(layers[i], backward) == 0, "%s\n%s", layers[i], body);
    }
    tr_model_free(model);
    tr_config_free(config);
}

Test(plan, relu_alone_is_applied_by_the_layer_before)
{
    expect_relu(
        GRAPH(CONV("a", "") CONV("b", "") "[layer.s]\ntype = add\ninputs = b, a\n" RELU("")), "",
        "s");
    expect_relu(GRAPH(CONV("a", "") RELU("") CONV("b", "")), "", "a");
    /* Somebody reads what it would be without; a layer that cannot; one with a function already. */
    expect_relu(GRAPH(CONV("a", "") RELU("") "[layer.s]\ntype = add\ninputs = a, r\n"), "r", "r");
    expect_relu(GRAPH(CONV("a", "") "[layer.p]\ntype = max_pooling2d\n" RELU("")), "r", "r");
    expect_relu(GRAPH(CONV("a", "activation = tanh\n") RELU("")), "r", "r");
}

Test(plan, relu_is_differentiated_behind_a_pooling_that_alone_reads_it)
{
    expect_relu(GRAPH(CONV("a", "") RELU("") "[layer.p]\ntype = max_pooling2d\n"), "", "p");
    expect_relu(GRAPH(CONV("a", "activation = relu\n") "[layer.p]\ntype = max_pooling2d\n"
                                                       "[layer.q]\ntype = max_pooling2d\n"
                                                       "inputs = a\n[layer.s]\ntype = add\n"
                                                       "inputs = p, q\n"),
                "", "a");
}

Test(plan, gradients_go_where_something_is_trained)
{
    tr_config *config;
    tr_model *model = build(
        GRAPH("[layer.p]\ntype = max_pooling2d\npool_size = 1\n" CONV("a", "") CONV(
            "b", "inputs = p\ntrainable = false\n") "[layer.s]\ntype = add\ninputs = a, b, a\n"
                                                    "[layer.c]\ntype = multiply\ninputs = s, p\n"),
        &config);
    const tr_program *program = model->training.program;
    cr_expect_eq(count(program, "p", "max pooling", TR_FORWARD), 1);
    cr_expect_eq(count(program, "p", "max pooling", TR_BACKWARD), 0);
    cr_expect_eq(count(program, "b", "convolution", TR_FORWARD), 1);
    cr_expect_eq(count(program, "b", "convolution", TR_BACKWARD), 0);
    cr_expect_eq(count(program, "a", "convolution", TR_BACKWARD), 1); /* weights, not data */
    cr_expect_eq(count(program, "c", "multiply", TR_BACKWARD), 1);    /* for s, not for p */
    cr_expect_eq(count(program, "s", "add", TR_BACKWARD), 1);         /* a is read twice there */
    tr_model_free(model);
    tr_config_free(config);
}
