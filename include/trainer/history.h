/* history.h -- what a run reports of each epoch. */
#ifndef TRAINER_HISTORY_H
#define TRAINER_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "trainer/status.h"

enum { TR_MAX_METRICS = 16 };

/* Loss and metrics of some samples, as Keras computes them; most are means. */
typedef struct tr_metrics {
    double loss;
    double values[TR_MAX_METRICS]; /* in the order of the run's metrics */
    int64_t n;                     /* samples; 0: not measured */
} tr_metrics;

/* Standard error of a share p measured on n samples: sqrt(p (1 - p) / n). */
double tr_standard_error(double p, int64_t n);

/* Wilson's interval of that share, in which the true one lies with 95 % confidence; also near 0 and
 * 1, and for small n, where p plus and minus two standard errors is wrong. */
void tr_wilson_interval(double p, int64_t n, double interval[2]);

typedef struct tr_epoch {
    int64_t epoch;         /* 1-based */
    tr_metrics train;      /* under the weights before each step, as Keras reports it */
    tr_metrics validation; /* after the epoch; n = 0 without validation samples */
    double learning_rate;
    double seconds; /* of the training part of the epoch */
    double validation_seconds;
    double images_per_s; /* of the training part */
} tr_epoch;

/* Epochs in order. Zero-initialise, set what is said of the metrics and validation, release when
 * done. */
typedef struct tr_history {
    tr_epoch *epochs;
    int64_t n;
    int n_metrics;
    const char *names[TR_MAX_METRICS]; /* of the metrics; borrowed */
    bool larger_is_better[TR_MAX_METRICS];
    bool validation; /* the run has validation samples */
} tr_history;

/* TR_ERR_INTERNAL: out of memory. */
tr_status tr_history_add(tr_history *history, const tr_epoch *epoch);
void tr_history_release(tr_history *history);

/* ---- files, each replaced as a whole, so that a kill never leaves a part ---- */

/* history.csv: epoch, loss, metrics, val_loss, val_ metrics, learning_rate, seconds, images_per_s;
 * columns that the run does not have are left out. */
tr_status tr_history_write_csv(const tr_history *history, const char *path, tr_error *err);

/* history.jsonl: the same, an object per epoch and line. */
tr_status tr_history_write_jsonl(const tr_history *history, const char *path, tr_error *err);

/* history.svg and history.png: curves of the loss and of each metric over the epochs, training and
 * validation, side by side. The same history gives the same bytes (fonts and cairo being the
 * same). They are drawn in this process, which the libraries that draw may end where memory runs
 * out; the program therefore has them drawn in another. */
tr_status tr_history_write_svg(const tr_history *history, const char *path, tr_error *err);
tr_status tr_history_write_png(const tr_history *history, const char *path, tr_error *err);

/* Both tables, and both pictures, in a folder. */
tr_status tr_history_write_tables(const tr_history *history, const char *folder, tr_error *err);
tr_status tr_history_write_pictures(const tr_history *history, const char *folder, tr_error *err);

#endif
