/* test_waves.c -- gradients folded in waves are the sum of reduce.h's tree, whatever the waves. */
#include <criterion/criterion.h>
#include <string.h>

#include "mem.h"
#include "rig.h"
#include "waves.h"

enum { MOST = 45 };

static void fold_all(tr_waves *waves, const float *leaves, size_t n_floats, int64_t n, int parts)
{
    const int64_t size = tr_waves_size(waves, n, 0);
    for (int64_t begin = 0; begin < n; begin += size) {
        const int64_t count = n - begin < size ? n - begin : size;
        for (int64_t m = begin; m < begin + count; m++)
            memcpy(tr_waves_slot(waves, n, m), leaves + (size_t)m * n_floats,
                   n_floats * sizeof *leaves);
        for (int part = 0; size < n && part < parts; part++)
            tr_waves_fold(waves, n, begin, count, 0, part, parts);
    }
}

/* As the update takes it. */
static void sum_of(const tr_leaves *from, float *out, size_t n_floats)
{
    for (size_t i = 0; i < n_floats; i += TR_REDUCE_CHUNK)
        tr_reduce_leaves(out + i, from->first + i, from->stride, from->n,
                         n_floats - i < TR_REDUCE_CHUNK ? n_floats - i : TR_REDUCE_CHUNK);
}

Test(waves, fold_to_the_bits_of_the_tree)
{
    test_rig rig = test_rig_new(test_odd_layers, "sgd", 1, 8, NULL, 0);
    const tr_program *program = rig.model->training.program;
    const size_t n_floats = rig.model->extents.n[TR_TRAINED];
    float *leaves = tr_alloc(MOST * n_floats, sizeof *leaves);
    float *expected = tr_alloc(n_floats, sizeof *expected), *got = tr_alloc(n_floats, sizeof *got);
    test_fill(leaves, MOST * n_floats, 5);
    for (int64_t k = 1; k <= 64; k *= 2) {
        tr_waves *waves;
        tr_error err;
        cr_assert_eq(tr_waves_new(&waves, program, n_floats, MOST, k, 1, &err), TR_OK);
        for (int64_t n = 1; n <= MOST; n++) {
            const tr_leaves all = {leaves, n_floats, n};
            fold_all(waves, leaves, n_floats, n, 1 + (int)(n % 3));
            const tr_leaves folded = tr_waves_leaves(waves, n);
            sum_of(&all, expected, n_floats);
            sum_of(&folded, got, n_floats);
            for (int w = 0; w < tr_model_n_weights(rig.model); w++) {
                const tr_param *param = tr_model_param(rig.model, w);
                cr_assert_eq(memcmp(got + param->offset, expected + param->offset,
                                    param->n_packed * sizeof *got),
                             0, "%d micro-batches, %d slots, weight %d", (int)n, (int)k, w);
            }
        }
        tr_waves_free(waves);
    }
    tr_free(leaves);
    tr_free(expected);
    tr_free(got);
    test_rig_free(&rig);
}

/* 77 samples in micro-batches of 2: up to 39 of them, and other numbers in the shorter batches. */
Test(waves, no_number_of_slots_or_threads_changes_a_bit)
{
    static const int64_t shape[3] = {9, 7, 3};
    char first[33] = "", text[33];
    for (int slots = 1; slots <= 64; slots *= 2)
        for (int threads = 1; threads <= 3; threads++) {
            char few[64];
            snprintf(few, sizeof few, "engine.gradient_slots=%d", slots);
            const char *overrides[] = {"engine.micro_batch=2", few};
            test_rig_digest(test_odd_layers, "adam", shape, 4, threads, overrides, 2, text);
            if (first[0] == '\0')
                memcpy(first, text, sizeof first);
            cr_assert_str_eq(text, first, "%d slots, %d threads", slots, threads);
        }
}

static size_t bytes_for(const test_rig *rig, size_t n_trained, int64_t n, int64_t slots,
                        int threads)
{
    tr_waves *waves;
    tr_error err;
    cr_assert_eq(
        tr_waves_new(&waves, rig->model->training.program, n_trained, n, slots, threads, &err),
        TR_OK);
    const size_t bytes = tr_waves_bytes(waves);
    tr_waves_free(waves);
    return bytes;
}

/* A batch of 2,000 in micro-batches of 8, and 2 million parameters: 2 GB in slots of their own. */
Test(waves, memory_has_a_limit)
{
    test_rig rig = test_rig_new(test_odd_layers, "sgd", 1, 8, NULL, 0);
    const size_t n = 2000000;
    cr_assert_lt(bytes_for(&rig, n, 250, 0, 2), (size_t)TR_GRADIENT_BYTES);
    cr_assert_lt(bytes_for(&rig, n, 250, 1, 2), 10 * 4 * (n + 16) + 1);
    cr_assert_eq(bytes_for(&rig, n, 4, 0, 2), 4 * 4 * (n + 16), "all fit");
    /* A slot for each thread comes first. */
    cr_assert_geq(bytes_for(&rig, n, 250, 0, 32), 32 * 4 * (n + 16));
    test_rig_free(&rig);
}
