/* test_verify.c -- kernels of odd shapes pass the self-check; a wrong one is found and named. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "program_internal.h"
#include "rig.h"
#include "verify.h"

/* ---- helpers ---- */

typedef struct tally {
    int n, n_wrong, n_winograd;
    tr_op_check wrong; /* the first */
} tally;

static void count(void *context, const tr_op_check *check)
{
    tally *all = context;
    all->n++;
    all->n_winograd += check->op.is_winograd;
    if (!check->ok && all->n_wrong++ == 0)
        all->wrong = *check;
}

/* A micro-batch through the replica, with numbers of both signs. */
/* Packed weights are checked with the operation that reads them. */
static size_t count_checked(const tr_program *program)
{
    size_t n = 0;
    for (size_t i = 0; i < tr_program_n_ops(program); i++)
        n += strcmp(tr_program_op(program, i).what, "packing") != 0;
    return n;
}

static tally verify(test_net *net)
{
    const tr_plan *plan = &net->model->training;
    const int64_t *s = net->config->input_shape;
    tr_verifier *verifier = NULL;
    tr_error err = {0};
    tally all = {0};
    cr_assert_eq(tr_verifier_new(&verifier, net->replica, &err), TR_OK, "%s", err.text);
    test_fill(tr_replica_data(net->replica, plan->input), (size_t)(net->n * s[0] * s[1] * s[2]), 1);
    cr_assert_eq(tr_verifier_run(verifier, TR_PREPARE, count, &all, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_verifier_run(verifier, TR_FORWARD, count, &all, &err), TR_OK, "%s", err.text);
    test_fill(tr_replica_data(net->replica, plan->diff_output),
              (size_t)(net->n * test_net_outputs(net)), 2);
    cr_assert_eq(tr_verifier_run(verifier, TR_BACKWARD, count, &all, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_verifier_run(verifier, TR_CONCLUDE, count, &all, &err), TR_OK, "%s", err.text);
    tr_verifier_free(verifier);
    cr_assert_eq((size_t)all.n, count_checked(plan->program));
    return all;
}

typedef struct subject {
    const char *layers;
    int64_t shape[3], n;
} subject;

static const subject odd[] = {
    {"[layer.a]\ntype = conv2d\nfilters = 10\nkernel_size = 1\nactivation = relu\n"
     "[layer.b]\ntype = conv2d\nfilters = 17\nkernel_size = 2\npadding = same\n"
     "activation = sigmoid\n[layer.p]\ntype = max_pooling2d\npool_size = 3\nstrides = 2\n"
     "[layer.s]\ntype = activation\nactivation = softmax\n",
     {7, 9, 3},
     1},
    {"[layer.a]\ntype = conv2d\nfilters = 17\nkernel_size = 2\nstrides = 3\nactivation = tanh\n"
     "[layer.b]\ntype = conv2d\nfilters = 3\nkernel_size = 4\npadding = same\nuse_bias = false\n"
     "activation = relu\n[layer.p]\ntype = max_pooling2d\npool_size = 2\npadding = same\n"
     "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 10\nactivation = softmax\n",
     {13, 11, 10},
     3},
    {"[layer.a]\ntype = conv2d\nfilters = 16\nkernel_size = 5\nactivation = relu\n"
     "[layer.p]\ntype = max_pooling2d\n[layer.b]\ntype = conv2d\nfilters = 32\nkernel_size = 3\n"
     "padding = same\nactivation = relu\n[layer.c]\ntype = conv2d\nfilters = 48\nkernel_size = 3\n"
     "padding = same\nactivation = relu\n[layer.q]\ntype = max_pooling2d\n"
     "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 17\nactivation = relu\n"
     "[layer.e]\ntype = dense\nunits = 3\nuse_bias = false\n",
     {20, 20, 1},
     4},
    {"[layer.z]\ntype = zero_padding2d\npadding = 0, 1, 2, 1\n[layer.a]\ntype = conv2d\n"
     "filters = 10\nkernel_size = 3\nactivation = gelu\n[layer.p]\ntype = average_pooling2d\n"
     "pool_size = 3\nstrides = 2\npadding = same\n[layer.x]\ntype = dropout\nrate = 0.3\n"
     "[layer.b]\ntype = conv2d\nfilters = 32\nkernel_size = 2\nactivation = relu\n"
     "[layer.y]\ntype = zero_padding2d\n[layer.w]\ntype = dropout\nrate = 0.5\n"
     "[layer.q]\ntype = average_pooling2d\npool_size = 2, 3\nstrides = 3, 1\n"
     "[layer.g]\ntype = global_average_pooling2d\n[layer.v]\ntype = dropout\nrate = 0.1\n"
     "[layer.d]\ntype = dense\nunits = 7\nactivation = selu\n",
     {12, 11, 3},
     3},
    {"[layer.a]\ntype = conv2d\nfilters = 10\nkernel_size = 3\n[layer.b]\n"
     "type = batch_normalization\n[layer.c]\ntype = conv2d\nfilters = 32\nkernel_size = 3\n"
     "activation = relu\n[layer.e]\ntype = batch_normalization\nscale = false\n"
     "[layer.f]\ntype = flatten\n[layer.g]\ntype = batch_normalization\n"
     "[layer.d]\ntype = dense\nunits = 5\n[layer.h]\ntype = batch_normalization\n"
     "center = false\n",
     {9, 8, 3},
     3},
    /* Widths that fill no block, a source that is the image, vectors that lie as images. */
    {"[layer.a]\ntype = conv2d\nfilters = 10\nkernel_size = 3\npadding = same\n[layer.b]\n"
     "type = conv2d\ninputs = input\nfilters = 10\nkernel_size = 1\n[layer.s]\ntype = add\n"
     "inputs = a, b\n[layer.r]\ntype = activation\nactivation = relu\n[layer.c]\n"
     "type = concatenate\ninputs = input, r, a\n[layer.e]\ntype = conv2d\nfilters = 16\n"
     "kernel_size = 2\n[layer.g]\ntype = conv2d\nfilters = 17\nkernel_size = 2\ninputs = c\n"
     "[layer.k]\ntype = concatenate\ninputs = e, g\n[layer.f]\ntype = flatten\ninputs = e\n"
     "[layer.h]\ntype = flatten\ninputs = k\n[layer.d]\ntype = dense\nunits = 7\n[layer.y]\ntype = "
     "concatenate\n"
     "inputs = f, d\n[layer.z]\ntype = dense\nunits = 7\n[layer.m]\ntype = maximum\n"
     "inputs = z, d, d\n[layer.v]\ntype = average\ninputs = m, d, z\n[layer.q]\n"
     "type = multiply\ninputs = v, d\n",
     {7, 6, 3},
     3},
    {"[layer.a]\ntype = conv2d\nfilters = 18\nkernel_size = 3\n[layer.b]\n"
     "type = group_normalization\ngroups = 6\n[layer.r]\ntype = activation\n"
     "activation = relu\n[layer.c]\ntype = conv2d\nfilters = 33\nkernel_size = 2\n[layer.e]\n"
     "type = layer_normalization\n[layer.g]\ntype = batch_normalization\n"
     "virtual_batch_size = 2\n[layer.s]\ntype = activation\nactivation = relu\n[layer.f]\n"
     "type = flatten\n[layer.d]\ntype = dense\nunits = 12\n[layer.h]\n"
     "type = group_normalization\ngroups = 3\ncenter = false\n[layer.i]\n"
     "type = layer_normalization\ntrainable = false\n",
     {9, 8, 3},
     4},
    {"[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 17\nactivation = sigmoid\n"
     "[layer.e]\ntype = dense\nunits = 1\nactivation = tanh\n",
     {1, 1, 10},
     1},
};

static void expect_all_right(const tally *all)
{
    const tr_op_check *wrong = &all->wrong;
    cr_assert_eq(all->n_wrong, 0,
                 "%d of %d wrong, first %s: %s of %s, %s: %.9g at %d,%d,%d,%d, expected %.9g: %g "
                 "times what is allowed; %d padding elements",
                 all->n_wrong, all->n, wrong->op.layer, wrong->op.what, wrong->op.impl,
                 wrong->result, wrong->got, (int)wrong->at[0], (int)wrong->at[1], (int)wrong->at[2],
                 (int)wrong->at[3], wrong->expected, wrong->error, (int)wrong->n_dirty);
}

/* Vectors are constants to begin with: biases 0, variances 1. Other values hide nothing. */
static void spread_vectors(test_net *net)
{
    tr_error err = {0};
    for (int i = 0; i < tr_model_n_weights(net->model); i++) {
        const tr_weight_info info = tr_model_weight(net->model, i);
        if (info.n_dims != 1)
            continue;
        float *values = tr_alloc((size_t)info.n, sizeof *values);
        test_fill(values, (size_t)info.n, (unsigned)i);
        for (int64_t k = 0; k < info.n && strcmp(info.name, "moving_variance") == 0; k++)
            values[k] = values[k] * values[k] + 0.1f;
        cr_assert_eq(tr_model_set_weight(net->model, i, values, &err), TR_OK, "%s", err.text);
        tr_free(values);
    }
}

static void verify_odd(const char *const *overrides, size_t n_overrides)
{
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        test_net *net =
            test_net_new_with(odd[i].layers, odd[i].shape, odd[i].n, overrides, n_overrides);
        spread_vectors(net);
        const tally all = verify(net);
        expect_all_right(&all);
        test_net_free(net);
    }
}

/* ---- kernels that are right ---- */

Test(verify, odd_shapes_in_float32)
{
    verify_odd(NULL, 0);
}

Test(verify, odd_shapes_with_avx2)
{
    if (test_has_avx2())
        verify_odd((const char *const[]){"engine.isa=avx2"}, 1);
}

Test(verify, odd_shapes_by_our_own_kernels)
{
    if (tr_kernels_best(TR_N_SETS - 1) == NULL)
        cr_skip_test("no fused multiply-add");
    verify_odd((const char *const[]){"engine.kernels=portable"}, 1);
    verify_odd((const char *const[]){"engine.kernels=portable", "engine.convolution=direct"}, 2);
    verify_odd((const char *const[]){"engine.kernels=portable", "engine.isa=scalar"}, 2);
    verify_odd((const char *const[]){"engine.kernels=fast"}, 1);
}

/* Tiles of 4 x 4 that overhang, and channels in multiples of 16, without which there is none. */
Test(verify, odd_shapes_with_winograd)
{
    static const char layers[] =
        "[layer.a]\ntype = conv2d\nfilters = 32\nkernel_size = 3\npadding = same\n"
        "activation = relu\n[layer.b]\ntype = conv2d\nfilters = 48\nkernel_size = 3\n"
        "[layer.c]\ntype = conv2d\nfilters = 16\nkernel_size = 3\npadding = same\n";
    static const int64_t shapes[][3] = {{13, 11, 16}, {5, 6, 32}, {3, 3, 16}};
    test_skip_without_winograd();
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const char *const overrides[] = {"engine.convolution=winograd"};
        test_net *net = test_net_new_with(layers, shapes[i], 3, overrides, 1);
        const tally all = verify(net);
        expect_all_right(&all);
        cr_assert_gt(all.n_winograd, 0);
        test_net_free(net);
    }
}

Test(verify, odd_shapes_in_bfloat16)
{
    if (!test_has_bfloat16())
        cr_skip_test("this CPU has no bfloat16 instructions, or they are forbidden");
    verify_odd((const char *const[]){"engine.precision=bfloat16"}, 1);
}

/* What engine/ evaluates with: no workspaces, nothing kept for backward. */
Test(verify, inference_program)
{
    test_net *net = test_net_new(odd[2].layers, odd[2].shape, odd[2].n);
    const tr_plan *plan = &net->model->inference;
    tr_replica *replica = NULL;
    tr_verifier *verifier = NULL;
    tr_error err = {0};
    tally all = {0};
    cr_assert_eq(tr_replica_new(&replica, plan->program, net->model->params, &err), TR_OK);
    cr_assert_eq(tr_verifier_new(&verifier, replica, &err), TR_OK);
    test_fill(tr_replica_data(replica, plan->input), 4 * 20 * 20, 1);
    cr_assert_eq(tr_verifier_run(verifier, TR_PREPARE, count, &all, &err), TR_OK);
    cr_assert_eq(tr_verifier_run(verifier, TR_FORWARD, count, &all, &err), TR_OK);
    cr_assert_eq((size_t)all.n, count_checked(plan->program));
    expect_all_right(&all);
    tr_verifier_free(verifier);
    tr_replica_free(replica);
    test_net_free(net);
}

/* It runs what tr_replica_run() runs: the gradients have the same bits. */
Test(verify, leaves_the_results_of_a_run)
{
    enum { PIXELS = 3 * 13 * 11 * 10, OUT = 3 * 10 };
    static float src[PIXELS], diff_src[PIXELS], diff_dst[OUT], dst[OUT];
    test_net *net = test_net_new(odd[1].layers, odd[1].shape, odd[1].n);
    const size_t n = net->model->n_floats;
    float *gradients = tr_alloc(n, sizeof *gradients);
    test_fill(src, PIXELS, 1);
    test_fill(diff_dst, OUT, 2);
    test_net_forward(net, src, dst);
    test_net_backward(net, diff_dst, diff_src);
    memcpy(gradients, net->gradients, n * sizeof *gradients);
    memset(net->gradients, 0, n * sizeof *gradients);
    verify(net); /* fills src and diff_dst alike */
    cr_assert_eq(memcmp(gradients, net->gradients, n * sizeof *gradients), 0);
    tr_free(gradients);
    test_net_free(net);
}

/* ---- kernels that are wrong ---- */

static tr_op *find(test_net *net, const char *layer, const char *what, tr_direction direction)
{
    tr_program *program = net->model->training.program;
    for (size_t i = 0; i < program->n_ops; i++)
        if (strcmp(program->ops[i].info.layer, layer) == 0 &&
            strcmp(program->ops[i].info.what, what) == 0 &&
            program->ops[i].info.direction == direction)
            return &program->ops[i];
    cr_assert_fail("no %s in %s", what, layer);
    return NULL;
}

/* A replica takes the primitives of its program when it is made. */
static void bind_again(test_net *net)
{
    tr_error err = {0};
    tr_replica_free(net->replica);
    cr_assert_eq(
        tr_replica_new(&net->replica, net->model->training.program, net->model->params, &err),
        TR_OK, "%s", err.text);
    cr_assert_eq(tr_replica_set_gradients(net->replica, net->gradients), TR_OK);
}

static const char elementwise[] =
    "[layer.a]\ntype = activation\nactivation = sigmoid\n"
    "[layer.b]\ntype = activation\nactivation = tanh\n"
    "[layer.p]\ntype = max_pooling2d\n[layer.c]\ntype = activation\nactivation = tanh\n"
    "[layer.e]\ntype = conv2d\nfilters = 17\nkernel_size = 3\npadding = same\n";
static const int64_t small[3] = {6, 6, 3};

Test(verify, kernel_of_another_function_is_found)
{
    test_net *net = test_net_new(elementwise, small, 2);
    tr_op *a = find(net, "a", "sigmoid", TR_DIR_FORWARD);
    tr_op *b = find(net, "b", "tanh", TR_DIR_FORWARD);
    const dnnl_primitive_t primitive = a->primitive;
    a->primitive = b->primitive;
    bind_again(net);
    const tally all = verify(net);
    cr_assert_eq(all.n_wrong, 1); /* what follows is computed rightly from a wrong source */
    cr_assert_str_eq(all.wrong.op.layer, "a");
    cr_assert_str_eq(all.wrong.op.what, "sigmoid");
    cr_assert_str_eq(all.wrong.result, "dst");
    cr_assert_gt(all.wrong.error, 1000.0);
    a->primitive = primitive;
    test_net_free(net);
}

Test(verify, element_that_is_left_out_is_found)
{
    test_net *net = test_net_new(elementwise, small, 2);
    tr_op *b = find(net, "b", "tanh", TR_DIR_FORWARD);
    const dnnl_primitive_t primitive = b->primitive;
    b->primitive = find(net, "c", "tanh", TR_DIR_FORWARD)->primitive; /* a quarter of the size */
    bind_again(net);
    const tally all = verify(net);
    cr_assert_geq(all.n_wrong, 1);
    cr_assert_str_eq(all.wrong.op.layer, "b");
    cr_assert(isnan(all.wrong.got) && isinf(all.wrong.error));
    b->primitive = primitive;
    test_net_free(net);
}

/* The kernel is right and the reference is not: only the terms of one border differ. */
static void shift(tr_direction direction, const char *result, int64_t at_least)
{
    test_net *net = test_net_new(elementwise, small, 2);
    tr_geometry *geometry = &find(net, "e", "convolution", direction)->meaning.geometry;
    cr_assert_eq(geometry->pad_before[1], 1);
    geometry->pad_before[1] = 0;
    const tally all = verify(net);
    cr_assert_eq(all.n_wrong, 1);
    cr_assert_str_eq(all.wrong.op.layer, "e");
    cr_assert_str_eq(all.wrong.op.what, "convolution");
    cr_assert_eq(all.wrong.op.direction, direction);
    cr_assert_str_eq(all.wrong.result, result);
    cr_assert_eq(all.wrong.n_dims, 4);
    cr_assert_gt(all.wrong.error, (double)at_least);
    test_net_free(net);
}

Test(verify, wrong_convolution_is_found_in_each_direction)
{
    shift(TR_DIR_FORWARD, "dst", 1000);
    shift(TR_DIR_BACKWARD_DATA, "diff_src", 1000);
    shift(TR_DIR_BACKWARD_WEIGHTS, "diff_weights", 1000);
}

/* A relu over 16 channels, where the program is then told that 10 of them are real: what it leaves
 * in the other 6 is padding that is not zero. */
Test(verify, dirty_padding_is_found)
{
    tr_dnn *dnn = NULL;
    tr_program *program = NULL;
    tr_replica *replica = NULL;
    tr_verifier *verifier = NULL;
    tr_md_store full, part;
    tr_value src, dst;
    tr_activation_tape tape;
    tr_error err = {0};
    tr_extents extents = {0};
    float none[1] = {0};
    tally all = {0};
    cr_assert_eq(tr_dnn_new(&dnn, &(tr_engine_config){.isa = TR_ISA_AUTO}, &err), TR_OK);
    cr_assert_eq(tr_program_new(&program, dnn, 2, false, &extents, &err), TR_OK);
    tr_program_begin(program, "here", TR_FORWARD);
    tr_md_init(&full, 4, (dnnl_dims_t){2, 16, 1, 3}, dnnl_f32, dnnl_nChw16c);
    tr_md_init(&part, 4, (dnnl_dims_t){2, 10, 1, 3}, dnnl_f32, dnnl_nChw16c);
    src = tr_program_value(program, tr_layout_intern(dnn, tr_md_of(&full)));
    cr_assert_eq(
        tr_activation_forward(program, tr_activation_named(TR_RELU), src, &tape, &dst, &err),
        TR_OK);
    cr_assert_eq(tr_program_finish(program, &err), TR_OK);
    program->values[src].layout = program->values[dst].layout =
        tr_layout_intern(dnn, tr_md_of(&part));
    cr_assert_eq(tr_replica_new(&replica, program, none, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_verifier_new(&verifier, replica, &err), TR_OK);
    for (int i = 0; i < 2 * 16 * 3; i++)
        tr_replica_data(replica, src)[i] = 1.0f;
    cr_assert_eq(tr_verifier_run(verifier, TR_FORWARD, count, &all, &err), TR_OK);
    cr_assert_eq(all.n_wrong, 1);
    cr_assert_eq(all.wrong.n_dirty, 2 * 6 * 3);
    cr_assert_eq(all.wrong.error, 0.0);
    tr_verifier_free(verifier);
    tr_replica_free(replica);
    tr_program_free(program);
    tr_md_release(&full);
    tr_md_release(&part);
    tr_dnn_free(dnn);
}

/* ---- refusals ---- */

Test(verify, backward_alone_is_refused_where_winners_are_missing)
{
    test_net *net = test_net_new(elementwise, small, 2);
    tr_verifier *verifier = NULL;
    tr_error err = {0};
    tally all = {0};
    cr_assert_eq(tr_verifier_new(&verifier, net->replica, &err), TR_OK);
    cr_assert_eq(tr_verifier_run(verifier, TR_BACKWARD, count, &all, &err), TR_ERR_INTERNAL);
    cr_assert_not_null(strstr(err.text, "p: verify FORWARD before BACKWARD"), "%s", err.text);
    tr_verifier_free(verifier);
    test_net_free(net);
}

Test(verify, survives_lack_of_memory)
{
    test_net *net = test_net_new(elementwise, small, 1);
    tr_error err = {0};
    tr_status status = TR_ERR_INTERNAL;
    for (int k = 0; status != TR_OK; k++) {
        tr_verifier *verifier = NULL;
        tally all = {0};
        cr_assert_lt(k, 10000);
        tr_alloc_fail_after(k);
        status = tr_verifier_new(&verifier, net->replica, &err);
        for (int phase = 0; phase < TR_N_PHASES && status == TR_OK; phase++)
            status = tr_verifier_run(verifier, (tr_phase)phase, count, &all, &err);
        tr_alloc_fail_after(-1);
        tr_verifier_free(verifier);
        cr_assert(status == TR_OK || strstr(err.text, "out of memory") != NULL, "%s", err.text);
    }
    test_net_free(net);
}
