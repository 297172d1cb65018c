/* test_weight_rules.c -- regularizers of weights and of results, and constraints: the steps of real
 * Keras, the loss of a step and of an evaluation, and the same bits whatever the threads. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "recorded.h"

enum { N = 40, MAX_OVERRIDES = 16 };

static const int64_t shape[3] = {9, 7, 3};

/* That of tests/golden/rules_trace.py. */
static const char layers[] =
    "[model]\ninput_shape = 9, 7, 3\n"
    "[layer.a]\ntype = conv2d\nfilters = 5\nkernel_size = 4, 2\npadding = same\n"
    "activation = relu\n[layer.n]\ntype = batch_normalization\nepsilon = 0.01\n"
    "[layer.p]\ntype = max_pooling2d\npool_size = 3\nstrides = 2\n"
    "padding = same\n[layer.c]\ntype = conv2d\nfilters = 6\nkernel_size = 2\nstrides = 2, 1\n"
    "activation = tanh\nuse_bias = false\n[layer.e]\ntype = flatten\n"
    "[layer.f]\ntype = dense\nunits = 11\nactivation = relu\n"
    "[layer.g]\ntype = dense\nunits = 4\nactivation = softmax\n[evaluate]\nbatch_size = 7\n";

typedef struct variant {
    const char *name, *optimizer;
    const char *overrides[MAX_OVERRIDES]; /* NULL-terminated */
} variant;

static const variant variants[] = {
    {"l2",
     "sgd",
     {"layer.a.kernel_regularizer=l2(0.03)", "layer.a.bias_regularizer=l1(0.02)",
      "layer.c.kernel_regularizer=l2", "layer.n.gamma_regularizer=l2(0.05)",
      "layer.n.beta_regularizer=l1(l1=0.04)", "optimizer.learning_rate=0.1",
      "optimizer.momentum=0.9"}},
    {"l1_clipped",
     "adam",
     {"layer.a.kernel_regularizer=l1", "layer.f.kernel_regularizer=l1(0.002)",
      "optimizer.learning_rate=0.005", "optimizer.global_clipnorm=0.5"}},
    {"both_accumulated",
     "adamw",
     {"layer.c.kernel_regularizer=l1_l2(0.01, 0.02)", "layer.g.kernel_regularizer=l1_l2(l2=0.1)",
      "layer.g.bias_regularizer=l2", "optimizer.learning_rate=0.01", "optimizer.weight_decay=0.1",
      "optimizer.gradient_accumulation_steps=2"}},
    {"frozen",
     "rmsprop",
     {"layer.a.kernel_regularizer=l2", "layer.a.kernel_constraint=non_neg",
      "layer.a.trainable=false", "layer.f.kernel_regularizer=l2", "optimizer.learning_rate=0.005"}},
    {"norms",
     "sgd",
     {"layer.a.kernel_constraint=max_norm(0.7, axis=[0, 1, 2])", "layer.a.bias_constraint=non_neg",
      "layer.c.kernel_constraint=unit_norm(axis=[0, 1, 2])",
      "layer.f.kernel_constraint=max_norm(0.8)", "layer.f.bias_constraint=max_norm(max_value=0.3)",
      "layer.g.kernel_constraint=unit_norm", "optimizer.learning_rate=0.2"}},
    {"norms_averaged",
     "adam",
     {"layer.a.kernel_constraint=min_max_norm(0.6, 1.2, rate=0.7, axis=[0, 1])",
      "layer.n.gamma_constraint=max_norm(1.5)", "layer.n.beta_constraint=non_neg",
      "layer.c.kernel_constraint=min_max_norm(axis=[2, -1])",
      "layer.f.kernel_constraint=max_norm(1, 1)", "optimizer.learning_rate=0.01",
      "optimizer.use_ema=true", "optimizer.ema_momentum=0.8"}},
    {"held_while_accumulating",
     "adam",
     {"layer.a.kernel_constraint=min_max_norm(0.1, 0.5, 0.25, [0, 1, 2])",
      "layer.f.kernel_constraint=non_neg", "layer.f.kernel_regularizer=l1",
      "layer.g.kernel_constraint=max_norm(0.9, axis=[-2, -1])", "optimizer.learning_rate=0.02",
      "optimizer.gradient_accumulation_steps=3"}},
    {"results",
     "sgd",
     {"layer.a.activity_regularizer=l2(0.002)", "layer.n.activity_regularizer=l2(0.001)",
      "layer.p.activity_regularizer=l1(0.004)", "layer.c.activity_regularizer=l1_l2(0.01, 0.02)",
      "layer.c.kernel_regularizer=l2", "layer.f.activity_regularizer=l1(0.03)",
      "optimizer.learning_rate=0.05", "optimizer.momentum=0.9"}},
    {"last_result",
     "adam",
     {"layer.a.activity_regularizer=l1(0.02)", "layer.a.trainable=false",
      "layer.e.activity_regularizer=l2", "layer.g.activity_regularizer=l2(0.5)",
      "optimizer.learning_rate=0.01"}},
};
enum { N_VARIANTS = sizeof variants / sizeof *variants };

static size_t count(const variant *of)
{
    size_t n = 0;
    while (of->overrides[n] != NULL)
        n++;
    return n;
}

/* Keras in float32 and in float64 are 1.7e-6 apart; kernels of ours add in other orders than its.
 */
static const double allowed = 5e-6;

static void compare_evaluation(test_rig *rig, hid_t file, const char *name,
                               const tr_samples *samples)
{
    char *path = tr_format("%s/evaluated", name);
    size_t n;
    uint32_t index[N];
    tr_sums sums;
    tr_error err = {0};
    float *keras = test_golden_floats(file, path, &n);
    for (uint32_t i = 0; i < N; i++)
        index[i] = i;
    cr_assert_eq(tr_engine_evaluate(rig->engine, samples, index, samples->n, NULL, &sums, &err),
                 TR_OK);
    cr_expect_float_eq(sums.loss / (double)sums.n, (double)keras[0], allowed, "%s: evaluated %.7f",
                       name, sums.loss / (double)sums.n);
    tr_free(keras);
    tr_free(path);
}

static void follow(const char *kernels)
{
    const hid_t file = test_golden_open("rules_trace.h5");
    tr_samples samples = test_recorded_samples(file);
    for (size_t i = 0; i < N_VARIANTS; i++) {
        const char *overrides[MAX_OVERRIDES + 1];
        const size_t n = count(&variants[i]);
        memcpy(overrides, variants[i].overrides, n * sizeof *overrides);
        overrides[n] = kernels;
        test_rig rig = test_rig_new(layers, variants[i].optimizer, 2, N, overrides, n + 1);
        test_rig_load_weights(&rig, file, "initial");
        test_recorded_losses(&rig, file, variants[i].name, &samples, allowed);
        test_recorded_weights(&rig, file, variants[i].name, allowed);
        compare_evaluation(&rig, file, variants[i].name, &samples);
        test_rig_free(&rig);
    }
    test_samples_free(&samples);
    H5Fclose(file);
}

Test(weight_rules, as_in_keras)
{
    follow("engine.kernels=onednn");
}

Test(weight_rules, as_in_keras_on_kernels_of_our_own)
{
    follow("engine.kernels=portable");
}

/* Loss and weights, with more samples than a wave has room for. */
Test(weight_rules, threads_never_change_the_result)
{
    static const int threads[] = {3, 7};
    for (size_t i = 0; i < N_VARIANTS; i++) {
        char one[33], other[33];
        const variant *of = &variants[i];
        test_rig_digest(layers, of->optimizer, shape, 4, 1, of->overrides, count(of), one);
        for (int k = 0; k < 2; k++) {
            test_rig_digest(layers, of->optimizer, shape, 4, threads[k], of->overrides, count(of),
                            other);
            cr_expect_str_eq(one, other, "%s with %d threads", of->name, threads[k]);
        }
    }
}

Test(weight_rules, threads_never_change_the_loss)
{
    double losses[3];
    tr_samples samples = test_samples(90, shape, 4);
    for (int k = 0; k < 3; k++) {
        test_rig rig =
            test_rig_new(layers, "sgd", 3 * k + 1, N, variants[0].overrides, count(&variants[0]));
        losses[k] = test_rig_step(&rig, &samples, N - 3, 0).loss;
        test_rig_free(&rig);
    }
    cr_expect(losses[0] == losses[1] && losses[0] == losses[2]);
    test_samples_free(&samples);
}

/* An activation that stands alone is taken over by the layer before it, and moves behind a pooling:
 * not where a regularizer wants to see the result in between. */
Test(weight_rules, results_are_seen_wherever_activations_go)
{
    static const char alone[] =
        "[model]\ninput_shape = 9, 7, 3\n[layer.a]\ntype = conv2d\nfilters = 5\nkernel_size = 3\n"
        "[layer.r]\ntype = activation\nactivation = relu\nactivity_regularizer = l1_l2(0.1, 0.2)\n"
        "[layer.p]\ntype = max_pooling2d\n[layer.e]\ntype = flatten\n[layer.g]\ntype = dense\n"
        "units = 4\nactivation = softmax\n";
    static const char within[] =
        "[model]\ninput_shape = 9, 7, 3\n[layer.a]\ntype = conv2d\nfilters = 5\nkernel_size = 3\n"
        "activation = relu\nactivity_regularizer = l1_l2(0.1, 0.2)\n"
        "[layer.p]\ntype = max_pooling2d\n[layer.e]\ntype = flatten\n[layer.g]\ntype = dense\n"
        "units = 4\nactivation = softmax\n";
    static const char before[] =
        "[model]\ninput_shape = 9, 7, 3\n[layer.a]\ntype = conv2d\nfilters = 5\nkernel_size = 3\n"
        "activity_regularizer = l1_l2(0.1, 0.2)\n[layer.r]\ntype = activation\nactivation = relu\n"
        "[layer.p]\ntype = max_pooling2d\n[layer.e]\ntype = flatten\n[layer.g]\ntype = dense\n"
        "units = 4\nactivation = softmax\n";
    const char *const bodies[] = {alone, within, before};
    tr_samples samples = test_samples(90, shape, 4);
    char digests[3][33];
    double losses[3];
    for (int i = 0; i < 3; i++) {
        test_rig rig = test_rig_new(bodies[i], "sgd", 2, N, NULL, 0);
        tr_error err = {0};
        losses[i] = test_rig_step(&rig, &samples, N - 3, 0).loss;
        test_rig_step(&rig, &samples, N, 1);
        cr_assert_eq(tr_model_digest(rig.model, digests[i], &err), TR_OK);
        test_rig_free(&rig);
    }
    cr_expect_str_eq(digests[0], digests[1]);
    cr_expect_eq(losses[0], losses[1]);
    cr_expect_gt(losses[2], losses[0] * 1.01); /* what relu cuts off costs, too */
    test_samples_free(&samples);
}

/* What has no targets has no loss, and no penalty either. */
Test(weight_rules, predictions_have_no_penalty)
{
    tr_samples samples = test_samples(9, shape, 4), blind = samples;
    uint32_t index[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    tr_sums sums;
    tr_error err = {0};
    test_rig rig = test_rig_new(layers, "sgd", 2, N, variants[0].overrides, count(&variants[0]));
    blind.y = NULL;
    cr_assert_eq(tr_engine_evaluate(rig.engine, &blind, index, 9, NULL, &sums, &err), TR_OK);
    cr_expect(sums.loss == 0.0 && sums.n == 9);
    test_rig_free(&rig);
    test_samples_free(&samples);
}

/* A dense layer on pixels has a kernel of two dimensions, as in Keras, however it computes. */
Test(weight_rules, axes_are_those_of_keras)
{
    static const char body[] = "[model]\ninput_shape = 9, 7, 3\n[layer.d]\ntype = dense\n"
                               "units = 17\nkernel_constraint = unit_norm\n[layer.f]\n"
                               "type = flatten\n[layer.g]\ntype = dense\nunits = 4\n"
                               "activation = softmax\nkernel_constraint = unit_norm(axis=[-1])\n";
    tr_samples samples = test_samples(90, shape, 4);
    test_rig rig = test_rig_new(body, "sgd", 2, N, NULL, 0);
    test_rig_step(&rig, &samples, N, 0);
    float *kernel = test_rig_weight(&rig, 0), *last = test_rig_weight(&rig, 2);
    for (int unit = 0; unit < 17; unit++) {
        double sum = 0.0;
        for (int i = 0; i < 3; i++)
            sum += (double)kernel[i * 17 + unit] * (double)kernel[i * 17 + unit];
        cr_expect_float_eq(sum, 1.0, 2e-6, "%d: %g", unit, sum);
    }
    for (int i = 0; i < 9 * 7 * 17; i++) {
        double sum = 0.0;
        for (int unit = 0; unit < 4; unit++)
            sum += (double)last[i * 4 + unit] * (double)last[i * 4 + unit];
        /* norms of near nothing are held back by Keras's epsilon */
        cr_expect_float_eq(sum, 1.0, 1e-4, "%d: %g", i, sum);
    }
    tr_free(kernel);
    tr_free(last);
    test_rig_free(&rig);
    test_samples_free(&samples);
}

/* Padding of blocked layouts stays zero, whatever a weight is held to. */
Test(weight_rules, padding_stays_zero)
{
    tr_samples samples = test_samples(90, shape, 4);
    for (size_t i = 0; i < N_VARIANTS; i++) {
        test_rig rig = test_rig_new(layers, variants[i].optimizer, 2, N, variants[i].overrides,
                                    count(&variants[i]));
        for (uint32_t step = 0; step < 3; step++)
            test_rig_step(&rig, &samples, N, step);
        size_t seen = 0, whole = 0;
        for (size_t k = 0; k < rig.model->extents.n[TR_TRAINED]; k++)
            seen += rig.model->params[k] != 0.0f;
        for (int w = 0; w < tr_model_n_weights(rig.model); w++)
            whole +=
                tr_model_weight(rig.model, w).trained ? (size_t)tr_model_weight(rig.model, w).n : 0;
        cr_expect_leq(seen, whole, "%s", variants[i].name);
        test_rig_free(&rig);
    }
    test_samples_free(&samples);
}

Test(weight_rules, constraints_that_do_not_go)
{
    static const char *const rows[][2] = {
        {"kernel_constraint = max_norm(3, axis=[0, 2])",
         "constraint max_norm of kernel: axis names a dimension that a weight of 2 does not have"},
        {"bias_constraint = unit_norm(axis=1)", "constraint unit_norm of bias: axis"},
        {"bias_constraint = unit_norm(axis=-2)", "constraint unit_norm of bias: axis"},
        {"kernel_constraint = min_max_norm(2, 1)", "min_value is larger than max_value"},
        {"kernel_constraint = min_max_norm(0, 1, 2)", "rate a number from 0 to 1"},
        {"kernel_regularizer = l2(-1)", "must be l2(l2), with l2 a number from 0"},
        {"kernel_regularizer = L2", "did you mean l2?"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *body = tr_format("[model]\ninput_shape = 4, 4, 2\n[layer.f]\ntype = flatten\n"
                               "[layer.a]\ntype = dense\nunits = 3\n%s\n",
                               rows[i][0]);
        test_refused(body, rows[i][1]);
        tr_free(body);
    }
}
