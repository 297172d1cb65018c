/* history.h -- what a run reports of each epoch. */
#ifndef TRAINER_HISTORY_H
#define TRAINER_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "trainer/status.h"

/* Loss and accuracy, both means over samples, as Keras averages them. */
typedef struct tr_metrics {
    double loss, accuracy;
    int64_t n; /* samples; 0: not measured */
} tr_metrics;

/* Standard error of an accuracy measured on n samples: sqrt(p (1 - p) / n). */
double tr_metrics_standard_error(const tr_metrics *metrics);

typedef struct tr_epoch {
    int64_t epoch;         /* 1-based */
    tr_metrics train;      /* under the weights before each step, as Keras reports it */
    tr_metrics validation; /* after the epoch; n = 0 without validation samples */
    double learning_rate;
    double seconds; /* of the training part of the epoch */
    double validation_seconds;
    double images_per_s; /* of the training part */
} tr_epoch;

/* Epochs in order; zero-initialise, release when done. */
typedef struct tr_history {
    tr_epoch *epochs;
    int64_t n;
} tr_history;

/* TR_ERR_INTERNAL: out of memory. */
tr_status tr_history_add(tr_history *history, const tr_epoch *epoch);
void tr_history_release(tr_history *history);

/* Writes history.csv: epoch, loss, accuracy, val_loss, val_accuracy, learning_rate, seconds,
 * images_per_s; columns that the run does not have (no validation, no metric) are left out. The
 * file is replaced as a whole, so a kill never leaves half a line. */
tr_status tr_history_write_csv(const tr_history *history, const char *path, bool accuracy,
                               bool validation, tr_error *err);

#endif
