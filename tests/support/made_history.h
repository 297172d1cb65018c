/* made_history.h -- histories of made-up trainings, for tests of what draws and writes them. */
#ifndef TR_MADE_HISTORY_H
#define TR_MADE_HISTORY_H

#include <criterion/criterion.h>
#include <math.h>

#include "trainer/history.h"

/* The loss falls, the validation loss rises again from epoch 7 on; metrics are 1 - loss / 2.
 * Release with tr_history_release(). */
static inline tr_history made_history(int64_t n, int n_metrics, bool validation)
{
    tr_history history = {.n_metrics = n_metrics,
                          .names = {"accuracy", "mean_squared_error", "mean_absolute_error",
                                    "binary_accuracy", "categorical_accuracy",
                                    "sparse_categorical_accuracy", "top_k_categorical_accuracy",
                                    "sparse_top_k_categorical_accuracy"},
                          .larger_is_better = {true, false, false, true, true, true, true, true},
                          .validation = validation};
    for (int64_t i = 0; i < n; i++) {
        tr_epoch epoch = {.epoch = i + 1,
                          .train = {.loss = 0.5 * exp(-0.3 * (double)i), .n = 100},
                          .validation = {.loss = 0.2 + 0.01 * fabs((double)i - 6.0), .n = 20},
                          .learning_rate = 0.001,
                          .seconds = 2.0,
                          .validation_seconds = 0.5,
                          .images_per_s = 50.0};
        for (int k = 0; k < n_metrics; k++) {
            epoch.train.values[k] = 1.0 - epoch.train.loss / 2.0;
            epoch.validation.values[k] = 1.0 - epoch.validation.loss / 2.0;
        }
        if (!validation)
            epoch.validation = (tr_metrics){0};
        cr_assert_eq(tr_history_add(&history, &epoch), TR_OK);
    }
    return history;
}

#endif
