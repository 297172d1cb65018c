/* fit.c -- Keras's fit(): epochs of shuffled batches, validation, a checkpoint after each epoch.
 *
 * Epoch logs are Keras's: the training loss and accuracy are means over the samples of the epoch,
 * each measured under the weights before its step; validation is measured after the epoch.
 */
#include <math.h>
#include <string.h>

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
    const double begin = tr_now_s();
    order_epoch(run, epoch);
    for (int64_t step = 0; step < steps && !*stop; step++) {
        const int64_t first = step * batch, left = n - first;
        tr_sums sums;
        TR_TRY(tr_engine_step(run->engine, tr_dataset_train(run->dataset), run->order + first,
                              left < batch ? left : batch, &sums, err));
        if (!isfinite(sums.loss))
            return tr_fail(err, TR_ERR_NUMERIC,
                           "the loss is %g in epoch %lld, step %lld: training diverged; try a "
                           "smaller [optimizer] learning_rate, and check [data] scale; %s holds "
                           "the last finished epoch, if there was one",
                           sums.loss, (long long)epoch + 1, (long long)step + 1,
                           run->checkpoint_path);
        total.loss += sums.loss;
        total.hits += sums.hits;
        total.n += sums.n;
        log->train = tr_metrics_of(&total);
        log->seconds = tr_now_s() - begin;
        if (listener->on_step != NULL)
            listener->on_step(listener->user, &(tr_step_event){.epoch = epoch + 1,
                                                               .epochs = run->config->fit.epochs,
                                                               .step = step + 1,
                                                               .steps = steps,
                                                               .so_far = log->train,
                                                               .seconds = log->seconds,
                                                               .images = total.n});
    }
    log->images_per_s = (double)total.n / log->seconds;
    return TR_OK;
}

static tr_status finish_epoch(tr_run *run, int64_t epoch, const tr_listener *listener,
                              tr_epoch *log, tr_error *err)
{
    const double begin = tr_now_s();
    TR_TRY(tr_measure(run->engine, tr_dataset_train(run->dataset), run->split.validation,
                      run->split.n_validation, run->config->evaluate_batch_size, &log->validation,
                      err));
    log->validation_seconds = tr_now_s() - begin;
    log->learning_rate = run->optimizer->learning_rate;
    if (tr_history_add(&run->history, log) != TR_OK)
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory");
    TR_TRY(save(run, epoch + 1, err));
    if (listener->on_epoch != NULL)
        return listener->on_epoch(listener->user, &run->history, run->config->fit.epochs, err);
    return TR_OK;
}

tr_status tr_run_fit(tr_run *run, const tr_listener *listener, const volatile sig_atomic_t *stop,
                     tr_error *err)
{
    for (int64_t epoch = 0; epoch < run->config->fit.epochs; epoch++) {
        tr_epoch log = {.epoch = epoch + 1};
        TR_TRY(train_epoch(run, epoch, listener, stop, &log, err));
        if (*stop) {
            TR_TRY(save(run, epoch, err));
            return tr_fail(err, *stop == SIGTERM ? TR_TERMINATED : TR_INTERRUPTED,
                           "stopped by signal %d in epoch %lld after %lld updates; the weights "
                           "are saved in %s",
                           (int)*stop, (long long)epoch + 1,
                           (long long)tr_engine_iterations(run->engine), run->checkpoint_path);
        }
        TR_TRY(finish_epoch(run, epoch, listener, &log, err));
    }
    return TR_OK;
}
