/* fit.c -- Keras's fit(): epochs of shuffled batches, validation, a checkpoint after each epoch.
 *
 * Epoch logs are Keras's: the training loss and metrics are means over the samples of the epoch,
 * each measured under the weights before its step; validation is measured after the epoch.
 */
#include <math.h>
#include <string.h>

#include "clock.h"
#include "order.h"
#include "run_internal.h"
#include "trainer/checkpoint.h"

static void order_epoch(tr_run *run, int64_t epoch)
{
    const tr_fit_config *fit = &run->config->fit;
    if (fit->shuffle)
        tr_order_shuffled(run->order, run->split.train, run->split.n_train, (uint64_t)fit->seed,
                          (uint32_t)epoch);
    else
        memcpy(run->order, run->split.train, (size_t)run->split.n_train * sizeof *run->order);
}

/* Where the last good weights are, for a message. */
static const char *good_weights(const tr_run *run)
{
    return run->history.n > 0 ? run->checkpoint_path : "no file, since no epoch was finished";
}

static tr_status diverged(const tr_run *run, int64_t epoch, int64_t step, const char *what,
                          tr_error *err)
{
    return tr_fail(err, TR_ERR_NUMERIC,
                   "%s is not a finite number in epoch %lld, step %lld: training diverged; try a "
                   "smaller [optimizer] learning_rate, and check [data] scale; the weights of the "
                   "last finished epoch are in %s",
                   what, (long long)epoch + 1, (long long)step, good_weights(run));
}

/* For finite weights only, which train_epoch() has seen to: good ones may lie at that path. */
static tr_status save(tr_run *run, int64_t finished_epochs, tr_error *err)
{
    const tr_progress progress = {.epoch = finished_epochs,
                                  .iterations = tr_engine_iterations(run->engine)};
    return tr_checkpoint_write(run->model, progress, run->checkpoint_path, err);
}

/* All steps of one epoch (0-based); stops early, without an error, when *stop is set. */
static tr_status train_epoch(tr_run *run, int64_t epoch, const tr_listener *listener,
                             const volatile sig_atomic_t *stop, tr_epoch *log, tr_error *err)
{
    const int64_t batch = run->config->fit.batch_size, n = run->split.n_train;
    const int64_t steps = (n + batch - 1) / batch;
    tr_sums total = {0};
    const double begin = tr_clock_s();
    order_epoch(run, epoch);
    for (int64_t step = 0; step < steps && !*stop; step++) {
        const int64_t first = step * batch, left = n - first;
        tr_sums sums;
        TR_TRY(tr_engine_step(run->engine, tr_dataset_train(run->dataset), run->order + first,
                              left < batch ? left : batch, &sums, err));
        if (!isfinite(sums.loss))
            return diverged(run, epoch, step + 1, "the loss", err);
        tr_sums_add(&total, &sums);
        log->train = tr_metrics_of(&total);
        log->seconds = tr_clock_s() - begin;
        if (listener->on_step != NULL)
            listener->on_step(listener->user, &(tr_step_event){.epoch = epoch + 1,
                                                               .epochs = run->config->fit.epochs,
                                                               .step = step + 1,
                                                               .steps = steps,
                                                               .so_far = log->train,
                                                               .n_metrics = run->history.n_metrics,
                                                               .names = run->history.names,
                                                               .seconds = log->seconds,
                                                               .images = total.n});
    }
    log->images_per_s = (double)total.n / log->seconds;
    /* ReLU turns NaN into 0, so a finite loss alone does not prove finite weights. */
    return tr_model_is_finite(run->model) ? TR_OK : diverged(run, epoch, steps, "a weight", err);
}

/* Validation, history, checkpoint, event. A stop during validation leaves the epoch unfinished. */
static tr_status finish_epoch(tr_run *run, int64_t epoch, const tr_listener *listener,
                              const volatile sig_atomic_t *stop, tr_epoch *log, tr_error *err)
{
    const double begin = tr_clock_s();
    const tr_measured what = {.samples = run->validation,
                              .index = run->split.n_validation > 0 ? run->split.validation : NULL,
                              .n = tr_run_describe(run).n_validation,
                              .chunk = tr_measure_chunk(run->config),
                              .stop = stop};
    TR_TRY(tr_measure(run->engine, &what, &log->validation, err));
    if (*stop)
        return TR_OK;
    if (!isfinite(log->validation.loss))
        return diverged(run, epoch, tr_run_describe(run).steps, "the validation loss", err);
    log->validation_seconds = tr_clock_s() - begin;
    log->learning_rate = tr_engine_learning_rate(run->engine);
    if (tr_history_add(&run->history, log) != TR_OK)
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory");
    TR_TRY(save(run, epoch + 1, err));
    if (listener->on_epoch != NULL)
        return listener->on_epoch(listener->user, &run->history, run->config->fit.epochs, err);
    return TR_OK;
}

static tr_status stopped(tr_run *run, int64_t epoch, int signal, tr_error *err)
{
    const tr_status status = signal == SIGTERM ? TR_TERMINATED : TR_INTERRUPTED;
    if (tr_engine_iterations(run->engine) == 0) /* an earlier run's file is worth more than this */
        return tr_fail(err, status,
                       "stopped by signal %d before the first update; nothing is saved", signal);
    TR_TRY(save(run, epoch, err));
    return tr_fail(err, status,
                   "stopped by signal %d in epoch %lld after %lld updates; the weights are saved "
                   "in %s",
                   signal, (long long)epoch + 1, (long long)tr_engine_iterations(run->engine),
                   run->checkpoint_path);
}

tr_status tr_run_fit(tr_run *run, const tr_listener *listener, const volatile sig_atomic_t *stop,
                     tr_error *err)
{
    for (int64_t epoch = 0; epoch < run->config->fit.epochs; epoch++) {
        tr_epoch log = {.epoch = epoch + 1};
        TR_TRY(train_epoch(run, epoch, listener, stop, &log, err));
        if (!*stop)
            TR_TRY(finish_epoch(run, epoch, listener, stop, &log, err));
        /* After a finished epoch too: what is asked during its report must not be lost. */
        if (*stop)
            return stopped(run, run->history.n, *stop, err);
    }
    return tr_engine_finish(run->engine) ? save(run, run->history.n, err) : TR_OK;
}
