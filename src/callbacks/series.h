/* series.h -- one column of a history: the loss or a metric, of training or of validation.
 *
 * The one home of "better" and of "the best epoch": best.h5, the printed table and the plots ask
 * here. Which direction is better stands in the metric's row (metrics/metric_table.c); of a loss
 * less is.
 */
#ifndef TR_SERIES_H
#define TR_SERIES_H

#include "trainer/history.h"

enum { TR_LOSS = -1 };

typedef struct tr_series {
    const tr_history *history; /* borrowed */
    int metric;                /* TR_LOSS, or an index into the history's names */
    bool validation;
} tr_series;

double tr_series_value(const tr_series *series, int64_t epoch_idx);

/* Keras's key without "val_". */
const char *tr_series_name(const tr_series *series);

/* Index of the best epoch, the first of equals; -1: none has a finite value, and no other value is
 * better than any. */
int64_t tr_series_best(const tr_series *series);

#endif
