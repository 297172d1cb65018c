/* test_update.c -- sum and update on flat vectors made by hand: norms over tensors of several
 * pieces, and the order of what is done around an optimizer. Keras's steps are in test_sgd.c etc.
 */
#include "update.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "trace.h"

/* Two tensors of several pieces, with a gap between them that belongs to none. */
enum { N_A = 1300, B = 1312, N_B = 700, N_FLOATS = 2016, LEAVES = 3 };

static const tr_flat_tensor tensors[] = {{.offset = 0, .n = N_A}, {.offset = B, .n = N_B}};
static float weights[N_FLOATS], start[N_FLOATS], gradients[LEAVES * N_FLOATS];
static tr_config *config;
static tr_optimizers optimizers;
static tr_updater *updater;

static void make(const char *name, const char *keys)
{
    tr_error err = {0};
    optimizers = (tr_optimizers){.n = 1, .items = {test_optimizer(name, keys, &config)}};
    cr_assert_eq(tr_updater_new(&updater, &optimizers, tensors, 2, N_FLOATS, &err), TR_OK);
    test_fill(start, N_FLOATS, 1);
    test_fill(gradients, LEAVES * N_FLOATS, 2);
    memcpy(weights, start, sizeof weights);
}

static void teardown(void)
{
    tr_updater_free(updater);
    tr_optimizers_release(&optimizers);
    tr_config_free(config);
}

TestSuite(update, .fini = teardown);

static void step(int64_t iterations)
{
    const tr_leaves leaves = {.first = gradients, .stride = N_FLOATS, .n = LEAVES};
    tr_updater_begin(updater, iterations);
    tr_updater_run(updater, weights, &leaves, NULL, 0, 1);
}

static double gradient(size_t i)
{
    return (double)gradients[i] + (double)gradients[N_FLOATS + i] +
           (double)gradients[2 * N_FLOATS + i];
}

static double norm_of_gradient(size_t first, size_t n)
{
    double sum = 0.0;
    for (size_t i = first; i < first + n; i++)
        sum += gradient(i) * gradient(i);
    return sqrt(sum);
}

static void moved_by(size_t first, size_t n, double factor)
{
    for (size_t i = first; i < first + n; i++) {
        const double moved = (double)start[i] - (double)weights[i];
        cr_assert_float_eq(moved, factor * gradient(i), 1e-6, "element %zu: %g", i, moved);
    }
}

Test(update, clips_each_tensor_by_its_norm)
{
    make("sgd", "learning_rate = 1\nclipnorm = 20\n");
    for (size_t i = 0; i < LEAVES * N_FLOATS; i++)
        if (i % N_FLOATS >= B)
            gradients[i] *= 0.5f;
    const double a = norm_of_gradient(0, N_A), b = norm_of_gradient(B, N_B);
    cr_assert(a > 30.0 && b < 20.0, "%g, %g", a, b);
    step(0);
    moved_by(0, N_A, 20.0 / a);
    moved_by(B, N_B, 1.0);
    cr_assert_eq(memcmp(weights + N_A, start + N_A, (B - N_A) * sizeof *weights), 0);
}

Test(update, clips_all_tensors_by_their_common_norm)
{
    make("sgd", "learning_rate = 1\nglobal_clipnorm = 20\n");
    const double norm = hypot(norm_of_gradient(0, N_A), norm_of_gradient(B, N_B));
    step(0);
    moved_by(0, N_A, 20.0 / norm);
    moved_by(B, N_B, 20.0 / norm);
}

Test(update, a_norm_below_the_limit_changes_nothing)
{
    make("sgd", "learning_rate = 1\nglobal_clipnorm = 1000\n");
    step(0);
    moved_by(0, N_A, 1.0);
}

/* As in Keras: an infinite gradient must not vanish by clipping. */
Test(update, infinity_is_not_clipped_away)
{
    make("sgd", "global_clipnorm = 1\n");
    gradients[5] = INFINITY;
    step(0);
    cr_assert(isnan(weights[0]) && isnan(weights[B]));
}

static double length(const float *values, const float *from, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double x = (double)values[i] - (from == NULL ? 0.0 : (double)from[i]);
        sum += x * x;
    }
    return sqrt(sum);
}

Test(update, lamb_moves_each_tensor_by_a_share_of_its_length)
{
    make("lamb", "learning_rate = 0.125\n");
    for (size_t i = B; i < B + N_B; i++)
        start[i] = weights[i] *= 3.0f;
    step(0);
    for (int t = 0; t < 2; t++) {
        const size_t at = tensors[t].offset, n = tensors[t].n;
        const double moved = length(weights + at, start + at, n);
        const double share = 0.125 * length(start + at, NULL, n);
        cr_assert_float_eq(moved, share, 1e-5 * share, "tensor %d: %g, not %g", t, moved, share);
    }
}

/* The norm is that of the weights after their decay. */
Test(update, lamb_decays_first)
{
    make("lamb", "learning_rate = 0.5\nweight_decay = 1\n");
    step(0);
    for (size_t i = 0; i < N_A; i++)
        start[i] *= 0.5f;
    const double share = 0.5 * length(start, NULL, N_A);
    cr_assert_float_eq(length(weights, start, N_A), share, 1e-5 * share);
}

/* Batches that are only accumulated move neither weights nor slots. The mean is clipped, not the
 * gradients that go into it: here each is far above the limit and their mean is 0. */
Test(update, accumulates_then_clips_the_mean)
{
    make("sgd", "learning_rate = 1\nmomentum = 0.5\nclipvalue = 0.001\n"
                "gradient_accumulation_steps = 2\n");
    step(0);
    cr_assert_eq(memcmp(weights, start, sizeof weights), 0);
    cr_assert_eq(tr_updater_slot(updater, 1)[0], 0.0f);
    cr_assert_float_eq((double)tr_updater_slot(updater, 0)[7], gradient(7), 1e-6);
    for (size_t i = 0; i < LEAVES * N_FLOATS; i++)
        gradients[i] = -gradients[i];
    step(1);
    cr_assert_eq(memcmp(weights, start, sizeof weights), 0, "the mean is 0");
    cr_assert_eq(tr_updater_slot(updater, 0)[7], 0.0f, "and the next mean starts anew");
}

/* Keras averages after each batch, but counts updates for its first one and for overwriting. */
Test(update, averages_over_accumulated_batches)
{
    make("sgd", "learning_rate = 1\nuse_ema = true\nema_momentum = 0.75\n"
                "ema_overwrite_frequency = 4\ngradient_accumulation_steps = 2\n");
    const float *average = tr_updater_slot(updater, 0);
    step(0);
    cr_assert_eq(average[3], start[3]);
    step(1);
    const float first = weights[3];
    cr_assert_neq(first, start[3]);
    cr_assert_eq(average[3], first, "still the first update");
    step(2);
    step(3);
    const float second = weights[3];
    cr_assert_eq(average[3], 0.75f * first + 0.25f * second);
    cr_assert_neq(second, average[3], "four batches are but two updates");
    for (int64_t iterations = 4; iterations < 8; iterations++)
        step(iterations);
    cr_assert_eq(weights[3], average[3], "overwritten after four updates");
}

Test(update, survives_lack_of_memory)
{
    make("lamb", "use_ema = true\nclipnorm = 1\ngradient_accumulation_steps = 3\n");
    for (int k = 0;; k++) {
        tr_updater *other = NULL;
        tr_error err = {0};
        tr_alloc_fail_after(k);
        const tr_status status = tr_updater_new(&other, &optimizers, tensors, 2, N_FLOATS, &err);
        tr_alloc_fail_after(-1);
        if (status == TR_OK) {
            cr_assert_gt(k, 9);
            tr_updater_free(other);
            break;
        }
        cr_assert_eq(status, TR_ERR_INTERNAL);
        cr_assert_null(other);
    }
}
