/* monitor.h -- the value by which epochs are compared: Keras's monitor of a callback. */
#ifndef TR_MONITOR_H
#define TR_MONITOR_H

#include "series.h"
#include "trainer/model.h"

typedef struct tr_monitor {
    bool on;
    bool validation;
    int metric; /* TR_LOSS, or one of the model's */
} tr_monitor;

/* `name`: "loss", a metric of the model, either behind "val_"; "auto": val_loss, or loss without
 * validation samples; "none". TR_ERR_CONFIG, naming what there is. */
tr_status tr_monitor_parse(tr_monitor *out, const char *name, const tr_model *model,
                           bool has_validation, tr_error *err);

/* The best epoch of a history (1-based; 0: none, or not on) and its value (then 0), as
 * tr_series_best() finds it. */
int64_t tr_monitor_best(const tr_monitor *monitor, const tr_history *history, double *value);

#endif
