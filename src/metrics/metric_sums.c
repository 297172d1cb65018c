/* metric_sums.c -- sums over samples, and what they say in the end; see metric_sums.h, metric.h. */
#include "metric_sums.h"

#include "metric.h"

void tr_sums_add(tr_sums *sums, const tr_sums *more)
{
    sums->loss += more->loss;
    sums->n += more->n;
    if (sums->n_sums < more->n_sums)
        sums->n_sums = more->n_sums;
    for (int64_t i = 0; i < more->n_sums; i++)
        sums->metrics[i] += more->metrics[i];
}

/* Of a mean: the values, and where they are weighted, the weights. */
void tr_metrics_add(const tr_metric_list *list, const tr_metric_task *task, double *sums)
{
    tr_metric_task own = *task;
    own.k = list->k;
    for (int m = 0; m < list->n; m++) {
        const tr_metric *metric = &list->items[m];
        double *to = sums + metric->first;
        const bool weighted = metric->weighted && task->weights != NULL;
        own.settings = &metric->settings;
        for (int64_t i = 0; i < task->n; i++) {
            const double weight = weighted ? (double)task->weights[i] : 1.0;
            if (metric->ops.add != NULL) {
                metric->ops.add(&own, i, weight, to);
                continue;
            }
            to[0] += weight * metric->ops.value(&own, i);
            if (metric->weighted)
                to[1] += weight;
        }
    }
}

static double value_of(const tr_metric *metric, const tr_sums *sums, int64_t outputs)
{
    const double *own = sums->metrics + metric->first;
    if (metric->ops.add != NULL)
        return metric->ops.result(&metric->settings, own, outputs);
    const double count = metric->weighted ? own[1] : (double)sums->n;
    return count == 0.0 ? 0.0 : own[0] / count;
}

tr_metrics tr_metrics_of(const tr_metric_list *list, const tr_sums *sums)
{
    tr_metrics metrics = {.n = sums->n};
    if (sums->n == 0)
        return metrics;
    metrics.loss = sums->loss / (double)sums->n;
    for (int i = 0; i < list->n; i++)
        metrics.values[i] = value_of(&list->items[i], sums, list->outputs);
    return metrics;
}
