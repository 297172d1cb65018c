/* test_step_losses.c -- steps under losses other than the tutorial's: gradients of a whole network
 * against PyTorch, and threads that do not change a bit.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "mem.h"
#include "rig.h"

/* The odd network of rig.c up to its last layer. */
#define ODD                                                                                        \
    "[model]\ninput_shape = 9, 7, 3\n"                                                             \
    "[layer.a]\ntype = conv2d\nfilters = 5\nkernel_size = 4, 2\npadding = same\n"                  \
    "activation = relu\n[layer.b]\ntype = max_pooling2d\npool_size = 3\nstrides = 2\n"             \
    "padding = same\n[layer.c]\ntype = conv2d\nfilters = 6\nkernel_size = 2\nstrides = 2, 1\n"     \
    "activation = tanh\nuse_bias = false\n[layer.d]\ntype = activation\nactivation = sigmoid\n"    \
    "[layer.e]\ntype = flatten\n[layer.f]\ntype = dense\nunits = 11\nactivation = relu\n"          \
    "[layer.g]\ntype = dense\n"

#define COMPILE(loss) "[compile]\nloss = " #loss "\noptimizer = sgd\nmetrics = accuracy, mae\n"

static const char binary[] = ODD "units = 1\nactivation = sigmoid\n" COMPILE(binary_crossentropy);
static const char binary_clipped[] = /* the last layer is none that the loss takes over */
    ODD "units = 3\nactivation = softmax\n" COMPILE(binary_crossentropy);
static const char categorical[] = ODD
    "units = 4\nactivation = softmax\n" COMPILE(categorical_crossentropy) "[loss]\n"
                                                                          "label_smoothing = 0.1\n";
static const char squared[] = ODD "units = 3\n" COMPILE(mean_squared_error);

static const int64_t shape[3] = {9, 7, 3};

/* ---- PyTorch's gradients ---- */

static tr_samples golden_samples(hid_t file, const char *values)
{
    size_t n_pixels, n_values, n;
    float *images = test_golden_floats(file, "images", &n_pixels);
    tr_free(test_golden_floats(file, "labels", &n));
    uint8_t *x = tr_alloc(n_pixels, 1);
    for (size_t i = 0; i < n_pixels; i++)
        x[i] = (uint8_t)images[i];
    tr_free(images);
    tr_samples samples = {.n = (int64_t)n,
                          .h = shape[0],
                          .w = shape[1],
                          .c = shape[2],
                          .pixel = TR_PIXEL_U8,
                          .x = x,
                          .values = test_golden_floats(file, values, &n_values)};
    samples.width = (int64_t)(n_values / n);
    return samples;
}

static void gradient_equals_pytorch(const char *loss, const char *body)
{
    char path[128];
    uint32_t index[16];
    size_t one;
    tr_sums sums;
    tr_error err = {0};
    const char *const overrides[] = {"engine.micro_batch=4"}; /* 11 samples: the last has 3 */
    const hid_t file = test_golden_open("network.h5");
    snprintf(path, sizeof path, "losses/%s/values", loss);
    tr_samples samples = golden_samples(file, path);
    snprintf(path, sizeof path, "losses/%s/loss", loss);
    float *golden_loss = test_golden_floats(file, path, &one);
    test_rig made = test_rig_new(body, "sgd", 2, samples.n, overrides, 1);
    snprintf(path, sizeof path, "losses/%s/initial", loss);
    test_rig_load_weights(&made, file, path);
    test_index(index, samples.n, samples.n, 0);
    cr_assert_eq(tr_engine_step(made.engine, &samples, index, samples.n, &sums, &err), TR_OK);
    cr_assert(fabs(sums.loss / (double)samples.n - (double)golden_loss[0]) < 1e-6,
              "%s: loss %.9g, PyTorch %.9g", loss, sums.loss / (double)samples.n,
              (double)golden_loss[0]);
    /* As for the tutorial's loss: sums of some hundred float32 terms below 0.1. */
    snprintf(path, sizeof path, "losses/%s/gradient", loss);
    test_rig_compare_gradient(&made, file, path, 1e-6, 1e-4);
    test_rig_free(&made);
    tr_free(golden_loss);
    test_samples_free(&samples);
    H5Fclose(file);
}

Test(step_losses, binary_gradient_equals_pytorch)
{
    gradient_equals_pytorch("binary_crossentropy", binary);
}

Test(step_losses, categorical_gradient_equals_pytorch)
{
    gradient_equals_pytorch("categorical_crossentropy", categorical);
}

Test(step_losses, squared_gradient_equals_pytorch)
{
    gradient_equals_pytorch("mean_squared_error", squared);
}

/* ---- threads never change the result ---- */

static void threads_do_not_matter(const char *body, const tr_samples *samples)
{
    static const int threads[] = {2, 3, 5};
    char one[33], other[33];
    test_rig_digest_of(body, "sgd", samples, 1, NULL, 0, one);
    for (int t = 0; t < 3; t++) {
        test_rig_digest_of(body, "sgd", samples, threads[t], NULL, 0, other);
        cr_assert_str_eq(one, other, "%d threads", threads[t]);
    }
    /* The micro-batch is part of the result: else the above would prove nothing. */
    const char *const overrides[] = {"engine.micro_batch=3"};
    test_rig_digest_of(body, "sgd", samples, 1, overrides, 1, other);
    cr_assert_str_neq(one, other);
}

/* `width` values per sample, or (0) one of four classes. */
static void on_samples(const char *body, int64_t width)
{
    tr_samples samples = test_samples(151, shape, 4);
    if (width > 0)
        test_samples_set_values(&samples, width);
    threads_do_not_matter(body, &samples);
    test_samples_free(&samples);
}

Test(step_losses, threads_do_not_change_a_bit_of_binary_crossentropy)
{
    on_samples(binary, 1);
    on_samples(binary_clipped, 3);
}

Test(step_losses, threads_do_not_change_a_bit_of_categorical_crossentropy)
{
    on_samples(categorical, 0);
    on_samples(categorical, 4);
}

Test(step_losses, threads_do_not_change_a_bit_of_mean_squared_error)
{
    on_samples(squared, 3);
}

/* The rest of them, on one-hot rows. */
Test(step_losses, threads_do_not_change_a_bit_of_any_loss)
{
    char one[33], three[33];
    tr_samples samples = test_samples(37, shape, 3);
    float *rows = tr_alloc((size_t)samples.n * 3, sizeof *rows);
    for (int64_t i = 0; i < samples.n; i++)
        rows[i * 3 + samples.y[i]] = 1.0f;
    tr_samples wide = samples;
    wide.y = NULL;
    wide.values = rows;
    wide.width = 3;
    for (size_t i = 0; tr_loss_table[i] != NULL; i++) {
        const tr_loss_ops *ops = tr_loss_table[i];
        const bool sparse = ops->targets == TR_TARGET_CLASSES;
        char *body = tr_format(ODD "units = 3\nactivation = softmax\n[compile]\nloss = %s\n"
                                   "optimizer = sgd\nmetrics = accuracy, %s\n",
                               ops->name, ops->name);
        test_rig_digest_of(body, "sgd", sparse ? &samples : &wide, 1, NULL, 0, one);
        test_rig_digest_of(body, "sgd", sparse ? &samples : &wide, 3, NULL, 0, three);
        cr_expect_str_eq(one, three, "%s", ops->name);
        tr_free(body);
    }
    tr_free(rows);
    test_samples_free(&samples);
}

/* Class numbers are the one-hot rows that they stand for, to the last bit. */
Test(step_losses, class_numbers_equal_one_hot_rows)
{
    char numbers[33], rows[33];
    tr_samples samples = test_samples(151, shape, 4);
    test_rig_digest_of(categorical, "sgd", &samples, 2, NULL, 0, numbers);
    float *one_hot = tr_alloc((size_t)samples.n * 4, sizeof *one_hot);
    for (int64_t i = 0; i < samples.n; i++)
        one_hot[i * 4 + samples.y[i]] = 1.0f;
    tr_free((void *)samples.y);
    samples.y = NULL;
    samples.values = one_hot;
    samples.width = 4;
    test_rig_digest_of(categorical, "sgd", &samples, 2, NULL, 0, rows);
    cr_assert_str_eq(numbers, rows);
    test_samples_free(&samples);
}

/* ---- what is measured ---- */

/* Metrics that look at values get probabilities where the loss works on logits. */
Test(step_losses, metrics_and_predictions_are_the_last_layers)
{
    uint32_t index[21];
    float predictions[21 * 4];
    tr_sums sums;
    tr_error err = {0};
    tr_samples samples = test_samples(21, shape, 4);
    test_rig made = test_rig_new(categorical, "sgd", 2, 21, NULL, 0);
    test_index(index, 21, 21, 0);
    cr_assert_eq(tr_engine_evaluate(made.engine, &samples, index, 21, predictions, &sums, &err),
                 TR_OK);
    double hits = 0.0, distance = 0.0;
    for (int i = 0; i < 21; i++) {
        const float *row = predictions + i * 4;
        const int y = samples.y[index[i]];
        double sum = 0.0;
        int best = 0;
        for (int j = 0; j < 4; j++) {
            sum += (double)row[j];
            best = row[j] > row[best] ? j : best;
            distance += fabs((double)row[j] - (j == y)) / 4.0;
        }
        cr_assert_float_eq(sum, 1.0, 1e-6);
        hits += best == y;
    }
    cr_assert_eq(sums.metrics[0], hits);
    cr_assert_float_eq(sums.metrics[1], distance, 1e-9);
    test_rig_free(&made);
    test_samples_free(&samples);
}

Test(step_losses, allocates_nothing)
{
    static const char *const bodies[] = {binary, categorical, squared};
    static const int64_t widths[] = {1, 4, 3};
    for (int b = 0; b < 3; b++) {
        uint32_t index[77];
        tr_sums sums;
        tr_error err = {0};
        tr_samples samples = test_samples(77, shape, 4);
        test_samples_set_values(&samples, widths[b]);
        test_rig made = test_rig_new(bodies[b], "sgd", 2, 77, NULL, 0);
        test_index(index, 77, samples.n, 0);
        const uint64_t before = tr_alloc_count();
        for (int step = 0; step < 2; step++) {
            cr_assert_eq(tr_engine_step(made.engine, &samples, index, 77, &sums, &err), TR_OK);
            cr_assert_eq(tr_engine_evaluate(made.engine, &samples, index, 77, NULL, &sums, &err),
                         TR_OK);
        }
        cr_assert_eq(tr_alloc_count(), before);
        test_rig_free(&made);
        test_samples_free(&samples);
    }
}
