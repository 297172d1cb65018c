/* test_activation.c -- the table of activations, and each of them against the plain reference,
 * fused and alone, wherever channels are padded and wherever they are not.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "net.h"
#include "primitives.h"
#include "rig.h"
#include "verify.h"

Test(activation, names_are_keras_and_complete)
{
    for (int i = 0; i < TR_N_ACTIVATIONS; i++)
        cr_assert_not_null(tr_activation_names[i]);
    cr_assert_null(tr_activation_names[TR_N_ACTIVATIONS]);
    cr_assert_str_eq(tr_activation_names[TR_RELU], "relu");
    cr_assert_str_eq(tr_activation_names[TR_LINEAR], "linear");
}

static bool commutes_with_max(tr_activation_name name)
{
    return tr_activation_commutes_with_max(tr_activation_named(name));
}

static bool fuses(tr_activation_name name)
{
    return tr_activation_fuses(tr_activation_named(name));
}

Test(activation, only_what_cuts_commutes_with_max)
{
    cr_assert(commutes_with_max(TR_RELU) && commutes_with_max(TR_RELU6));
    cr_assert_not(commutes_with_max(TR_LINEAR)); /* nothing to move */
    cr_assert_not(commutes_with_max(TR_SIGMOID));
    cr_assert_not(commutes_with_max(TR_TANH));
    cr_assert_not(commutes_with_max(TR_SOFTMAX));
    /* The reason: two inputs, one value; the pooling would choose another winner. */
    cr_assert_eq(1.0f / (1.0f + expf(-17.5f)), 1.0f / (1.0f + expf(-18.0f)));
}

Test(activation, what_fuses_needs_only_its_result)
{
    cr_assert(fuses(TR_RELU) && fuses(TR_SIGMOID) && fuses(TR_TANH) && fuses(TR_HARD_SIGMOID) &&
              fuses(TR_RELU6) && fuses(TR_ELU));
    cr_assert_not(fuses(TR_SOFTMAX) || fuses(TR_GELU) || fuses(TR_SELU) || fuses(TR_SOFTPLUS) ||
                  fuses(TR_SWISH));
}

/* ---- every activation in every place ---- */

static const int64_t shape[3] = {7, 6, 3};

/* Behind a convolution whose 10 channels fill no block, alone, behind a full one, a dense layer. */
static test_net *everywhere(const char *name, const char *const *overrides, size_t n_overrides)
{
    const bool grows = strcmp(name, "exponential") == 0; /* many of it are infinite */
    const char *many = grows ? "tanh" : name;
    char *layers =
        tr_format("[layer.a]\ntype = conv2d\nfilters = 10\nkernel_size = 2\nactivation = %s\n"
                  "[layer.b]\ntype = activation\nactivation = %s\n"
                  "[layer.c]\ntype = conv2d\nfilters = 32\nkernel_size = 3\npadding = same\n"
                  "activation = %s\n[layer.d]\ntype = activation\nactivation = %s\n"
                  "[layer.f]\ntype = flatten\n[layer.e]\ntype = dense\nunits = 7\nactivation = %s\n"
                  "[layer.g]\ntype = dense\nunits = 5\nactivation = %s\n",
                  many, name, many, many, many, name);
    test_net *net = test_net_new_with(layers, shape, 3, overrides, n_overrides);
    tr_free(layers);
    return net;
}

static void expect_right(void *context, const tr_op_check *check)
{
    cr_assert(check->ok, "%s: %s of %s, %s: %.9g, expected %.9g: %g times what is allowed",
              (const char *)context, check->op.layer, check->op.impl, check->result, check->got,
              check->expected, check->error);
    cr_assert(!check->op.is_ref, "%s: %s of %s is %s", (const char *)context, check->op.what,
              check->op.layer, check->op.impl);
}

static void verify_all(const char *const *overrides, size_t n_overrides)
{
    for (int i = 0; i < TR_N_ACTIVATIONS; i++) {
        char *name = (char *)(uintptr_t)tr_activation_names[i];
        test_net *net = everywhere(name, overrides, n_overrides);
        const tr_plan *plan = &net->model->training;
        tr_verifier *verifier = NULL;
        tr_error err = {0};
        cr_assert_eq(tr_verifier_new(&verifier, net->replica, &err), TR_OK);
        float *input = tr_replica_data(net->replica, plan->input);
        test_fill(input, (size_t)(3 * 7 * 6 * 3), 1);
        for (int k = 0; k < 3 * 7 * 6 * 3; k++)
            input[k] *= 4.0f; /* beyond every kink */
        cr_assert_eq(tr_verifier_run(verifier, TR_PREPARE, expect_right, name, &err), TR_OK);
        cr_assert_eq(tr_verifier_run(verifier, TR_FORWARD, expect_right, name, &err), TR_OK);
        test_fill(tr_replica_data(net->replica, plan->diff_output), 3 * 5, 2);
        cr_assert_eq(tr_verifier_run(verifier, TR_BACKWARD, expect_right, name, &err), TR_OK);
        tr_verifier_free(verifier);
        test_net_free(net);
    }
}

Test(activation, each_is_right_and_fast_in_float32)
{
    verify_all(NULL, 0);
}

Test(activation, each_is_right_and_fast_with_avx2)
{
    if (test_has_avx2())
        verify_all((const char *const[]){"engine.isa=avx2"}, 1);
}

Test(activation, each_is_right_and_fast_in_bfloat16)
{
    if (!test_has_bfloat16())
        cr_skip_test("this CPU has no bfloat16 instructions, or they are forbidden");
    verify_all((const char *const[]){"engine.precision=bfloat16"}, 1);
}
