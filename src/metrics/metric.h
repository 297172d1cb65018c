/* metric.h -- what a metric is: something to report of all samples, computed from sums over them.
 *
 * One metric = one tr_metric_ops in a file beside this one, and one row in metric_table.c. Most are
 * means of a value per sample; others fill sums of their own width, of which the result is made in
 * the end. Sums of micro-batches, of batches and of what a resumed epoch had before are only ever
 * added. Every loss is a metric, too, without a row. A metric sees predictions as the network's
 * last layer gives them, also where a loss works on the input of that layer's activation.
 * Definitions are Keras's.
 */
#ifndef TR_METRIC_H
#define TR_METRIC_H

#include "loss.h"
#include "metric_sums.h"

enum { TR_METRIC_NAME_MAX = 58 };

/* Settings of all metrics, each of which has keys for some. */
typedef struct tr_metric_settings {
    tr_loss loss;             /* of a metric that is a loss; first, for its keys' offsets */
    double threshold;         /* NAN: not given */
    int64_t class_id;         /* -1: all */
    int64_t top_k;            /* 0: all */
    int64_t num_thresholds;   /* of a curve */
    int curve, summation;     /* auc.c's choices */
    bool multi_label, logits; /* a curve per output; outputs are logits */
    int average;              /* f_score.c's choices */
    double beta;
    const char *type; /* [metric.NAME] type; NULL: the metric's own name */
} tr_metric_settings;

typedef struct tr_metric_task {
    const float *pred; /* [n, width] */
    tr_targets targets;
    const float *weights; /* [n], for weighted metrics; NULL: all 1 */
    int64_t n, width;
    int64_t k;                          /* of the top-k metrics */
    const tr_metric_settings *settings; /* of the metric */
} tr_metric_task;

typedef struct tr_metric_ops {
    const char *name;  /* Keras's */
    const char *alias; /* Keras's short one, or NULL */
    const char *doc;
    const char *keras_class; /* where it is not the name in capitals; "": Keras has none */
    const tr_key *keys;      /* of [metric.NAME]; offsets into tr_metric_settings */
    size_t n_keys;
    unsigned targets;      /* tr_target bits */
    bool counts;           /* right or wrong */
    bool larger_is_better; /* else it is an error. The one place that says so: see series.h */
    bool wants_values;     /* looks at the predictions' values and not only at their order */
    bool wants_several;    /* outputs are classes: at least two */
    bool takes_k;          /* [compile] top_k applies */

    /* A mean over samples: of sample i. Without it and add(), a name that stands for others, chosen
     * by loss and outputs. */
    double (*value)(const tr_metric_task *task, int64_t i);

    /* Or sums: so many; sample i, counted `weight` times, is added to them; what they say. */
    int64_t (*n_sums)(const tr_metric_settings *settings, int64_t outputs);
    void (*add)(const tr_metric_task *task, int64_t i, double weight, double *sums);
    double (*result)(const tr_metric_settings *settings, const double *sums, int64_t outputs);
} tr_metric_ops;

/* A metric of a run. */
typedef struct tr_metric {
    char name[TR_METRIC_NAME_MAX + 1];    /* as reported: Keras's key in history.history */
    char written[TR_METRIC_NAME_MAX + 1]; /* in the list, and in [metric.NAME] */
    tr_metric_ops ops;                    /* what it resolved to */
    tr_metric_settings settings;
    bool counts;   /* each sample is right or wrong: the mean is a share, with a standard error */
    bool weighted; /* samples count by their weights */
    int64_t first, n_sums; /* its place among the sums of all */
} tr_metric;

extern const tr_metric_ops *const tr_metric_table[]; /* but for the losses; ends in NULL */

/* By name or alias, losses among them. False: unknown. */
bool tr_metric_find(tr_metric_ops *ops, const char *name);

/* All names, NULL-terminated. */
enum { TR_MAX_METRIC_NAMES = TR_MAX_LOSSES + 48 };
void tr_metric_names(const char *names[TR_MAX_METRIC_NAMES]);

/* loss_metric.c: that loss as a metric, with the keys that it has in [loss]. */
tr_metric_ops tr_loss_as_metric(const tr_loss_ops *loss);

/* The metrics of a run. */
typedef struct tr_metric_list {
    tr_metric items[TR_MAX_METRICS];
    int n;
    bool wants_values; /* any of them */
    int64_t k;
    int64_t n_sums, outputs;
} tr_metric_list;

/* metric_list.c: from [compile] metrics, weighted_metrics and top_k and the sections [metric.NAME],
 * for a loss and a network with `width` outputs. Mistakes go to config->problems. */
void tr_metrics_parse(tr_metric_list *list, const tr_config *config, const tr_loss *loss,
                      int64_t width);

/* For warnings: it judges each output by itself, against 0.5. */
bool tr_metrics_have_binary_accuracy(const tr_metric_list *list);

/* metric_sums.c: adds the samples of a task to sums [list->n_sums], for each metric those of its
 * settings. */
void tr_metrics_add(const tr_metric_list *list, const tr_metric_task *task, double *sums);
/* Loss and metrics of all samples that were added up; zeros of none. */
tr_metrics tr_metrics_of(const tr_metric_list *list, const tr_sums *sums);

/* ---- keys ---- */

#define TR_METRIC_KEY_THRESHOLD(key, what)                                                         \
    {                                                                                              \
        .name = key, .kind = TR_KEY_REAL, .offset = offsetof(tr_metric_settings, threshold),       \
        .optional = true, .doc = what                                                              \
    }

#endif
