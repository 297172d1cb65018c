/* test_bench.c -- a benchmark counts right and adds up; how fast it was is no test's matter. */
#include "bench.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "rig.h"

static const char body[] =
    "[model]\ninput_shape = 6, 6, 1\n[layer.c]\ntype = conv2d\nfilters = 4\nkernel_size = 3\n"
    "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 3\nactivation = softmax\n";

/* 22 samples: two whole micro-batches, and one of 6 that costs as much as a whole one. */
static test_rig make(int threads)
{
    char *own = tr_format("engine.threads=%d", threads);
    const char *const overrides[] = {own, "fit.batch_size=22", "engine.micro_batch=8"};
    test_rig rig = test_rig_new(body, "adam", 1, 1, overrides, 3);
    tr_free(own);
    return rig;
}

/* ---- spreads ---- */

Test(bench, spread_of_odd_even_and_one)
{
    double odd[] = {3, 9, 1}, even[] = {4, 1, 10, 2}, one[] = {7};
    tr_spread spread = tr_spread_of(odd, 3);
    cr_assert(spread.median == 3 && spread.min == 1 && spread.max == 9);
    spread = tr_spread_of(even, 4);
    cr_assert(spread.median == 3 && spread.min == 1 && spread.max == 10);
    spread = tr_spread_of(one, 1);
    cr_assert(spread.median == 7 && spread.min == 7 && spread.max == 7);
}

static void assert_spread(const char *what, tr_spread spread)
{
    cr_assert(spread.min >= 0.0 && spread.min <= spread.median && spread.median <= spread.max &&
                  isfinite(spread.max),
              "%s: %g %g %g", what, spread.min, spread.median, spread.max);
}

/* ---- a run ---- */

Test(bench, counts)
{
    tr_bench bench;
    tr_error err = {0};
    test_rig rig = make(2);
    cr_assert_eq(tr_bench_run(&bench, rig.model, 0.02, &err), TR_OK, "%s", err.text);
    cr_assert_eq(bench.threads, 2);
    cr_assert(bench.batch == 22 && bench.micro_batch == 8 && bench.micro_batches == 3);
    cr_assert_eq(bench.n_floats, rig.model->extents.n[TR_TRAINED]);
    cr_assert_eq(bench.n_ops, tr_program_n_ops(rig.model->training.program));
    for (size_t i = 0; i < bench.n_ops; i++)
        cr_assert_str_eq(bench.ops[i].impl, tr_program_op(rig.model->training.program, i).impl);
    /* A multiply-add counts two. The convolution has 9 weights for each of 4 filters at 4 x 4
     * places, forward and for its weights; nothing flows back to the images. The dense layer has
     * 64 x 3 weights, in all three directions. 24 samples, padding included. */
    cr_assert_eq(bench.flops, 24.0 * (2 * (2 * 9 * 4 * 16) + 3 * (2 * 64 * 3)));
    tr_bench_release(&bench);
    test_rig_free(&rig);
}

/* The convolution's activation fuses; nothing else of that network moves without computing, but in
 * this one a pooling does. 8 samples of 6 x 6 x 4 floats in, of 3 x 3 x 4 out, and a workspace. */
Test(bench, bytes_of_what_moves_only)
{
    static const char *const overrides[] = {"fit.batch_size=16", "engine.micro_batch=8",
                                            "engine.threads=2"};
    tr_bench bench;
    tr_error err = {0};
    test_rig rig = test_rig_new("[model]\ninput_shape = 6, 6, 4\n[layer.p]\n"
                                "type = average_pooling2d\npool_size = 2, 2\n"
                                "[layer.f]\ntype = flatten\n"
                                "[layer.d]\ntype = dense\nunits = 3\nactivation = softmax\n",
                                "adam", 1, 1, overrides, 3);
    cr_assert_eq(tr_bench_run(&bench, rig.model, 0.02, &err), TR_OK, "%s", err.text);
    int n_poolings = 0;
    for (size_t i = 0; i < bench.n_ops; i++) {
        const tr_op_info *op = &bench.ops[i];
        if (op->flops > 0.0)
            cr_assert_eq(tr_bench_memory_us(&bench, op), 0.0);
        if (strcmp(op->what, "average pooling") != 0)
            continue;
        n_poolings++;
        cr_assert_eq(op->read_bytes, 4 * 8 * (6 * 6 * 4), "%g", op->read_bytes);
        cr_assert_eq(op->written_bytes, 4 * 8 * (3 * 3 * 4), "%g", op->written_bytes);
        cr_assert_gt(tr_bench_memory_us(&bench, op), 0.0);
    }
    cr_assert_eq(n_poolings, 1);
    cr_assert_gt(bench.bandwidth[0].copy, 0.0);
    cr_assert_eq(bench.bandwidth[TR_BENCH_LEVELS - 1].copy, 0.0, "nothing here is so large");
    tr_bench_release(&bench);
    test_rig_free(&rig);
}

Test(bench, adds_up)
{
    tr_bench bench;
    tr_error err = {0};
    /* Steps of milliseconds: starting a parallel region is a small part of them, so that parts
     * counted twice would not fit in. */
    static const char *const overrides[] = {"engine.threads=2", "fit.batch_size=48"};
    test_rig rig = test_rig_new(test_reference_layers, "adam", 1, 1, overrides, 2);
    cr_assert_eq(tr_bench_run(&bench, rig.model, 0.02, &err), TR_OK, "%s", err.text);
    assert_spread("peak", bench.peak);
    assert_spread("step", bench.step_us);
    assert_spread("training", bench.images_per_s);
    assert_spread("evaluation", bench.evaluate_images_per_s);
    cr_assert_gt(bench.step_us.min, 0.0);
    cr_assert(bench.rounds % 2 == 1 && bench.rounds <= TR_BENCH_ROUNDS, "%d", bench.rounds);
    cr_assert_gt(bench.images_per_s.min, 0.0);
    cr_assert_gt(bench.evaluate_images_per_s.min, 0.0);
    cr_assert(tr_dnn_isa() == TR_ISA_AUTO || bench.peak.min > 0.0);
    const tr_bench_profile *profile = &bench.profile;
    double sum = profile->rest_us, ops = 0.0;
    for (int i = 0; i < TR_N_PARTS; i++) {
        cr_assert_geq(profile->part_us[i], 0.0);
        sum += profile->part_us[i];
    }
    for (size_t i = 0; i < bench.n_ops; i++) {
        cr_assert_gt(profile->op_us[i], 0.0, "%s, %s", bench.ops[i].layer, bench.ops[i].what);
        ops += profile->op_us[i];
    }
    /* Rounding of sums in double. */
    cr_assert_float_eq(sum, profile->step_us, 1e-9 * profile->step_us);
    cr_assert_geq(profile->rest_us, 0.0, "a thread saw more than the step's wall time");
    cr_assert_leq(ops, profile->part_us[TR_PART_PREPARE] + profile->part_us[TR_PART_FORWARD] +
                           profile->part_us[TR_PART_BACKWARD]);
    tr_bench_release(&bench);
    test_rig_free(&rig);
}

/* A step of the reference network takes more than a microsecond, and so does a round. */
Test(bench, one_round_where_a_step_takes_long)
{
    static const char *const overrides[] = {"engine.threads=1", "fit.batch_size=8"};
    tr_bench bench;
    tr_error err = {0};
    test_rig rig = test_rig_new(test_reference_layers, "adam", 1, 1, overrides, 2);
    cr_assert_eq(tr_bench_run(&bench, rig.model, 1e-6, &err), TR_OK, "%s", err.text);
    cr_assert_eq(bench.rounds, 1);
    assert_spread("training", bench.images_per_s);
    cr_assert_gt(bench.profile.step_us, 0.0);
    tr_bench_release(&bench);
    test_rig_free(&rig);
}

/* More samples than the noise has by itself: 60000 pictures are made, whatever a batch needs. */
Test(bench, a_batch_may_be_larger_than_a_small_dataset)
{
    static const char *const overrides[] = {"fit.batch_size=60500", "engine.micro_batch=4096",
                                            "engine.threads=1"};
    tr_bench bench;
    tr_error err = {0};
    test_rig rig = test_rig_new("[model]\ninput_shape = 1, 1, 2\n[layer.f]\ntype = flatten\n"
                                "[layer.d]\ntype = dense\nunits = 2\nactivation = softmax\n",
                                "sgd", 1, 1, overrides, 3);
    cr_assert_eq(tr_bench_run(&bench, rig.model, 0.01, &err), TR_OK, "%s", err.text);
    cr_assert_eq(bench.batch, 60500);
    cr_assert_eq(bench.micro_batches, 15);
    tr_bench_release(&bench);
    test_rig_free(&rig);
}

Test(bench, released_twice_is_released)
{
    tr_bench bench;
    tr_error err = {0};
    test_rig rig = make(1);
    cr_assert_eq(tr_bench_run(&bench, rig.model, 0.001, &err), TR_OK);
    tr_bench_release(&bench);
    cr_assert(bench.ops == NULL && bench.profile.op_us == NULL && bench.n_ops == 0);
    tr_bench_release(&bench);
    test_rig_free(&rig);
}

/* Every block in turn. One round costs 15 ms of peak, and only the last blocks, two for each
 * round's profile, are asked for in one. */
Test(bench, lack_of_memory_is_an_error)
{
    tr_error err = {0};
    test_rig rig = make(1);
    for (int k = 0;; k++) {
        tr_bench bench;
        cr_assert_lt(k, 200);
        tr_alloc_fail_after(k);
        const tr_status status = tr_bench_run(&bench, rig.model, 0.001, &err);
        tr_alloc_fail_after(-1);
        if (status == TR_OK) {
            cr_assert_gt(k, 30, "a run makes more allocations than %d: one failed unseen", k);
            tr_bench_release(&bench);
            break;
        }
        cr_assert_eq(status, TR_ERR_INTERNAL);
        cr_assert_not_null(strstr(err.text, "out of memory"), "%s", err.text);
        cr_assert(bench.ops == NULL && bench.profile.op_us == NULL);
    }
    test_rig_free(&rig);
}
