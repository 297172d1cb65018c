/* series.h -- one column of a history: the loss or a metric, of training or of validation. */
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

/* What Keras's callbacks take for mode = "auto": more is better where the name ends in "acc",
 * "accuracy" or "auc". */
bool tr_series_more_is_better(const tr_series *series);

/* Index of the best epoch, the first of equals; -1: there is no finite value. */
int64_t tr_series_best(const tr_series *series);

#endif
