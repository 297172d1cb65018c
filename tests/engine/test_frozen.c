/* test_frozen.c -- layers with trainable = false: they stay as they are, to the bit, whatever the
 * optimizer does to the others, and the others learn as they do in Keras. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "h5_attributes.h"
#include "mem.h"
#include "optimizer_list.h"
#include "recorded.h"

enum { N = 40 };

static const int64_t shape[3] = {9, 7, 3};

/* That of tests/golden/frozen_trace.py: the layers a, n, c, f, g have weights. */
static const char layers[] =
    "[model]\ninput_shape = 9, 7, 3\n"
    "[layer.a]\ntype = conv2d\nfilters = 5\nkernel_size = 4, 2\npadding = same\n"
    "activation = relu\n[layer.n]\ntype = batch_normalization\nepsilon = 0.01\n"
    "trainable = false\n[layer.p]\ntype = max_pooling2d\npool_size = 3\nstrides = 2\n"
    "padding = same\n[layer.c]\ntype = conv2d\nfilters = 6\nkernel_size = 2\nstrides = 2, 1\n"
    "activation = tanh\nuse_bias = false\n[layer.e]\ntype = flatten\n"
    "[layer.f]\ntype = dense\nunits = 11\nactivation = relu\n"
    "[layer.g]\ntype = dense\nunits = 4\nactivation = softmax\n";

/* Statistics of a sample or of a group of its channels, and a sum of two paths. */
static const char sample_layers[] =
    "[model]\ninput_shape = 9, 7, 3\n"
    "[layer.a]\ntype = conv2d\nfilters = 6\nkernel_size = 3\npadding = same\n"
    "[layer.u]\ntype = group_normalization\ngroups = 2\ntrainable = false\n"
    "[layer.c]\ntype = conv2d\nfilters = 6\nkernel_size = 1\n"
    "[layer.s]\ntype = add\ninputs = c, a\n[layer.e]\ntype = flatten\n"
    "[layer.l]\ntype = layer_normalization\ntrainable = false\n"
    "[layer.f]\ntype = dense\nunits = 11\nactivation = tanh\n"
    "[layer.g]\ntype = dense\nunits = 4\nactivation = softmax\n";

/* ---- what a variant is ---- */

enum { MAX_OVERRIDES = 16 };

typedef struct variant {
    const char *body, *name, *optimizer;
    const char *overrides[MAX_OVERRIDES]; /* NULL-terminated */
} variant;

static test_rig new_rig(const variant *of, int threads)
{
    size_t n = 0;
    while (of->overrides[n] != NULL)
        n++;
    return test_rig_new(of->body, of->optimizer, threads, N, of->overrides, n);
}

/* ---- against Keras ---- */

static const variant in_keras[] = {
    {layers, "first_adam", "adam", {"layer.a.trainable=false", "optimizer.learning_rate=0.01"}},
    {layers,
     "first_lamb",
     "lamb",
     {"layer.a.trainable=false", "optimizer.learning_rate=0.02", "optimizer.weight_decay=0.1"}},
    {layers,
     "first_average",
     "adamw",
     {"layer.a.trainable=false", "optimizer.learning_rate=0.01", "optimizer.weight_decay=0.1",
      "optimizer.use_ema=true", "optimizer.ema_momentum=0.8"}},
    {layers,
     "middle_global_clipnorm",
     "sgd",
     {"layer.c.trainable=false", "optimizer.learning_rate=0.2", "optimizer.momentum=0.9",
      "optimizer.weight_decay=0.05", "optimizer.global_clipnorm=0.1"}},
    {layers,
     "middle_clipnorm",
     "sgd",
     {"layer.c.trainable=false", "layer.f.trainable=false", "optimizer.learning_rate=0.2",
      "optimizer.clipnorm=0.05"}},
    {layers,
     "last_rmsprop",
     "rmsprop",
     {"layer.g.trainable=false", "optimizer.learning_rate=0.005"}},
};

/* Keras in float32 and in float64 are 4e-7 apart; kernels of ours add in other orders than its. */
static const double allowed = 5e-6;

/* Those of the weights that are trained, in Keras's order, by Keras's names and with its values. */
static void compare_variables(test_rig *rig, hid_t file, const char *name)
{
    char path[192], **order = NULL;
    size_t n_listed, n;
    tr_error err = {0};
    tr_snapshot *snapshot = NULL;
    tr_variable *listed = NULL;
    snprintf(path, sizeof path, "%s/slots", name);
    const hid_t group = H5Gopen2(file, path, H5P_DEFAULT);
    cr_assert(tr_h5_read_names(group, "order", &order, &n));
    cr_assert_eq(tr_snapshot_new(&snapshot, rig->model, true, &err), TR_OK);
    cr_assert_eq(tr_optimizer_list(&listed, &n_listed, snapshot, &err), TR_OK);
    cr_assert_eq(n_listed, n, "%s: %zu variables, Keras has %zu", name, n_listed, n);
    for (size_t i = 0; i < n; i++) {
        cr_expect_str_eq(strrchr(listed[i].name, '/') + 1, order[i], "%s", name);
        if (listed[i].kind != TR_VARIABLE_SLOT)
            continue;
        float *keras = test_golden_floats(group, order[i], &n_listed);
        float *ours = tr_alloc(n_listed, sizeof *ours);
        cr_assert_eq(tr_engine_get_slot(rig->engine, listed[i].slot, listed[i].weight, ours, &err),
                     TR_OK);
        test_close(order[i], ours, keras, n_listed, allowed, 0.0);
        tr_free(ours);
        tr_free(keras);
    }
    tr_h5_free_names(order, n);
    tr_free(listed);
    tr_snapshot_free(snapshot);
    H5Gclose(group);
}

Test(frozen, others_learn_as_in_keras)
{
    const hid_t file = test_golden_open("frozen_trace.h5");
    tr_samples samples = test_recorded_samples(file);
    for (size_t i = 0; i < sizeof in_keras / sizeof *in_keras; i++) {
        test_rig rig = new_rig(&in_keras[i], 2);
        test_rig_load_weights(&rig, file, "initial");
        test_recorded_losses(&rig, file, in_keras[i].name, &samples, allowed);
        test_recorded_weights(&rig, file, in_keras[i].name, allowed);
        compare_variables(&rig, file, in_keras[i].name);
        test_rig_free(&rig);
    }
    test_samples_free(&samples);
    H5Fclose(file);
}

/* ---- to the bit ---- */

/* All that an update does besides the optimizer's own formula. */
#define EVERYTHING                                                                                 \
    "layer.a.trainable=false", "layer.f.trainable=false", "optimizer.weight_decay=0.1",            \
        "optimizer.use_ema=true", "optimizer.ema_overwrite_frequency=2",                           \
        "optimizer.gradient_accumulation_steps=2", "optimizer.learning_rate=0.05"

static bool is_same(const test_rig *rig, int w, const float *before)
{
    float *after = test_rig_weight(rig, w);
    const size_t bytes = (size_t)tr_model_weight(rig->model, w).n * sizeof *after;
    const bool same = memcmp(before, after, bytes) == 0;
    tr_free(after);
    return same;
}

/* Values of every weight that no initializer gives, so that a decay of any would be seen. */
static void fill_weights(test_rig *rig)
{
    tr_error err = {0};
    for (int w = 0; w < tr_model_n_weights(rig->model); w++) {
        const size_t n = (size_t)tr_model_weight(rig->model, w).n;
        float *values = tr_alloc(n, sizeof *values);
        test_fill(values, n, 3u + (unsigned)w);
        for (size_t k = 0; k < n; k++)
            values[k] = 0.25f + 0.5f * fabsf(values[k]); /* variances, too */
        cr_assert_eq(tr_model_set_weight(rig->model, w, values, &err), TR_OK);
        tr_free(values);
    }
}

static void stays(const variant *of)
{
    enum { MAX_WEIGHTS = 16, STEPS = 6 };
    float *before[MAX_WEIGHTS];
    tr_samples samples = test_samples(90, shape, 4);
    test_rig rig = new_rig(of, 2);
    const int n = tr_model_n_weights(rig.model);
    int n_trained = 0;
    cr_assert_leq(n, MAX_WEIGHTS);
    fill_weights(&rig);
    for (int w = 0; w < n; w++)
        before[w] = test_rig_weight(&rig, w);
    for (uint32_t step = 0; step < STEPS; step++)
        test_rig_step(&rig, &samples, N - step, step);
    tr_engine_finish(rig.engine);
    for (int w = 0; w < n; w++) {
        const tr_weight_info info = tr_model_weight(rig.model, w);
        cr_expect_eq(is_same(&rig, w, before[w]), !info.trained, "%s, %s: %s/%s", of->optimizer,
                     of->name, info.layer, info.name);
        n_trained += info.trained;
        tr_free(before[w]);
    }
    cr_assert(n_trained >= 3 && n_trained < n, "some learn, and some do not");
    test_rig_free(&rig);
    test_samples_free(&samples);
}

Test(frozen, weights_stay_whatever_the_optimizer_does)
{
    for (size_t i = 0; tr_optimizer_table[i] != NULL; i++) {
        const char *optimizer = tr_optimizer_table[i]->name;
        const variant by_chunks = {
            layers, "clipvalue", optimizer, {EVERYTHING, "optimizer.clipvalue=0.5"}};
        const variant by_norm = {
            layers, "clipnorm", optimizer, {EVERYTHING, "optimizer.clipnorm=0.5"}};
        const variant by_global_norm = {
            layers, "global_clipnorm", optimizer, {EVERYTHING, "optimizer.global_clipnorm=0.5"}};
        const variant of_samples = {sample_layers, "samples", optimizer, {EVERYTHING}};
        stays(&by_chunks);
        stays(&by_norm);
        stays(&by_global_norm);
        stays(&of_samples);
    }
}

/* ---- measured statistics ---- */

/* The moving statistics of n after some steps, with what a training ends with. */
static void measure(const variant *of, float *mean, float *variance)
{
    tr_samples samples = test_samples(90, shape, 4);
    tr_error err = {0};
    test_rig rig = new_rig(of, 2);
    for (uint32_t step = 0; step < 6; step++)
        test_rig_step(&rig, &samples, N - step, step);
    tr_engine_finish(rig.engine);
    for (int w = 0; w < tr_model_n_weights(rig.model); w++) {
        const tr_weight_info info = tr_model_weight(rig.model, w);
        float *to = strcmp(info.name, "moving_mean") == 0       ? mean
                    : strcmp(info.name, "moving_variance") == 0 ? variance
                                                                : NULL;
        if (to != NULL)
            cr_assert_eq(tr_model_get_weight(rig.model, w, to, &err), TR_OK);
    }
    test_rig_free(&rig);
    test_samples_free(&samples);
}

/* What is measured behind a frozen layer depends on the samples alone: no decay, no average of the
 * weights, no clipping and no accumulation gets at it. */
Test(frozen, statistics_are_no_business_of_the_optimizer)
{
    enum { CHANNELS = 5 };
    const variant plain = {
        layers, "plain", "sgd", {"layer.n.trainable=true", "layer.a.trainable=false"}};
    float mean[CHANNELS], variance[CHANNELS], found[2][CHANNELS];
    measure(&plain, mean, variance);
    for (size_t k = 0; k < CHANNELS; k++)
        cr_assert(mean[k] != 0.0f && variance[k] != 1.0f, "they are measured");
    for (size_t i = 0; tr_optimizer_table[i] != NULL; i++) {
        const variant all = {
            layers,
            "all",
            tr_optimizer_table[i]->name,
            {EVERYTHING, "layer.n.trainable=true", "optimizer.global_clipnorm=0.5"}};
        measure(&all, found[0], found[1]);
        cr_expect_eq(memcmp(found[0], mean, sizeof mean), 0, "%s", all.optimizer);
        cr_expect_eq(memcmp(found[1], variance, sizeof variance), 0, "%s", all.optimizer);
    }
}

/* ---- threads, waves, gradients ---- */

static void digest(const variant *of, int threads, char text[33])
{
    size_t n = 0;
    while (of->overrides[n] != NULL)
        n++;
    test_rig_digest(of->body, of->optimizer, shape, 4, threads, of->overrides, n, text);
}

Test(frozen, threads_and_waves_never_change_the_result)
{
    static const int threads[] = {2, 3, 5};
    static const variant variants[] = {
        {layers, "chunks", "adam", {"layer.a.trainable=false", NULL}},
        {layers, "pieces", "lamb", {EVERYTHING, "optimizer.global_clipnorm=0.5"}},
        {sample_layers, "samples", "lion", {EVERYTHING}},
        {layers,
         "measured",
         "adamw",
         {EVERYTHING, "layer.n.trainable=true", "engine.micro_batch=4"}},
        {layers, "last", "sgd", {"layer.g.trainable=false", "optimizer.momentum=0.9"}},
    };
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        char one[33], other[33];
        digest(&variants[i], 1, one);
        for (size_t k = 0; k < sizeof threads / sizeof *threads; k++) {
            digest(&variants[i], threads[k], other);
            cr_expect_str_eq(one, other, "%s with %d threads", variants[i].name, threads[k]);
        }
        variant waves = variants[i];
        size_t n = 0;
        while (waves.overrides[n] != NULL)
            n++;
        waves.overrides[n] = "engine.gradient_slots=2";
        digest(&waves, 2, other);
        cr_expect_str_eq(one, other, "%s in waves", waves.name);
    }
}

static void same_gradients(const variant *whole, const variant *part)
{
    tr_samples samples = test_samples(90, shape, 4);
    test_rig a = new_rig(whole, 2), b = new_rig(part, 2);
    test_rig_step(&a, &samples, N - 3, 0);
    test_rig_step(&b, &samples, N - 3, 0);
    cr_assert_lt(b.model->extents.n[TR_TRAINED], a.model->extents.n[TR_TRAINED]);
    for (int w = 0; w < tr_model_n_weights(b.model); w++) {
        const tr_weight_info info = tr_model_weight(b.model, w);
        if (!info.trained)
            continue;
        float *x = test_rig_gradient(&a, w), *y = test_rig_gradient(&b, w);
        test_close(info.layer, y, x, (size_t)info.n, 1e-6, 1e-5);
        tr_free(x);
        tr_free(y);
    }
    test_rig_free(&a);
    test_rig_free(&b);
    test_samples_free(&samples);
}

/* Whatever kernels run before all that learns. */
Test(frozen, gradients_of_the_others_are_those_of_the_whole)
{
    const variant whole = {layers, "whole", "sgd", {"optimizer.learning_rate=0"}};
    const variant part = {
        layers,
        "part",
        "sgd",
        {"optimizer.learning_rate=0", "layer.a.trainable=0", "layer.f.trainable=0"}};
    same_gradients(&whole, &part);
    const variant all = {
        sample_layers,
        "all",
        "sgd",
        {"optimizer.learning_rate=0", "layer.u.trainable=1", "layer.l.trainable=1"}};
    const variant some = {
        sample_layers, "some", "sgd", {"optimizer.learning_rate=0", "layer.f.trainable=0"}};
    same_gradients(&all, &some);
}
