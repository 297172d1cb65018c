/* test_denormals.c -- numbers too small for float32's normal range are zero in every thread.
 *
 * One weight of 2^-70 times a pixel of 2^-70 is 2^-140, which float32 holds as a denormal, at a
 * tenth of the speed. The error's square in double would show it: where a thread does not flush,
 * the loss of its samples is 2^-280 and not 0.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "rig.h"
#include "threads.h"

enum { N = 64 };

static const char layers[] = "[model]\ninput_shape = 1, 1, 1\n[layer.f]\ntype = flatten\n"
                             "[layer.d]\ntype = dense\nunits = 1\n"
                             "[compile]\nloss = mean_squared_error\noptimizer = sgd\n";

/* N samples of one pixel; the targets are zero. */
static tr_samples same_pixels(float pixel)
{
    const int64_t shape[3] = {1, 1, 1};
    tr_samples samples = test_samples(N, shape, 2);
    float *x = tr_alloc(N, sizeof *x), *values = tr_alloc(N, sizeof *values);
    for (int i = 0; i < N; i++)
        x[i] = pixel;
    tr_free((void *)samples.x);
    tr_free((void *)samples.y);
    samples.x = x;
    samples.pixel = TR_PIXEL_F32;
    samples.y = NULL;
    samples.values = values;
    samples.width = 1;
    return samples;
}

static test_rig rig_with_weight(float weight, int threads)
{
    static const char *const overrides[] = {"data.scale=1"};
    tr_error err = {0};
    test_rig rig = test_rig_new(layers, "sgd", threads, N, overrides, 1);
    cr_assert_eq(tr_model_set_weight(rig.model, 0, &weight, &err), TR_OK, "%s", err.text);
    return rig;
}

static double loss_of_a_step(float weight, float pixel, int threads)
{
    tr_samples samples = same_pixels(pixel);
    test_rig rig = rig_with_weight(weight, threads);
    const double loss = test_rig_step(&rig, &samples, N, 0).loss;
    test_rig_free(&rig);
    test_samples_free(&samples);
    return loss;
}

static double loss_of_an_evaluation(float weight, float pixel, int threads)
{
    uint32_t index[N];
    tr_sums sums;
    tr_error err = {0};
    tr_samples samples = same_pixels(pixel);
    test_rig rig = rig_with_weight(weight, threads);
    test_index(index, N, N, 0);
    cr_assert_eq(tr_engine_evaluate(rig.engine, &samples, index, N, NULL, &sums, &err), TR_OK);
    test_rig_free(&rig);
    test_samples_free(&samples);
    return sums.loss;
}

Test(denormals, are_zero_in_every_thread)
{
    static const int threads[] = {1, 2, 3, 5};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        cr_expect_eq(loss_of_a_step(0x1p-70f, 0x1p-70f, threads[i]), 0.0);
        cr_expect_eq(loss_of_an_evaluation(0x1p-70f, 0x1p-70f, threads[i]), 0.0);
        /* The smallest normal numbers stay. */
        cr_expect_gt(loss_of_a_step(0x1p-63f, 0x1p-63f, threads[i]), 0.0);
        cr_expect_gt(loss_of_an_evaluation(0x1p-63f, 0x1p-63f, threads[i]), 0.0);
    }
}

static unsigned mode(void)
{
    const unsigned now = tr_flush_denormals();
    tr_restore_denormals(now);
    return now;
}

Test(denormals, are_the_callers_again_after_a_step)
{
    const unsigned before = mode();
    loss_of_a_step(0.5f, 0.5f, 2);
    loss_of_an_evaluation(0.5f, 0.5f, 2);
    cr_expect_eq(mode() & ~0x3fu, before & ~0x3fu); /* but for the sticky flags */
}
