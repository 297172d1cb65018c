/* test_batch_statistics.c -- a batch that is measured: micro-batches, threads and padding do not
 * show in its statistics.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "rig.h"

/* On images with and without padded channels, on vectors; relu folded and not; read by two. */
static const char layers[] =
    "[model]\ninput_shape = 9, 7, 3\n[layer.i]\ntype = batch_normalization\n"
    "[layer.a]\ntype = conv2d\nfilters = 10\nkernel_size = 3\nuse_bias = false\n"
    "[layer.b]\ntype = batch_normalization\nmomentum = 0.9\n"
    "[layer.r]\ntype = activation\nactivation = relu\n"
    "[layer.c]\ntype = conv2d\nfilters = 10\nkernel_size = 3\npadding = same\n"
    "[layer.d]\ntype = batch_normalization\nscale = false\n[layer.s]\ntype = add\ninputs = d, r\n"
    "[layer.t]\ntype = activation\nactivation = relu\n[layer.p]\ntype = max_pooling2d\n"
    "[layer.f]\ntype = flatten\n[layer.e]\ntype = batch_normalization\ncenter = false\n"
    "[layer.g]\ntype = dense\nunits = 4\nactivation = softmax\n";
static const int64_t shape[3] = {9, 7, 3};
enum { CLASSES = 4 };

/* The same network with another `virtual_batch_size` in all its normalizations. */
static char *with_groups_of(int samples)
{
    static const char type[] = "batch_normalization\n";
    char *text = tr_format("%s", "");
    for (const char *at = layers; *at != '\0';) {
        const char *found = strstr(at, type);
        const size_t n = found == NULL ? strlen(at) : (size_t)(found - at) + strlen(type);
        char *more = tr_format("%s%.*s%s", text, (int)n, at,
                               found == NULL ? "" : "virtual_batch_size = ?\n");
        char *place = strchr(more, '?');
        if (place != NULL)
            *place = (char)('0' + samples);
        tr_free(text);
        text = more;
        at += n;
    }
    return text;
}

static void expect_same_bits(const char *body, const char *micro_batch)
{
    static const int threads[] = {2, 3, 5, 16};
    char *override = tr_format("engine.micro_batch=%s", micro_batch);
    const char *const overrides[] = {override};
    char one[33], other[33];
    test_rig_digest(body, "adam", shape, CLASSES, 1, overrides, 1, one);
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        test_rig_digest(body, "adam", shape, CLASSES, threads[t], overrides, 1, other);
        cr_expect_str_eq(one, other, "%d threads, micro-batch %s", threads[t], micro_batch);
    }
    tr_free(override);
}

Test(batch_statistics, threads_do_not_change_a_bit)
{
    expect_same_bits(layers, "8");
    expect_same_bits(layers, "3");
    expect_same_bits(layers, "1");
    expect_same_bits(layers, "128");
}

Test(batch_statistics, threads_do_not_change_a_bit_of_groups)
{
    char *groups = with_groups_of(4);
    expect_same_bits(groups, "8"); /* without a cut */
    expect_same_bits(groups, "2"); /* with one */
    expect_same_bits(groups, "1");
    tr_free(groups);
}

/* What is measured in each sample alone. */
Test(batch_statistics, threads_do_not_change_a_bit_of_samples)
{
    static const char of_samples[] =
        "[model]\ninput_shape = 9, 7, 3\n[layer.a]\ntype = conv2d\nfilters = 10\n"
        "kernel_size = 3\n[layer.g]\ntype = group_normalization\ngroups = 5\n"
        "[layer.r]\ntype = activation\nactivation = relu\n[layer.b]\ntype = conv2d\n"
        "filters = 6\nkernel_size = 3\n[layer.l]\ntype = layer_normalization\n"
        "[layer.f]\ntype = flatten\n[layer.n]\ntype = layer_normalization\nscale = false\n"
        "[layer.d]\ntype = dense\nunits = 4\nactivation = softmax\n";
    expect_same_bits(of_samples, "8");
    expect_same_bits(of_samples, "3");
}

Test(batch_statistics, neither_waves_nor_accumulation_change_that)
{
    static const char *const more[] = {"engine.gradient_slots=2",
                                       "optimizer.gradient_accumulation_steps=2"};
    char all[33], waves[33], other[33];
    const char *const few[] = {"engine.micro_batch=4", more[0]};
    test_rig_digest(layers, "sgd", shape, CLASSES, 1, few, 1, all);
    test_rig_digest(layers, "sgd", shape, CLASSES, 3, few, 2, waves);
    cr_expect_str_eq(all, waves);
    const char *const accumulated[] = {"engine.micro_batch=4", more[1]};
    test_rig_digest(layers, "sgd", shape, CLASSES, 1, accumulated, 2, all);
    test_rig_digest(layers, "sgd", shape, CLASSES, 5, accumulated, 2, other);
    cr_expect_str_eq(all, other);
}

/* ---- what is padding, and where a micro-batch ends ---- */

/* A step's gradients, then all weights: the moving statistics among them. */
static float *step_of(const char *body, const char *micro_batch, const tr_samples *samples,
                      int64_t before, int64_t n, size_t *n_values)
{
    char *override = tr_format("engine.micro_batch=%s", micro_batch);
    const char *const overrides[] = {override, "optimizer.learning_rate=0"};
    test_rig rig = test_rig_new(body, "sgd", 2, 64, overrides, 2);
    if (before > 0)
        test_rig_step(&rig, samples, before, 1);
    test_rig_step(&rig, samples, n, 0);
    float *values = NULL;
    *n_values = 0;
    for (int w = 0; w < tr_model_n_weights(rig.model); w++) {
        const size_t count = (size_t)tr_model_weight(rig.model, w).n;
        const bool trained = tr_model_param(rig.model, w)->range == TR_TRAINED;
        float *own = trained ? test_rig_gradient(&rig, w) : test_rig_weight(&rig, w);
        float *grown = tr_alloc(*n_values + count, sizeof *grown);
        if (values != NULL)
            memcpy(grown, values, *n_values * sizeof *grown);
        memcpy(grown + *n_values, own, count * sizeof *grown);
        tr_free(values);
        tr_free(own);
        values = grown;
        *n_values += count;
    }
    test_rig_free(&rig);
    tr_free(override);
    return values;
}

/* Gradients near 1 of sums of some hundred terms, each of them behind three normalizations. */
static void expect_equal(const char *what, const char *body, const char *micro_batch,
                         const float *expected, const tr_samples *samples, int64_t n)
{
    size_t n_values;
    float *got = step_of(body, micro_batch, samples, 0, n, &n_values);
    test_close(what, got, expected, n_values, 2e-5, 2e-4);
    tr_free(got);
}

Test(batch_statistics, are_those_of_the_whole_batch)
{
    tr_samples samples = test_samples(64, shape, CLASSES);
    static const int64_t sizes[] = {29, 33, 2};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n_values;
        float *whole = step_of(layers, "64", &samples, 0, sizes[i], &n_values);
        expect_equal("micro-batches of 8", layers, "8", whole, &samples, sizes[i]);
        expect_equal("micro-batches of 5", layers, "5", whole, &samples, sizes[i]);
        expect_equal("micro-batches of 1", layers, "1", whole, &samples, sizes[i]);
        tr_free(whole);
    }
    test_samples_free(&samples);
}

/* With momentum 0 the moving statistics are the batch's: those of its images, pixel by pixel. The
 * layer has nothing to learn and stands before all that has, and measures all the same. */
Test(batch_statistics, are_those_of_the_images)
{
    static const char body[] =
        "[model]\ninput_shape = 9, 7, 3\n[layer.i]\ntype = batch_normalization\n"
        "center = false\nscale = false\nmomentum = 0\n[layer.f]\ntype = flatten\n"
        "[layer.d]\ntype = dense\nunits = 4\nactivation = softmax\n";
    enum { N = 29, IMAGE = 9 * 7 * 3 };
    static const char *const overrides[] = {"engine.micro_batch=8"};
    tr_samples samples = test_samples(64, shape, CLASSES);
    uint32_t index[N];
    double sum[3] = {0}, squares[3] = {0};
    test_index(index, N, samples.n, 0);
    for (int i = 0; i < N * IMAGE; i++) {
        const double x =
            (double)((const uint8_t *)samples.x)[index[i / IMAGE] * IMAGE + i % IMAGE] / 255.0;
        sum[i % 3] += x;
        squares[i % 3] += x * x;
    }
    test_rig rig = test_rig_new(body, "sgd", 2, 64, overrides, 1);
    test_rig_step(&rig, &samples, N, 0);
    float *mean = test_rig_weight(&rig, 0), *variance = test_rig_weight(&rig, 1);
    for (int k = 0; k < 3; k++) {
        const double n = N * IMAGE / 3, expected = sum[k] / n;
        cr_expect_float_eq((double)mean[k], expected, 1e-6);
        cr_expect_float_eq((double)variance[k], squares[k] / n - expected * expected, 1e-6);
    }
    tr_free(mean);
    tr_free(variance);
    test_rig_free(&rig);
    test_samples_free(&samples);
}

/* The last group may be short, or of one sample. */
Test(batch_statistics, are_those_of_a_group)
{
    tr_samples samples = test_samples(64, shape, CLASSES);
    char *groups = with_groups_of(4);
    for (int64_t n = 29; n <= 31; n++) {
        size_t n_values;
        float *one = step_of(groups, "4", &samples, 0, n, &n_values);
        expect_equal("two groups a micro-batch", groups, "8", one, &samples, n);
        expect_equal("all groups in one", groups, "64", one, &samples, n);
        expect_equal("micro-batches of 2", groups, "2", one, &samples, n);
        expect_equal("micro-batches of 1", groups, "1", one, &samples, n);
        tr_free(one);
    }
    size_t n_values;
    float *whole = step_of(layers, "4", &samples, 0, 29, &n_values);
    float *grouped = step_of(groups, "4", &samples, 0, 29, &n_values);
    cr_expect_gt(test_distance(whole, grouped, n_values), 1e-2);
    tr_free(whole);
    tr_free(grouped);
    tr_free(groups);
    test_samples_free(&samples);
}

/* What lay in the padding of a micro-batch before is nowhere in the gradient. */
Test(batch_statistics, padding_is_no_sample)
{
    tr_samples samples = test_samples(64, shape, CLASSES);
    char *groups = with_groups_of(4);
    const char *const bodies[] = {layers, groups};
    for (int i = 0; i < 2; i++) {
        size_t n, moved = 0;
        float *fresh = step_of(bodies[i], "8", &samples, 0, 13, &n);
        float *after = step_of(bodies[i], "8", &samples, 64, 13, &n);
        for (size_t k = 0; k < n; k++)
            moved += fresh[k] != after[k];
        /* The moving statistics alone have seen another batch before: 3 + 10 + 10 + 60 channels. */
        cr_expect_leq(moved, 2 * 83);
        cr_expect_geq(moved, 2 * 75); /* some channel may be the same */
        tr_free(fresh);
        tr_free(after);
    }
    tr_free(groups);
    test_samples_free(&samples);
}
