/* test_whole_tensors.c -- optimizers that take tensors as a whole, in an engine: whose kernels keep
 * the weights in whatever layout, on any number of threads; with several optimizers at once. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "rig.h"
#include "update.h"

enum { N = 40, STEPS = 3, ROOM = 1 << 15, MAX_TENSORS = 32 };

static const int64_t shape[3] = {9, 7, 3};
static const char *const matrices[] = {"optimizer.convolutions=matrices",
                                       "optimizer.learning_rate=0.02"};
static const char *const adafactor[] = {"optimizer.learning_rate=0.02", "optimizer.clipnorm=0.3"};
/* All at once. */
static const char *const groups[] = {"optimizer.global_clipnorm=0.5",
                                     "optimizer.use_ema=true",
                                     "optimizer.ema_overwrite_frequency=2",
                                     "optimizer.first.layers=a, g",
                                     "optimizer.first.optimizer=muon",
                                     "optimizer.first.convolutions=matrices",
                                     "optimizer.first.gradient_accumulation_steps=2",
                                     "optimizer.second.layers=f",
                                     "optimizer.second.optimizer=adafactor",
                                     "optimizer.second.weight_decay=0.1",
                                     "learning_rate.second.schedule=cosine_decay",
                                     "learning_rate.second.initial_learning_rate=0.1",
                                     "learning_rate.second.decay_steps=4"};
#define COUNT(list) (sizeof(list) / sizeof *(list))

/* ---- against an update of vectors that lie in Keras's layout ---- */

typedef struct plain_run {
    tr_updater *updater;
    tr_optimizers optimizers;
    tr_flat_tensor tensors[MAX_TENSORS];
    int n;
    float weights[ROOM], gradients[ROOM];
} plain_run;

static void start(plain_run *plain, const test_rig *rig)
{
    tr_error err = {0};
    size_t at = 0;
    cr_assert_eq(tr_optimizers_copy(&plain->optimizers, tr_model_optimizers(rig->model), &err),
                 TR_OK);
    plain->n = tr_model_n_weights(rig->model);
    for (int i = 0; i < plain->n; i++) {
        const tr_weight_tensor tensor = tr_model_tensor(rig->model, i);
        float *values = test_rig_weight(rig, i);
        plain->tensors[i] = (tr_flat_tensor){.tensor = tensor,
                                             .optimizer = tr_model_optimizer_of(rig->model, i),
                                             .offset = at,
                                             .n = tensor.n};
        memcpy(plain->weights + at, values, tensor.n * sizeof *values);
        tr_free(values);
        at += tensor.n;
    }
    cr_assert_leq(at, ROOM);
    cr_assert_eq(
        tr_updater_new(&plain->updater, &plain->optimizers, plain->tensors, plain->n, ROOM, &err),
        TR_OK);
}

static void follow(plain_run *plain, const test_rig *rig, int step)
{
    const tr_leaves leaves = {.first = plain->gradients, .stride = ROOM, .n = 1};
    for (int i = 0; i < plain->n; i++) {
        float *values = test_rig_gradient(rig, i);
        memcpy(plain->gradients + plain->tensors[i].offset, values,
               plain->tensors[i].n * sizeof *values);
        tr_free(values);
    }
    tr_updater_begin(plain->updater, step);
    tr_updater_run(plain->updater, plain->weights, &leaves, NULL, 0, 1);
}

/* Norms are summed in another order there: a unit in the last place, and what grows of it. */
static void compare(const plain_run *plain, const test_rig *rig, const char *optimizer)
{
    char text[128];
    tr_error err = {0};
    for (int i = 0; i < plain->n; i++) {
        const tr_weight_tensor *tensor = &plain->tensors[i].tensor;
        tr_slot slots[TR_MAX_ALL_SLOTS];
        float *ours = test_rig_weight(rig, i);
        snprintf(text, sizeof text, "%s, %s/%s", optimizer, tensor->layer, tensor->name);
        test_close(text, ours, plain->weights + plain->tensors[i].offset, tensor->n, 1e-6, 1e-6);
        for (int k = 0; k < tr_model_slots(rig->model, i, slots); k++) {
            cr_assert_eq(tr_engine_get_slot(rig->engine, k, i, ours, &err), TR_OK);
            test_close(text, ours, tr_updater_slot(plain->updater, k) + plain->tensors[i].offset,
                       (size_t)tr_slot_elements(&slots[k]), 1e-6, 1e-6);
        }
        tr_free(ours);
    }
}

static void any_layout(const char *optimizer, const char *const *overrides, size_t n)
{
    static plain_run plain;
    memset(&plain, 0, sizeof plain);
    tr_samples samples = test_samples(90, shape, 4);
    test_rig rig = test_rig_new(test_odd_layers, optimizer, 2, N, overrides, n);
    start(&plain, &rig);
    for (int step = 0; step < STEPS; step++) {
        test_rig_step(&rig, &samples, N, (uint32_t)step);
        follow(&plain, &rig, step);
    }
    compare(&plain, &rig, optimizer);
    tr_updater_free(plain.updater);
    tr_optimizers_release(&plain.optimizers);
    test_rig_free(&rig);
    test_samples_free(&samples);
}

Test(whole_tensors, no_layout_of_the_weights_matters)
{
    any_layout("muon", matrices, COUNT(matrices));
    any_layout("adafactor", adafactor, COUNT(adafactor));
    any_layout("lamb", NULL, 0);
    any_layout("adam", groups, COUNT(groups));
}

/* ---- threads ---- */

static void any_threads(const char *optimizer, const char *const *overrides, size_t n)
{
    char one[33], many[33];
    test_rig_digest(test_odd_layers, optimizer, shape, 4, 1, overrides, n, one);
    for (int threads = 3; threads <= 7; threads += 4) {
        test_rig_digest(test_odd_layers, optimizer, shape, 4, threads, overrides, n, many);
        cr_expect_str_eq(one, many, "%s, %d threads", optimizer, threads);
    }
}

Test(whole_tensors, threads_never_change_the_result)
{
    any_threads("muon", matrices, COUNT(matrices));
    any_threads("adafactor", adafactor, COUNT(adafactor));
    any_threads("lamb", NULL, 0);
    any_threads("schedule_free_adamw", NULL, 0);
    any_threads("adam", groups, COUNT(groups));
}
