/* test_own_kernels.c -- whole steps by kernels of our own: the same bits with every instruction set
 * and any number of threads, next to oneDNN's numbers; and what is refused.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "rig.h"

static const int64_t digit[3] = {28, 28, 1}, odd[3] = {9, 7, 3};

/* 3 x 3 in all the ways of a residual network, on channels that fill vectors and that do not. */
static const char residual_layers[] =
    "[model]\ninput_shape = 15, 14, 3\n"
    "[layer.stem]\ntype = conv2d\nfilters = 16\nkernel_size = 3\npadding = same\n"
    "use_bias = false\n"
    "[layer.bn]\ntype = batch_normalization\n[layer.n1]\ntype = activation\nactivation = relu\n"
    "[layer.c1]\ntype = conv2d\nfilters = 24\nkernel_size = 3\nstrides = 2\npadding = same\n"
    "activation = relu\n"
    "[layer.c2]\ntype = conv2d\nfilters = 24\nkernel_size = 3\npadding = same\n"
    "[layer.s]\ntype = conv2d\ninputs = n1\nfilters = 24\nkernel_size = 1\nstrides = 2\n"
    "[layer.sum]\ntype = add\ninputs = c2, s\n[layer.r]\ntype = activation\nactivation = relu\n"
    "[layer.c3]\ntype = conv2d\nfilters = 20\nkernel_size = 3\nactivation = swish\n"
    "[layer.pool]\ntype = global_average_pooling2d\n"
    "[layer.out]\ntype = dense\nunits = 4\nactivation = softmax\n";

typedef struct network {
    const char *name, *layers, *optimizer;
    const int64_t *shape;
    int classes;
} network;

static const int64_t colour[3] = {15, 14, 3};
static const network networks[] = {
    {"reference", test_reference_layers, "adam", digit, 10},
    {"odd", test_odd_layers, "sgd", odd, 4},
    {"more", test_more_layers, "adam", odd, 4},
    {"residual", residual_layers, "adam", colour, 4},
};
enum { N_NETWORKS = sizeof networks / sizeof *networks };

static void digest_of(const network *net, int threads, const char *kernels, const char *isa,
                      char text[33])
{
    char a[40], b[40];
    snprintf(a, sizeof a, "engine.kernels=%s", kernels);
    snprintf(b, sizeof b, "engine.isa=%s", isa);
    test_rig_digest(net->layers, net->optimizer, net->shape, net->classes, threads,
                    (const char *const[]){a, b}, 2, text);
}

static bool has_own(void)
{
    return tr_kernels_best(TR_N_SETS - 1) != NULL;
}

/* ---- the same bits ---- */

Test(own_kernels, portable_is_the_same_with_every_instruction_set)
{
    static const char *const names[TR_N_SETS] = {"scalar", "neon", "avx2", "avx512"};
    if (!has_own())
        cr_skip_test("no fused multiply-add");
    for (int i = 0; i < N_NETWORKS; i++) {
        char first[33], other[33];
        digest_of(&networks[i], 1, "portable", "auto", first);
        for (int set = 0; set < TR_N_SETS; set++) {
            if (tr_kernels_of((tr_instruction_set)set) == NULL)
                continue;
            digest_of(&networks[i], 2, "portable", names[set], other);
            cr_assert_str_eq(first, other, "%s, %s", networks[i].name, names[set]);
        }
    }
}

Test(own_kernels, threads_do_not_change_a_bit)
{
    static const int threads[] = {2, 3, 7};
    char one[33], other[33];
    if (!has_own())
        cr_skip_test("no fused multiply-add");
    for (int i = 0; i < N_NETWORKS; i++) {
        digest_of(&networks[i], 1, "portable", "auto", one);
        for (int t = 0; t < 3; t++) {
            digest_of(&networks[i], threads[t], "portable", "auto", other);
            cr_assert_str_eq(one, other, "%s, %d threads", networks[i].name, threads[t]);
        }
    }
    digest_of(&networks[0], 1, "fast", "auto", one);
    digest_of(&networks[0], 3, "fast", "auto", other);
    cr_assert_str_eq(one, other, "fast, 3 threads");
}

/* ---- the same numbers ---- */

/* Of moving statistics, which have no gradient. */
static bool is_zero(const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (values[i] != 0.0f)
            return false;
    return true;
}

/* Adam's first steps follow the signs of gradients, which rounding alone may turn where they are
 * near 0; so what is compared are gradients, of which the largest sums have a hundred thousand
 * terms. Winograd's errors are 3e-6 of the largest value of a tensor. */
Test(own_kernels, gradients_are_those_of_onednn)
{
    static const char *const kernels[] = {"engine.kernels=onednn", "engine.kernels=fast",
                                          "engine.kernels=portable"};
    if (!has_own())
        cr_skip_test("no fused multiply-add");
    for (int i = 0; i < N_NETWORKS; i++) {
        test_rig rigs[3];
        tr_samples samples = test_samples(64, networks[i].shape, networks[i].classes);
        for (int k = 0; k < 3; k++) {
            rigs[k] =
                test_rig_new(networks[i].layers, networks[i].optimizer, 2, 64, &kernels[k], 1);
            test_rig_step(&rigs[k], &samples, 64, 0);
        }
        for (int w = 0; w < tr_model_n_weights(rigs[0].model); w++) {
            const size_t n = (size_t)tr_model_weight(rigs[0].model, w).n;
            float *theirs = test_rig_gradient(&rigs[0], w);
            for (int k = 1; k < 3; k++) {
                float *ours = test_rig_gradient(&rigs[k], w);
                if (!is_zero(theirs, n))
                    cr_assert_lt(test_distance(ours, theirs, n), 2e-5, "%s, weight %d, %s: %g",
                                 networks[i].name, w, kernels[k], test_distance(ours, theirs, n));
                tr_free(ours);
            }
            tr_free(theirs);
        }
        for (int k = 0; k < 3; k++)
            test_rig_free(&rigs[k]);
        test_samples_free(&samples);
    }
}

/* ---- what is refused ---- */

static const char *refusal(tr_engine_config config)
{
    static tr_error err;
    tr_dnn *dnn = NULL;
    config.micro_batch = 8;
    err.text[0] = '\0';
    const tr_status status = tr_dnn_new(&dnn, &config, &err);
    tr_dnn_free(dnn);
    cr_assert(status == TR_OK || status == TR_ERR_CONFIG);
    return status == TR_OK ? NULL : err.text;
}

Test(own_kernels, what_does_not_go_together_is_refused)
{
    const char *text =
        refusal((tr_engine_config){.kernels = TR_KERNELS_ONEDNN, .isa = TR_ISA_SCALAR});
    cr_assert(text != NULL && strstr(text, "isa = scalar: oneDNN has no such limit"), "%s", text);
    text = refusal((tr_engine_config){.kernels = TR_KERNELS_PORTABLE, .isa = TR_ISA_SCALAR});
    cr_assert(!has_own() || text == NULL, "%s", text);
#if defined(__x86_64__)
    text = refusal((tr_engine_config){.kernels = TR_KERNELS_PORTABLE, .isa = TR_ISA_NEON});
    cr_assert(text != NULL && strstr(text, "isa = neon: this CPU does not have it"), "%s", text);
#endif
}

/* A key that would change nothing. */
Test(own_kernels, they_are_float32)
{
    if (!test_has_bfloat16())
        cr_skip_test("this CPU has no bfloat16 instructions, or they are forbidden");
    for (int kernels = TR_KERNELS_FAST; kernels <= TR_KERNELS_PORTABLE; kernels++) {
        const char *text =
            refusal((tr_engine_config){.kernels = kernels, .precision = TR_BFLOAT16});
        cr_assert(text != NULL && strstr(text, "float32 alone"), "%s", text);
    }
}

Test(own_kernels, winograd_that_nothing_takes_is_refused)
{
    static const char layers[] = "[model]\ninput_shape = 9, 7, 3\n[layer.a]\ntype = conv2d\n"
                                 "filters = 32\nkernel_size = 5\n[layer.b]\ntype = flatten\n"
                                 "[layer.c]\ntype = dense\nunits = 4\nactivation = softmax\n";
    static const char *const overrides[] = {"engine.kernels=fast", "engine.convolution=winograd"};
    tr_error err = {0};
    tr_model *model = NULL;
    if (!has_own())
        cr_skip_test("no fused multiply-add");
    tr_config *config = test_config(layers, overrides, 2);
    cr_assert_eq(tr_model_parse(&model, config, &err), TR_OK);
    cr_assert_eq(tr_model_build(model, &err), TR_ERR_CONFIG);
    cr_assert(strstr(err.text, "it pays for no layer of this model"), "%s", err.text);
    tr_model_free(model);
    tr_config_free(config);
}
