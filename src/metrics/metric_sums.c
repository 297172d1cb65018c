/* metric_sums.c -- see metric_sums.h. */
#include "metric_sums.h"

void tr_sums_add(tr_sums *sums, const tr_sums *more)
{
    sums->loss += more->loss;
    for (int i = 0; i < TR_MAX_METRICS; i++)
        sums->metrics[i] += more->metrics[i];
    sums->n += more->n;
}

tr_metrics tr_metrics_of(const tr_sums *sums)
{
    tr_metrics metrics = {.n = sums->n};
    if (sums->n == 0)
        return metrics;
    metrics.loss = sums->loss / (double)sums->n;
    for (int i = 0; i < TR_MAX_METRICS; i++)
        metrics.values[i] = sums->metrics[i] / (double)sums->n;
    return metrics;
}
