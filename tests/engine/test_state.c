/* test_state.c -- the optimizer's state, out and in: a training that is taken up again goes on as
 * if it had never stopped, to the bit. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "mem.h"
#include "rig.h"

enum { N = 40, BEFORE = 3, AFTER = 3 };

static const int64_t shape[3] = {9, 7, 3};
static tr_samples samples;

static void setup(void)
{
    samples = test_samples(90, shape, 4);
}

static void teardown(void)
{
    test_samples_free(&samples);
}

TestSuite(state, .init = setup, .fini = teardown);

static test_rig new_rig(const char *optimizer, const char *const *overrides, size_t n)
{
    return test_rig_new(test_odd_layers, optimizer, 2, N, overrides, n);
}

static void steps(test_rig *rig, uint32_t first, uint32_t n)
{
    for (uint32_t step = first; step < first + n; step++)
        test_rig_step(rig, &samples, N - step, step);
}

static void copy_state(test_rig *to, const test_rig *from)
{
    tr_error err = {0};
    for (int w = 0; w < tr_model_n_weights(from->model); w++) {
        float *values = test_rig_weight(from, w);
        cr_assert_eq(tr_model_set_weight(to->model, w, values, &err), TR_OK);
        tr_slot slots[TR_MAX_ALL_SLOTS];
        for (int s = 0; s < tr_model_slots(from->model, w, slots); s++) {
            cr_assert_eq(tr_engine_get_slot(from->engine, s, w, values, &err), TR_OK);
            cr_assert_eq(tr_engine_set_slot(to->engine, s, w, values, &err), TR_OK);
        }
        tr_free(values);
    }
    tr_engine_set_iterations(to->engine, tr_engine_iterations(from->engine));
}

static void digest(const test_rig *rig, char text[33])
{
    tr_error err = {0};
    cr_assert_eq(tr_model_digest(rig->model, text, &err), TR_OK);
}

static void resumes(const char *optimizer, const char *const *overrides, size_t n)
{
    char whole[33], resumed[33];
    test_rig one = new_rig(optimizer, overrides, n), two = new_rig(optimizer, overrides, n);
    steps(&one, 0, BEFORE);
    copy_state(&two, &one);
    steps(&one, BEFORE, AFTER);
    steps(&two, BEFORE, AFTER);
    digest(&one, whole);
    digest(&two, resumed);
    cr_assert_str_eq(whole, resumed, "%s", optimizer);
    cr_assert(tr_model_is_finite(one.model));
    cr_assert_eq(tr_engine_iterations(two.engine), BEFORE + AFTER);
    test_rig_free(&one);
    test_rig_free(&two);
}

Test(state, every_optimizer_resumes_to_the_bit)
{
    for (size_t i = 0; tr_optimizer_table[i] != NULL; i++)
        resumes(tr_optimizer_table[i]->name, NULL, 0);
}

/* Three steps leave a gradient in the accumulator. */
Test(state, every_optimizer_resumes_with_everything_on)
{
    const char *const overrides[] = {
        "optimizer.use_ema=true",
        "optimizer.ema_overwrite_frequency=2",
        "optimizer.gradient_accumulation_steps=2",
        "optimizer.global_clipnorm=0.1",
        "optimizer.weight_decay=0.01",
        "learning_rate.schedule=exponential_decay",
        "learning_rate.initial_learning_rate=0.01",
        "learning_rate.decay_steps=2",
        "learning_rate.decay_rate=0.5",
    };
    for (size_t i = 0; tr_optimizer_table[i] != NULL; i++)
        resumes(tr_optimizer_table[i]->name, overrides, sizeof overrides / sizeof *overrides);
}

Test(state, forms_with_more_slots_resume)
{
    const char *const adam[] = {"optimizer.amsgrad=true"};
    const char *const rmsprop[] = {"optimizer.momentum=0.9", "optimizer.centered=true"};
    const char *const sgd[] = {"optimizer.momentum=0.9"};
    const char *const ftrl[] = {"optimizer.initial_accumulator_value=0"};
    const char *const muon[] = {"optimizer.convolutions=matrices"};
    const char *const groups[] = {
        "optimizer.use_ema=true",        "optimizer.x.layers=a, f",
        "optimizer.x.optimizer=muon",    "optimizer.x.gradient_accumulation_steps=2",
        "optimizer.y.layers=g",          "optimizer.y.optimizer=adafactor",
        "optimizer.y.clipnorm=0.1",      "learning_rate.y.schedule=cosine_decay",
        "learning_rate.y.decay_steps=4", "learning_rate.y.initial_learning_rate=0.1"};
    resumes("adam", adam, 1);
    resumes("rmsprop", rmsprop, 2);
    resumes("sgd", sgd, 1);
    resumes("ftrl", ftrl, 1);
    resumes("muon", muon, 1);
    resumes("nadam", groups, sizeof groups / sizeof *groups);
}

Test(state, slots_have_keras_names_and_order)
{
    static const char *const names[] = {"average", "gradient_accumulator", "momentum", "velocity",
                                        "velocity_hat"};
    const char *const overrides[] = {"optimizer.use_ema=true", "optimizer.amsgrad=true",
                                     "optimizer.gradient_accumulation_steps=2"};
    test_rig rig = new_rig("adam", overrides, 3);
    tr_slot slots[TR_MAX_ALL_SLOTS];
    cr_assert_eq(tr_model_slots(rig.model, 0, slots), 5);
    for (int i = 0; i < 5; i++)
        cr_assert_str_eq(slots[i].name, names[i]);
    test_rig_free(&rig);
}

/* SGD's momentum after one step is -lr times the gradient: also a test of the layout. */
Test(state, values_are_in_keras_layout)
{
    const char *const overrides[] = {"optimizer.momentum=0.5", "optimizer.learning_rate=0.25"};
    tr_error err = {0};
    test_rig rig = new_rig("sgd", overrides, 2);
    steps(&rig, 0, 1);
    for (int w = 0; w < tr_model_n_weights(rig.model); w++) {
        const size_t n = (size_t)tr_model_weight(rig.model, w).n;
        float *gradient = test_rig_gradient(&rig, w), *values = tr_alloc(n, sizeof *values);
        cr_assert_eq(tr_engine_get_slot(rig.engine, 0, w, values, &err), TR_OK);
        for (size_t k = 0; k < n; k++)
            cr_assert_eq(values[k], -0.25f * gradient[k], "weight %d, element %zu", w, k);
        tr_free(gradient);
        tr_free(values);
    }
    test_rig_free(&rig);
}

Test(state, learning_rate_is_that_of_the_next_step)
{
    const char *const overrides[] = {
        "learning_rate.schedule=piecewise_constant_decay",
        "learning_rate.boundaries=1",
        "learning_rate.values=0.5, 0.25",
    };
    test_rig rig = new_rig("sgd", overrides, 3), constant = new_rig("sgd", NULL, 0);
    cr_assert_eq(tr_engine_learning_rate(rig.engine), 0.5);
    steps(&rig, 0, 2);
    cr_assert_eq(tr_engine_learning_rate(rig.engine), 0.25);
    cr_assert_eq(tr_engine_learning_rate(constant.engine), 0.01);
    test_rig_free(&rig);
    test_rig_free(&constant);
}

Test(state, finish_makes_the_average_the_weights)
{
    const char *const overrides[] = {"optimizer.use_ema=true"};
    tr_error err = {0};
    test_rig rig = new_rig("adam", overrides, 1), without = new_rig("adam", NULL, 0);
    steps(&rig, 0, 3);
    const int w = 0;
    const size_t n = (size_t)tr_model_weight(rig.model, w).n;
    float *average = tr_alloc(n, sizeof *average), *before = test_rig_weight(&rig, w);
    cr_assert_eq(tr_engine_get_slot(rig.engine, 0, w, average, &err), TR_OK);
    cr_assert_neq(memcmp(average, before, n * sizeof *average), 0);
    const int64_t version = rig.model->version;
    cr_assert(tr_engine_finish(rig.engine));
    float *after = test_rig_weight(&rig, w);
    cr_assert_eq(memcmp(average, after, n * sizeof *average), 0);
    cr_assert_gt(rig.model->version, version, "replicas must see it");
    cr_assert_not(tr_engine_finish(without.engine));
    tr_free(average), tr_free(before), tr_free(after);
    test_rig_free(&rig);
    test_rig_free(&without);
}
