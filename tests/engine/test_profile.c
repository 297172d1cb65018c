/* test_profile.c -- measuring a step: it adds up, it changes nothing, it costs no memory. */
#include <criterion/criterion.h>
#include <string.h>

#include "clock.h"
#include "mem.h"
#include "rig.h"

static const char body[] =
    "[model]\ninput_shape = 12, 12, 3\n"
    "[layer.c]\ntype = conv2d\nfilters = 16\nkernel_size = 3\nactivation = relu\n"
    "[layer.p]\ntype = max_pooling2d\n"
    "[layer.e]\ntype = conv2d\nfilters = 16\nkernel_size = 3\nactivation = tanh\n"
    "[layer.f]\ntype = flatten\n[layer.d]\ntype = dense\nunits = 4\nactivation = softmax\n";
static const int64_t shape[3] = {12, 12, 3};
enum { N = 50, THREADS = 2 };

static test_rig rig;
static tr_samples samples;
static tr_error err;

static void setup(void)
{
    rig = test_rig_new(body, "adam", THREADS, N, NULL, 0);
    samples = test_samples(90, shape, 4);
}

static void teardown(void)
{
    test_rig_free(&rig);
    test_samples_free(&samples);
}

TestSuite(profile, .init = setup, .fini = teardown);

static void steps(test_rig *of, uint32_t n)
{
    for (uint32_t step = 0; step < n; step++)
        test_rig_step(of, &samples, step % 2 == 0 ? N : 13, step);
}

static void switch_to(bool on)
{
    cr_assert_eq(tr_engine_profile(rig.engine, on, &err), TR_OK, "%s", err.text);
}

static int64_t sum_of_parts(const tr_profile *profile)
{
    int64_t sum = 0;
    for (int part = 0; part < TR_N_PARTS; part++) {
        cr_assert_geq(profile->part_ns[part], 0);
        sum += profile->part_ns[part];
    }
    return sum;
}

static int64_t sum_of_ops(const tr_profile *profile)
{
    int64_t sum = 0;
    for (size_t i = 0; i < tr_program_n_ops(rig.model->training.program); i++)
        sum += profile->op_ns[i];
    return sum;
}

static void assert_digest_of_twin(uint32_t n_steps)
{
    char own[33], others[33];
    test_rig twin = test_rig_new(body, "adam", 1, N, NULL, 0);
    steps(&twin, n_steps);
    cr_assert_eq(tr_model_digest(rig.model, own, &err), TR_OK);
    cr_assert_eq(tr_model_digest(twin.model, others, &err), TR_OK);
    cr_assert_str_eq(own, others);
    test_rig_free(&twin);
}

Test(profile, changes_no_bit_of_the_result)
{
    switch_to(true);
    steps(&rig, 4);
    assert_digest_of_twin(4);
}

/* Every thread's parts lie within the step; a primitive's time lies within its phase. No thread is
 * sure to get a micro-batch, so that only all together have a time for everything. */
Test(profile, parts_add_up)
{
    const size_t n_ops = tr_program_n_ops(rig.model->training.program);
    int64_t part_ns[TR_N_PARTS] = {0};
    int64_t *op_ns = tr_alloc(n_ops, sizeof *op_ns);
    switch_to(true);
    const int64_t begin = tr_clock_ns();
    steps(&rig, 6);
    const int64_t wall = tr_clock_ns() - begin;
    for (int thread = 0; thread < THREADS; thread++) {
        const tr_profile *profile = tr_engine_profile_of(rig.engine, thread);
        cr_assert_not_null(profile);
        const int64_t *part = profile->part_ns;
        cr_assert_leq(sum_of_parts(profile), wall);
        cr_assert_leq(sum_of_ops(profile),
                      part[TR_PART_PREPARE] + part[TR_PART_FORWARD] + part[TR_PART_BACKWARD]);
        for (int i = 0; i < TR_N_PARTS; i++)
            part_ns[i] += part[i];
        for (size_t i = 0; i < n_ops; i++)
            op_ns[i] += profile->op_ns[i];
    }
    for (int i = 0; i < TR_N_PARTS; i++)
        cr_assert_gt(part_ns[i], 0, "%s", tr_part_names[i]);
    for (size_t i = 0; i < n_ops; i++) {
        const tr_op_info op = tr_program_op(rig.model->training.program, i);
        cr_assert_gt(op_ns[i], 0, "%s, %s", op.layer, op.what);
    }
    tr_free(op_ns);
}

Test(profile, begins_from_zero_each_time)
{
    switch_to(true);
    steps(&rig, 4);
    switch_to(true);
    for (int thread = 0; thread < THREADS; thread++) {
        cr_assert_eq(sum_of_parts(tr_engine_profile_of(rig.engine, thread)), 0);
        cr_assert_eq(sum_of_ops(tr_engine_profile_of(rig.engine, thread)), 0);
    }
    steps(&rig, 1);
    cr_assert_gt(sum_of_parts(tr_engine_profile_of(rig.engine, 0)), 0);
    cr_assert_gt(sum_of_ops(tr_engine_profile_of(rig.engine, 0)) +
                     sum_of_ops(tr_engine_profile_of(rig.engine, 1)),
                 0);
}

Test(profile, is_off_unless_asked_for)
{
    for (int thread = 0; thread < THREADS; thread++)
        cr_assert_null(tr_engine_profile_of(rig.engine, thread));
    switch_to(true);
    switch_to(false);
    for (int thread = 0; thread < THREADS; thread++)
        cr_assert_null(tr_engine_profile_of(rig.engine, thread));
    switch_to(false);
    steps(&rig, 2); /* nothing is written where the profile was */
}

Test(profile, a_profiled_step_allocates_nothing)
{
    tr_sums sums;
    uint32_t index[N];
    test_index(index, N, samples.n, 0);
    switch_to(true);
    const uint64_t before = tr_alloc_count();
    for (int i = 0; i < 3; i++)
        cr_assert_eq(tr_engine_step(rig.engine, &samples, index, N, &sums, &err), TR_OK);
    cr_assert_eq(tr_alloc_count(), before);
}

/* Two blocks per thread; the engine is as before whichever of them is not there. */
Test(profile, lack_of_memory_leaves_the_engine_as_it_was)
{
    int k = 0;
    for (tr_status status = TR_ERR_INTERNAL; status != TR_OK; k++) {
        cr_assert_lt(k, 100);
        tr_alloc_fail_after(k);
        status = tr_engine_profile(rig.engine, true, &err);
        tr_alloc_fail_after(-1);
        if (status == TR_OK)
            break;
        cr_assert_eq(status, TR_ERR_INTERNAL);
        cr_assert_not_null(strstr(err.text, "out of memory"), "%s", err.text);
        for (int thread = 0; thread < THREADS; thread++)
            cr_assert_null(tr_engine_profile_of(rig.engine, thread));
        test_rig_step(&rig, &samples, k % 2 == 0 ? N : 13, (uint32_t)k);
    }
    cr_assert_eq(k, 2 * THREADS);
    assert_digest_of_twin((uint32_t)k);
}

typedef struct call_count {
    int calls[THREADS];
} call_count;

static void count_call(void *user, int thread)
{
    call_count *count = user;
    count->calls[thread]++;
}

Test(profile, each_calls_every_thread_once)
{
    call_count count = {0};
    tr_engine_each(rig.engine, count_call, &count);
    for (int thread = 0; thread < THREADS; thread++)
        cr_assert_eq(count.calls[thread], 1);
}
