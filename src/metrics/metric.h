/* metric.h -- what a metric is: a value per sample, whose mean over samples is reported.
 *
 * One metric = one row in metric_table.c and its function in a file beside it. It sees predictions
 * as the network's last layer gives them, also where a loss works on the input of that layer's
 * activation. Definitions are Keras's.
 */
#ifndef TR_METRIC_H
#define TR_METRIC_H

#include "loss.h"
#include "trainer/history.h"

typedef struct tr_metric_task {
    const float *pred; /* [n, width] */
    tr_targets targets;
    int64_t n, width;
    int64_t k; /* of the top-k metrics */
} tr_metric_task;

typedef struct tr_metric_ops {
    const char *name;  /* Keras's */
    const char *alias; /* Keras's short one, or NULL */
    const char *doc;
    unsigned targets;      /* tr_target bits */
    bool counts;           /* right or wrong */
    bool larger_is_better; /* else it is an error. The one place that says so: see series.h */
    bool wants_values;     /* looks at the predictions' values and not only at their order */
    bool wants_several;    /* outputs are classes: at least two */
    bool takes_k;          /* [compile] top_k applies */
    double (*sum)(const tr_metric_task *task); /* over samples; NULL: a name that stands for
                                                * others, chosen by loss and outputs */
} tr_metric_ops;

/* A metric of a run. */
typedef struct tr_metric {
    const char *name;         /* as reported: Keras's key in history.history */
    const tr_metric_ops *ops; /* what it resolved to */
    bool counts; /* each sample is right or wrong: the mean is a share, with a standard error */
} tr_metric;

extern const tr_metric_ops *const tr_metric_table[];   /* ends in NULL */
const tr_metric_ops *tr_metric_find(const char *name); /* by name or alias; NULL: unknown */

/* The metrics of a run, from [compile] metrics and top_k, for a loss and a network with `width`
 * outputs. Mistakes go to config->problems. */
typedef struct tr_metric_list {
    tr_metric items[TR_MAX_METRICS];
    int n;
    bool wants_values; /* any of them */
    int64_t k;
} tr_metric_list;

void tr_metrics_parse(tr_metric_list *list, const tr_config *config, const tr_loss *loss,
                      int64_t width);

/* For warnings: it judges each output by itself, against 0.5. */
bool tr_metrics_have_binary_accuracy(const tr_metric_list *list);

/* One function, one file. */
double tr_binary_accuracy(const tr_metric_task *task);
double tr_categorical_accuracy(const tr_metric_task *task);
double tr_top_k_accuracy(const tr_metric_task *task);
double tr_squared_error(const tr_metric_task *task);
double tr_absolute_error(const tr_metric_task *task);

#endif
