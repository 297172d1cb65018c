/* reduce_lr_on_plateau.c -- Keras's ReduceLROnPlateau as a function of the history.
 *
 *     for each epoch:
 *         cooling down? one epoch less of it, and wait = 0
 *         better than the best one by more than min_delta, or the first one?
 *             it is the best; wait = 0
 *         else, and not cooling down: wait += 1
 *             wait >= patience? reduce, cool down, wait = 0
 *
 * Keras does not begin to cool down where the rate is at min_lr and stays there; nothing ever
 * depends on that.
 */
#include "callbacks.h"

int64_t tr_plateau_count(const tr_plateau *rules, const tr_history *history)
{
    const tr_monitor *monitor = &rules->monitor;
    double best = 0.0;
    int64_t wait = 0, cooling = 0, count = 0;
    for (int64_t i = 0; monitor->on && i < history->n; i++) {
        const double value = tr_monitor_value(monitor, history, i);
        if (cooling > 0) {
            cooling--;
            wait = 0;
        }
        if (i == 0 || tr_monitor_improves(monitor, value, best, rules->min_delta)) {
            best = value;
            wait = 0;
        } else if (cooling == 0 && ++wait >= rules->patience) {
            count++;
            cooling = rules->cooldown;
            wait = 0;
        }
    }
    return count;
}
