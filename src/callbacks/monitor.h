/* monitor.h -- the value by which epochs are compared: Keras's monitor of a callback. */
#ifndef TR_MONITOR_H
#define TR_MONITOR_H

#include "metric.h"
#include "series.h"
#include "trainer/config.h"

typedef struct tr_monitor {
    bool on;
    bool validation;
    int metric;            /* TR_LOSS, or one of the run's */
    bool larger_is_better; /* by its row, or by `mode` */
} tr_monitor;

/* The key `monitor` of [section] with the value `name`: "loss", one of the metrics, either behind
 * "val_"; "auto": val_loss, or loss without validation samples; "none". `mode`: what is better. A
 * name of nothing becomes a problem that says what there is. */
void tr_monitor_parse(tr_monitor *out, const tr_config *config, const char *section,
                      const char *name, tr_mode mode, const tr_metric_list *metrics);

/* "val_accuracy", as history has it. */
void tr_monitor_name(const tr_monitor *monitor, const tr_history *history, char *text, size_t n);

double tr_monitor_value(const tr_monitor *monitor, const tr_history *history, int64_t epoch_idx);

/* The best epoch of a history (1-based; 0: none, or not on) and its value (then 0), as
 * tr_series_best() finds it. */
int64_t tr_monitor_best(const tr_monitor *monitor, const tr_history *history, double *value);

/* Keras's callbacks, which compare in float32: `value` is better than `reference` by more than
 * `min_delta`. */
bool tr_monitor_improves(const tr_monitor *monitor, double value, double reference,
                         double min_delta);

#endif
