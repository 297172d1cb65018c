/* early_stopping.c -- Keras's EarlyStopping as a function of the history.
 *
 *     for each epoch from start_from_epoch (0-based) on:
 *         wait += 1
 *         better than the best one by more than min_delta, or the first one of all?
 *             it is the best; wait = 0, unless there is a baseline that it does not beat
 *         else stop where wait >= patience, but not behind the first epoch of the run
 */
#include <math.h>

#include "callbacks.h"

tr_stopping tr_early_stopping_judge(const tr_early_stopping *rules, const tr_history *history)
{
    tr_stopping verdict = {0};
    const tr_monitor *monitor = &rules->monitor;
    double best = 0.0;
    int64_t wait = 0;
    for (int64_t i = rules->start_from_epoch; monitor->on && i < history->n; i++) {
        const double value = tr_monitor_value(monitor, history, i);
        wait++;
        if (verdict.best_epoch == 0 ||
            tr_monitor_improves(monitor, value, best, rules->min_delta)) {
            best = value;
            verdict.best_epoch = i + 1;
            if (isnan(rules->baseline) ||
                tr_monitor_improves(monitor, value, rules->baseline, rules->min_delta))
                wait = 0;
        } else if (wait >= rules->patience && i > 0) {
            verdict.stopped_epoch = i + 1;
            break;
        }
    }
    return verdict;
}
