/* series.c -- see series.h. */
#include "series.h"

#include <math.h>

double tr_series_value(const tr_series *series, int64_t epoch_idx)
{
    const tr_epoch *epoch = &series->history->epochs[epoch_idx];
    const tr_metrics *metrics = series->validation ? &epoch->validation : &epoch->train;
    return series->metric == TR_LOSS ? metrics->loss : metrics->values[series->metric];
}

const char *tr_series_name(const tr_series *series)
{
    return series->metric == TR_LOSS ? "loss" : series->history->names[series->metric];
}

static bool is_better(const tr_series *series, double value, double than)
{
    const bool larger =
        series->metric != TR_LOSS && series->history->larger_is_better[series->metric];
    return larger ? value > than : value < than;
}

int64_t tr_series_best(const tr_series *series)
{
    int64_t best = -1;
    for (int64_t i = 0; i < series->history->n; i++) {
        const double value = tr_series_value(series, i);
        if (isfinite(value) &&
            (best < 0 || is_better(series, value, tr_series_value(series, best))))
            best = i;
    }
    return best;
}
