/* history.c -- the list of epochs of a run; see trainer/history.h. */
#include "trainer/history.h"

#include <math.h>

#include "mem.h"

double tr_metrics_standard_error(const tr_metrics *metrics)
{
    return sqrt(metrics->accuracy * (1.0 - metrics->accuracy) / (double)metrics->n);
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
