/* series.c -- see series.h. */
#include "series.h"

#include <math.h>
#include <string.h>

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

static bool ends_in(const char *text, const char *ending)
{
    const size_t n = strlen(text), m = strlen(ending);
    return n >= m && strcmp(text + n - m, ending) == 0;
}

bool tr_series_more_is_better(const tr_series *series)
{
    const char *name = tr_series_name(series);
    return ends_in(name, "acc") || ends_in(name, "accuracy") || ends_in(name, "auc");
}

int64_t tr_series_best(const tr_series *series)
{
    const bool more = tr_series_more_is_better(series);
    int64_t best = -1;
    for (int64_t i = 0; i < series->history->n; i++) {
        const double value = tr_series_value(series, i);
        if (!isfinite(value))
            continue;
        const double so_far = best < 0 ? value : tr_series_value(series, best);
        if (best < 0 || (more ? value > so_far : value < so_far))
            best = i;
    }
    return best;
}
