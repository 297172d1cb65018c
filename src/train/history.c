/* history.c -- the list of epochs of a run; see trainer/history.h. */
#include "trainer/history.h"

#include <math.h>

#include "mem.h"
#include "run_internal.h"

double tr_standard_error(double p, int64_t n)
{
    return sqrt(p * (1.0 - p) / (double)n);
}

/* Wilson, "Probable inference, the law of succession, and statistical inference", 1927: the p for
 * which what was measured lies within z standard errors. */
void tr_wilson_interval(double p, int64_t n, double interval[2])
{
    const double z = 1.959963984540054, samples = (double)n, zz = z * z / samples;
    const double middle = (p + zz / 2.0) / (1.0 + zz);
    const double reach = z / (1.0 + zz) * sqrt(p * (1.0 - p) / samples + zz / (4.0 * samples));
    interval[0] = fmax(middle - reach, 0.0);
    interval[1] = fmin(middle + reach, 1.0);
}

void tr_history_begin(tr_history *history, const tr_model *model, bool validation)
{
    *history = (tr_history){.n_metrics = tr_model_n_metrics(model), .validation = validation};
    for (int i = 0; i < history->n_metrics; i++) {
        const tr_metric_info metric = tr_model_metric(model, i);
        history->names[i] = metric.name;
        history->larger_is_better[i] = metric.larger_is_better;
    }
}

tr_status tr_history_add(tr_history *history, const tr_epoch *epoch)
{
    tr_epoch *grown = tr_grown(history->epochs, (size_t)history->n, sizeof *grown);
    if (grown == NULL)
        return TR_ERR_INTERNAL;
    history->epochs = grown;
    history->epochs[history->n++] = *epoch;
    return TR_OK;
}

void tr_history_release(tr_history *history)
{
    tr_free(history->epochs);
    *history = (tr_history){0};
}
