/* fit.c -- Keras's fit(): epochs of shuffled batches, validation, a checkpoint after each epoch.
 *
 * Epoch logs are Keras's: the training loss and metrics are means over the samples of the epoch,
 * each measured under the weights before its step; validation is measured after the epoch.
 *
 * run->progress is where the run stands after the newest step, wherever it began: a resumed run
 * enters the same loops in the middle.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "mem.h"
#include "order.h"
#include "run_internal.h"
#include "samples.h"

static const tr_save_targets last_only = {0};

/* Streamed images are read in that order from the next step on. */
static tr_status order_epoch(tr_run *run, tr_error *err)
{
    const tr_fit_config *fit = &run->config->fit;
    const int64_t first = run->progress.step * fit->batch_size;
    if (fit->shuffle)
        tr_order_shuffled(run->order, run->split.train, run->split.n_train, (uint64_t)fit->seed,
                          (uint32_t)run->progress.epoch);
    else
        memcpy(run->order, run->split.train, (size_t)run->split.n_train * sizeof *run->order);
    return tr_samples_expect(&run->train, run->order + first, run->split.n_train - first,
                             fit->batch_size, err);
}

/* The checkpoint that is on its way reaches the disk first; if it does not, that is the news. */
static tr_status diverged(tr_run *run, const char *what, tr_error *err)
{
    TR_TRY(tr_saver_wait(run->saver, err));
    char where[1024] = "; no checkpoint was saved before it";
    if (run->has_saved)
        snprintf(where, sizeof where, "; the last good weights are in %.900s",
                 tr_run_checkpoint_path(run));
    return tr_fail(err, TR_ERR_NUMERIC,
                   "%s is not a finite number in epoch %lld, step %lld: training diverged; try a "
                   "smaller [optimizer] learning_rate, and check [data] scale%s",
                   what, (long long)run->progress.epoch + 1, (long long)run->progress.step, where);
}

/* ---- steps ---- */

static tr_status make_step(tr_run *run, tr_error *err)
{
    const int64_t batch = run->config->fit.batch_size;
    const int64_t first = run->progress.step * batch, left = run->split.n_train - first;
    tr_sums sums;
    TR_TRY(tr_engine_step(run->engine, &run->train, run->order + first, left < batch ? left : batch,
                          &sums, err));
    run->progress.step++;
    if (!isfinite(sums.loss))
        return diverged(run, "the loss", err);
    tr_sums_add(&run->progress.sums, &sums);
    return TR_OK;
}

static void tell_step(const tr_run *run, const tr_listener *listener)
{
    const tr_progress *at = &run->progress;
    if (listener->on_step == NULL)
        return;
    const tr_step_event event = {.epoch = at->epoch + 1,
                                 .epochs = run->config->fit.epochs,
                                 .step = at->step,
                                 .steps = tr_run_describe(run).steps,
                                 .so_far = tr_engine_metrics(run->engine, &at->sums),
                                 .n_metrics = run->history.n_metrics,
                                 .names = run->history.names,
                                 .seconds = at->seconds,
                                 .images = at->sums.n};
    listener->on_step(listener->user, &event);
}

/* ReLU turns NaN into 0, so a finite loss alone does not prove finite weights. */
static tr_status save_good(tr_run *run, const tr_save_targets *targets, tr_error *err)
{
    if (!tr_model_is_finite(run->model))
        return diverged(run, "a weight", err);
    return tr_run_save(run, targets, NULL, err);
}

static tr_status save_on_request(tr_run *run, const tr_listener *listener, tr_control *control,
                                 tr_error *err)
{
    control->save = 0;
    TR_TRY(save_good(run, &last_only, err));
    TR_TRY(tr_saver_wait(run->saver, err));
    if (listener->on_saved != NULL)
        listener->on_saved(listener->user, tr_run_checkpoint_path(run), run->progress.iterations);
    return TR_OK;
}

/* Within an epoch; what follows its last step saves anyway. */
static tr_status save_if_due(tr_run *run, tr_error *err)
{
    const tr_checkpoint_config *rules = &run->config->checkpoint;
    const bool by_steps =
        rules->every_steps > 0 && tr_engine_iterations(run->engine) % rules->every_steps == 0;
    const bool by_time =
        rules->every_seconds > 0.0 && tr_clock_s() - run->saved_at >= rules->every_seconds;
    return by_steps || by_time ? save_good(run, &last_only, err) : TR_OK;
}

/* The steps of the epoch that are left; stops early, without an error, when asked to, and when the
 * time is up. */
static tr_status train_epoch(tr_run *run, const tr_listener *listener, tr_control *control,
                             tr_error *err)
{
    tr_progress *at = &run->progress;
    const int64_t steps = tr_run_describe(run).steps;
    const double begin = tr_clock_s() - at->seconds;
    TR_TRY(order_epoch(run, err));
    while (at->step < steps && !tr_run_time_is_up(run) && !control->stop) {
        TR_TRY(make_step(run, err));
        at->seconds = tr_clock_s() - begin;
        tell_step(run, listener);
        if (tr_saver_failed(run->saver))
            return tr_saver_wait(run->saver, err);
        if (control->save)
            TR_TRY(save_on_request(run, listener, control, err));
        if (at->step < steps)
            TR_TRY(save_if_due(run, err));
    }
    return tr_model_is_finite(run->model) ? TR_OK : diverged(run, "a weight", err);
}

/* ---- the end of an epoch ---- */

static tr_status validate(tr_run *run, tr_control *control, tr_epoch *log, tr_error *err)
{
    const double begin = tr_clock_s();
    const tr_measured what = {.samples = run->validation,
                              .index = run->split.n_validation > 0 ? run->split.validation : NULL,
                              .n = tr_run_describe(run).n_validation,
                              .chunk = tr_measure_chunk(run->config),
                              .stop = &control->stop};
    TR_TRY(tr_measure(run->engine, &what, &log->validation, err));
    log->validation_seconds = tr_clock_s() - begin;
    if (!control->stop && !isfinite(log->validation.loss))
        return diverged(run, "the validation loss", err);
    return TR_OK;
}

static tr_status add_to_history(tr_run *run, tr_epoch *log, tr_error *err)
{
    tr_progress *at = &run->progress;
    log->epoch = at->epoch + 1;
    log->train = tr_engine_metrics(run->engine, &at->sums);
    log->seconds = at->seconds;
    log->images_per_s = (double)at->sums.n / log->seconds;
    log->learning_rate = tr_engine_learning_rate(run->engine);
    if (tr_history_add(&run->history, log) != TR_OK)
        return tr_out_of_memory(err, NULL);
    *at = (tr_progress){.epoch = log->epoch};
    return TR_OK;
}

/* A report that cannot be written is less news than a checkpoint that cannot. */
static tr_status tell_epoch(const tr_run *run, const tr_listener *listener, tr_error *err)
{
    if (listener->on_epoch == NULL)
        return TR_OK;
    const tr_status status =
        listener->on_epoch(listener->user, &run->history, run->config->fit.epochs, err);
    if (status != TR_OK)
        TR_TRY(tr_saver_wait(run->saver, err));
    return status;
}

/* Before the epoch is saved, so that the files have the rate of the next step. */
static tr_status reduce_rate(tr_run *run, const tr_listener *listener, tr_error *err)
{
    if (!tr_model_callbacks(run->model)->plateau.monitor.on)
        return TR_OK;
    TR_TRY(tr_saver_wait(run->saver, err)); /* who reads the rates, too */
    if (!tr_model_reduce_rates(run->model, &run->history))
        return TR_OK;
    tr_engine_take_rates(run->engine);
    if (listener->on_rate != NULL)
        listener->on_rate(listener->user, run->history.n, tr_engine_learning_rate(run->engine));
    return TR_OK;
}

/* Validation, history, what follows from it, checkpoint, event. A stop during validation leaves the
 * epoch unfinished. */
static tr_status finish_epoch(tr_run *run, const tr_listener *listener, tr_control *control,
                              tr_error *err)
{
    tr_epoch log = {0};
    double best;
    TR_TRY(validate(run, control, &log, err));
    if (control->stop)
        return TR_OK;
    TR_TRY(add_to_history(run, &log, err));
    TR_TRY(reduce_rate(run, listener, err));
    const tr_history *history = &run->history;
    const tr_monitor *monitor = &tr_model_callbacks(run->model)->best;
    const tr_save_targets targets = {.epoch_ends = true,
                                     .is_best =
                                         tr_monitor_best(monitor, history, &best) == history->n,
                                     .keeps_weights = tr_run_restored_epoch(run) == history->n,
                                     .epoch = history->n,
                                     .keep = run->config->checkpoint.keep};
    TR_TRY(tr_run_save(run, &targets, NULL, err));
    return tell_epoch(run, listener, err);
}

/* ---- the end of the training ---- */

tr_status tr_stopped_by(int signal)
{
    return signal == SIGTERM ? TR_TERMINATED : signal == SIGHUP ? TR_HUNG_UP : TR_INTERRUPTED;
}

const char *tr_signal_name(int signal)
{
    return signal == SIGTERM ? "SIGTERM" : signal == SIGHUP ? "SIGHUP" : "SIGINT";
}

static tr_status stopped(tr_run *run, int signal, tr_error *err)
{
    const int64_t updates = tr_engine_iterations(run->engine);
    if (updates == 0) /* an earlier run's file is worth more than this */
        return tr_fail(err, tr_stopped_by(signal),
                       "stopped by %s before the first update: nothing to save",
                       tr_signal_name(signal));
    TR_TRY(tr_run_save(run, &last_only, NULL, err));
    TR_TRY(tr_saver_wait(run->saver, err));
    return tr_fail(err, tr_stopped_by(signal),
                   "stopped by %s in epoch %lld after %lld updates, which are saved in %s; "
                   "a resumed run goes on from there",
                   tr_signal_name(signal), (long long)run->progress.epoch + 1, (long long)updates,
                   tr_run_checkpoint_path(run));
}

/* Streamed images cannot be read any more, in a step that has not begun or in the validation: what
 * was trained until then is not lost. */
static tr_status lost_data(tr_run *run, tr_error *err)
{
    const int64_t updates = tr_engine_iterations(run->engine);
    const tr_error reason = err == NULL ? (tr_error){0} : *err;
    if (updates == 0 || !tr_model_is_finite(run->model))
        return TR_ERR_DATA;
    TR_TRY(tr_run_save(run, &last_only, NULL, err));
    TR_TRY(tr_saver_wait(run->saver, err));
    return tr_fail(err, TR_ERR_DATA,
                   "%.7000s; the training ended in epoch %lld after %lld updates, which are saved "
                   "in %s; a resumed run goes on from there",
                   reason.text, (long long)run->progress.epoch + 1, (long long)updates,
                   tr_run_checkpoint_path(run));
}

tr_status tr_run_fit(tr_run *run, const tr_listener *listener, tr_control *control, tr_error *err)
{
    if (!run->has_saved && !run->overwrites)
        TR_TRY(tr_run_check_folder(run->config, err));
    run->saved_at = tr_clock_s();
    while (!tr_run_is_over(run)) {
        tr_status status = train_epoch(run, listener, control, err);
        const bool whole = run->progress.step == tr_run_describe(run).steps;
        /* Half an epoch: the time is up. When asked to stop, stopped() saves. */
        if (status == TR_OK && !control->stop)
            status =
                whole ? finish_epoch(run, listener, control, err) : save_good(run, &last_only, err);
        if (status != TR_OK)
            return status == TR_ERR_DATA ? lost_data(run, err) : status;
        if (control->save)
            TR_TRY(save_on_request(run, listener, control, err));
        /* After a finished epoch too: what is asked during its report must not be lost. */
        if (control->stop)
            return stopped(run, control->stop, err);
    }
    return tr_run_finish(run, err);
}
