/* ending.c -- when a training is over, why, and with which weights it ends.
 *
 * All of it follows from the history and the time that the epoch at hand has taken: a run that is
 * resumed behind its end is over again.
 */
#include <stdio.h>

#include "run_internal.h"

/* ---- when ---- */

static tr_stopping judge(const tr_run *run)
{
    return tr_early_stopping_judge(&tr_model_callbacks(run->model)->early_stopping, &run->history);
}

static double seconds_of_epochs(const tr_run *run)
{
    double seconds = 0.0;
    for (int64_t i = 0; i < run->history.n; i++)
        seconds += run->history.epochs[i].seconds + run->history.epochs[i].validation_seconds;
    return seconds;
}

bool tr_run_time_is_up(const tr_run *run)
{
    const double most = run->config->fit.max_seconds;
    return most > 0.0 && run->progress.step < tr_run_describe(run).steps &&
           seconds_of_epochs(run) + run->progress.seconds >= most;
}

static tr_end end_of(const tr_run *run, const tr_stopping *verdict)
{
    return verdict->stopped_epoch > 0                       ? TR_END_EARLY
           : run->progress.epoch >= run->config->fit.epochs ? TR_END_EPOCHS
           : tr_run_time_is_up(run)                         ? TR_END_TIME
                                                            : TR_END_NONE;
}

bool tr_run_is_over(const tr_run *run)
{
    const tr_stopping verdict = judge(run);
    return end_of(run, &verdict) != TR_END_NONE;
}

/* ---- why ---- */

static void tell_early(tr_ending *out, const tr_run *run, const tr_stopping *verdict)
{
    const tr_monitor *monitor = &tr_model_callbacks(run->model)->early_stopping.monitor;
    char name[128];
    tr_monitor_name(monitor, &run->history, name, sizeof name);
    snprintf(out->text, sizeof out->text,
             "early stopping ended it after epoch %lld of %lld: the best %s is %.4f, of epoch %lld",
             (long long)verdict->stopped_epoch, (long long)run->config->fit.epochs, name,
             tr_monitor_value(monitor, &run->history, verdict->best_epoch - 1),
             (long long)verdict->best_epoch);
}

tr_ending tr_run_ending(const tr_run *run)
{
    const tr_stopping verdict = judge(run);
    const tr_progress *at = &run->progress;
    tr_ending ending = {.why = end_of(run, &verdict)};
    if (ending.why == TR_END_NONE)
        return ending;
    ending.restored_epoch = tr_run_restored_epoch(run);
    if (ending.why == TR_END_EARLY)
        tell_early(&ending, run, &verdict);
    else if (ending.why == TR_END_EPOCHS)
        snprintf(ending.text, sizeof ending.text, "all %lld epochs are done", (long long)at->epoch);
    else
        snprintf(ending.text, sizeof ending.text,
                 "[fit] max_seconds = %g ended it after %lld of %lld epochs and %lld steps",
                 run->config->fit.max_seconds, (long long)at->epoch,
                 (long long)run->config->fit.epochs, (long long)at->step);
    return ending;
}

/* ---- with which weights ---- */

int64_t tr_run_restored_epoch(const tr_run *run)
{
    const tr_early_stopping *rules = &tr_model_callbacks(run->model)->early_stopping;
    return rules->restore_best_weights ? judge(run).best_epoch : 0;
}

/* Those of the best epoch, or with use_ema their average. *changed: they are others now. */
static tr_status take_final_weights(tr_run *run, bool *changed, tr_error *err)
{
    *changed = false;
    if (tr_run_restored_epoch(run) == 0) {
        *changed = tr_engine_finish(run->engine);
        return TR_OK;
    }
    tr_snapshot *kept;
    TR_TRY(tr_saver_take(run->saver, &kept, err));
    *changed = true;
    return tr_snapshot_give_values(kept->best_weights, run->model, err);
}

/* The file also keeps what a longer training would go on from. */
tr_status tr_run_finish(tr_run *run, tr_error *err)
{
    static const tr_save_targets last_only = {0};
    const int64_t restored = tr_run_restored_epoch(run);
    const bool is_there = restored == run->history.n && run->progress.step == 0;
    if (restored > 0 ? is_there : !tr_optimizers_average(tr_model_optimizers(run->model)))
        return tr_saver_wait(run->saver, err);
    tr_snapshot *raw = NULL;
    bool changed;
    TR_TRY(tr_snapshot_new(&raw, run->model, false, err));
    tr_status status = tr_snapshot_take_weights(raw, err);
    if (status == TR_OK)
        status = take_final_weights(run, &changed, err);
    if (status == TR_OK && changed)
        status = tr_run_save(run, &last_only, raw->weights, err);
    tr_snapshot_free(raw);
    return status == TR_OK ? tr_saver_wait(run->saver, err) : status;
}
