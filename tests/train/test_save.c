/* test_save.c -- a run that is stopped anywhere and resumed ends with the same bits: weights, state
 * of the optimizer, history.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "net.h"
#include "optimizer.h"
#include "quadrants.h"

enum { MOST = 12 };

/* ---- exact ---- */

/* Lives of 1, 2, 3, ... steps at changing numbers of threads against one life. */
static void resumes_exactly(const char *const *overrides, size_t n, const char *what)
{
    tr_error err = {0};
    const char *all[MOST];
    char threads[32];
    cr_assert_eq(test_quadrants_live(overrides, n, "whole", 0, NULL, &err), TR_OK, "%s: %s", what,
                 err.text);
    for (size_t i = 0; i < n; i++)
        all[i] = overrides[i];
    all[n] = threads;
    tr_status status = TR_INTERRUPTED;
    int64_t made = 0;
    for (int life = 1; status == TR_INTERRUPTED; made += life++) {
        tr_resumed at = {0};
        snprintf(threads, sizeof threads, "engine.threads=%d", 1 + life % 2);
        status = test_quadrants_live(all, n + 1, "pieces", life, life == 1 ? NULL : &at, &err);
        cr_assert_eq(at.iterations, life == 1 ? 0 : made, "%s", what);
    }
    cr_assert_eq(status, TR_OK, "%s: %s", what, err.text);
    test_quadrants_same_ends(overrides, n, "whole", "pieces", what);
}

Test(save, every_optimizer_resumes_exactly)
{
    for (int i = 0; tr_optimizer_table[i] != NULL; i++) {
        char optimizer[64];
        snprintf(optimizer, sizeof optimizer, "compile.optimizer=%s", tr_optimizer_table[i]->name);
        const char *const overrides[] = {optimizer};
        resumes_exactly(overrides, 1, optimizer);
    }
}

Test(save, what_all_optimizers_share_resumes_exactly)
{
    static const char *const average[] = {"optimizer.use_ema=true",
                                          "optimizer.ema_overwrite_frequency=5"};
    resumes_exactly(average, 2, "moving average");
    static const char *const accumulated[] = {"optimizer.gradient_accumulation_steps=4"};
    resumes_exactly(accumulated, 1, "gradient accumulation");
    static const char *const scheduled[] = {
        "learning_rate.schedule=exponential_decay", "learning_rate.initial_learning_rate=0.01",
        "learning_rate.decay_steps=5", "learning_rate.decay_rate=0.8",
        "optimizer.global_clipnorm=0.5"};
    resumes_exactly(scheduled, 5, "schedule and clipping");
    static const char *const momentum[] = {"compile.optimizer=rmsprop", "optimizer.momentum=0.5",
                                           "optimizer.centered=true"};
    resumes_exactly(momentum, 3, "rmsprop with all its slots");
    static const char *const amsgrad[] = {"optimizer.amsgrad=true"};
    resumes_exactly(amsgrad, 1, "amsgrad");
}

/* Slots of some weights only. */
Test(save, frozen_layers_resume_exactly)
{
    static const char *const body[] = {"layer.c.trainable=false", "optimizer.use_ema=true",
                                       "optimizer.weight_decay=0.1"};
    resumes_exactly(body, 3, "a frozen convolution");
    static const char *const head[] = {"layer.d.trainable=false", "compile.optimizer=lamb"};
    resumes_exactly(head, 2, "a frozen last layer");
}

/* Moving statistics are where they were, in the middle of an accumulation, too. */
Test(save, measured_layers_resume_exactly)
{
    static const char *const whole[] = {"layer.p.type=batch_normalization", "layer.p.momentum=0.8",
                                        "optimizer.gradient_accumulation_steps=3"};
    resumes_exactly(whole, 3, "a batch normalization");
    static const char *const groups[] = {"layer.p.type=batch_normalization",
                                         "layer.p.virtual_batch_size=20", "engine.micro_batch=5",
                                         "optimizer.use_ema=true"};
    resumes_exactly(groups, 4, "a batch normalization of groups");
}

/* Nothing but the history knows how far they are. */
Test(save, callbacks_resume_exactly)
{
    static const char *const stopped[] = {
        "fit.epochs=6",
        "early_stopping.patience=2",
        "early_stopping.min_delta=0.6",
        "early_stopping.restore_best_weights=true",
        "reduce_lr_on_plateau.patience=1",
        "reduce_lr_on_plateau.min_delta=0.6",
        "reduce_lr_on_plateau.factor=0.3",
    };
    resumes_exactly(stopped, 7, "early stopping and plateaus");
    static const char *const restored[] = {
        "fit.epochs=4", "early_stopping.patience=9", "early_stopping.min_delta=0.6",
        "early_stopping.restore_best_weights=true", "optimizer.use_ema=true"};
    resumes_exactly(restored, 5, "weights that are restored after all epochs");
}

/* A finished run goes on as if its last epoch had not been the last: also where use_ema has already
 * put the average in the place of the weights. */
Test(save, more_epochs_than_at_first)
{
    tr_error err = {0};
    tr_resumed at;
    static const char *const two[] = {"optimizer.use_ema=true", "fit.epochs=2"};
    static const char *const four[] = {"optimizer.use_ema=true", "fit.epochs=4"};
    cr_assert_eq(test_quadrants_live(four, 2, "four", 0, NULL, &err), TR_OK);
    cr_assert_eq(test_quadrants_live(two, 2, "two", 0, NULL, &err), TR_OK);
    cr_assert_eq(test_quadrants_live(two, 2, "two", 0, &at, &err), TR_OK,
                 "nothing is left, and that is fine");
    cr_assert_eq(at.epoch, 2);
    cr_assert_eq(test_quadrants_live(four, 2, "two", 0, &at, &err), TR_OK, "%s", err.text);
    test_quadrants_same_ends(four, 2, "four", "two", "two epochs and two more");
}
