/* save.c -- a run as a snapshot, and back: all that its next step depends on. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint_read.h"
#include "clock.h"
#include "earlier_run.h"
#include "file.h"
#include "mem.h"
#include "run_internal.h"
#include "trainer/checkpoint.h"

/* ---- out ---- */

static tr_status take_slots(tr_snapshot *snapshot, const tr_engine *engine, tr_error *err)
{
    tr_slot slots[TR_MAX_ALL_SLOTS];
    for (int i = 0; i < tr_model_n_weights(snapshot->model); i++)
        for (int slot = 0; slot < tr_snapshot_slots(snapshot, i, slots); slot++)
            TR_TRY(tr_engine_get_slot(engine, slot, i,
                                      snapshot->slots[slot] + tr_snapshot_slot_offset(snapshot, i),
                                      err));
    return TR_OK;
}

static tr_status take_history(tr_snapshot *snapshot, const tr_history *history, tr_error *err)
{
    tr_free(snapshot->epochs);
    snapshot->n_epochs = 0;
    snapshot->epochs = tr_alloc((size_t)history->n, sizeof *snapshot->epochs);
    if (snapshot->epochs == NULL)
        return tr_out_of_memory(err, NULL);
    for (; snapshot->n_epochs < history->n; snapshot->n_epochs++)
        snapshot->epochs[snapshot->n_epochs] = history->epochs[snapshot->n_epochs];
    return TR_OK;
}

static tr_status take_raw_weights(tr_snapshot *snapshot, const float *raw_weights, tr_error *err)
{
    tr_free(snapshot->training_weights);
    snapshot->training_weights = NULL;
    if (raw_weights == NULL)
        return TR_OK;
    const size_t n = (size_t)snapshot->n_values;
    snapshot->training_weights = tr_alloc(n, sizeof(float));
    if (snapshot->training_weights == NULL)
        return tr_out_of_memory(err, NULL);
    memcpy(snapshot->training_weights, raw_weights, n * sizeof(float));
    return TR_OK;
}

static tr_status hand_over(tr_run *run, const tr_save_targets *targets, const float *raw_weights,
                           tr_error *err)
{
    tr_snapshot *snapshot;
    TR_TRY(tr_saver_take(run->saver, &snapshot, err));
    if (!tr_folder_is_locked(run->config->output_directory, run->folder_lock))
        return tr_fail(err, TR_ERR_IO,
                       "output folder %s: was moved away while this run trained, and another is in "
                       "its place; no checkpoint was written there",
                       run->config->output_directory);
    run->progress.iterations = tr_engine_iterations(run->engine);
    run->progress.best_epoch = tr_monitor_best(&tr_model_callbacks(run->model)->best, &run->history,
                                               &run->progress.best_value);
    snapshot->progress = run->progress;
    snapshot->identity = run->identity;
    TR_TRY(tr_snapshot_take_weights(snapshot, err));
    if (targets->keeps_weights)
        TR_TRY(tr_snapshot_keep_best(snapshot, targets->epoch, err));
    TR_TRY(take_raw_weights(snapshot, raw_weights, err));
    TR_TRY(take_slots(snapshot, run->engine, err));
    TR_TRY(take_history(snapshot, &run->history, err));
    tr_saver_put(run->saver, targets);
    run->saved_at = tr_clock_s();
    run->has_saved = true;
    return TR_OK;
}

static tr_status write_config(const tr_run *run, tr_error *err)
{
    char *path = tr_path_join(run->config->output_directory, "config.ini");
    const tr_status status =
        path == NULL ? tr_out_of_memory(err, NULL) : tr_config_write(run->config, path, err);
    tr_free(path);
    return status;
}

/* last.h5 lands first: before, all is of the earlier run, and after, nothing is. */
static tr_status take_its_place(tr_run *run, const tr_save_targets *targets,
                                const float *raw_weights, tr_error *err)
{
    /* Not the others yet; but a kill behind it must find the best weights. */
    const tr_save_targets last_only = {.keeps_weights = targets->keeps_weights,
                                       .epoch = targets->epoch};
    const char *folder = run->config->output_directory;
    TR_TRY(tr_earlier_condemn(folder, err));
    tr_status status = hand_over(run, &last_only, raw_weights, err);
    if (status == TR_OK)
        status = tr_saver_wait(run->saver, err);
    tr_error lost; /* the first failure says more */
    const tr_status settled = tr_earlier_settle(folder, status == TR_OK ? err : &lost);
    run->overwrites = false;
    return status == TR_OK ? settled : status;
}

tr_status tr_run_save(tr_run *run, const tr_save_targets *targets, const float *raw_weights,
                      tr_error *err)
{
    if (run->overwrites)
        TR_TRY(take_its_place(run, targets, raw_weights, err));
    TR_TRY(hand_over(run, targets, raw_weights, err));
    if (run->has_config)
        return TR_OK;
    TR_TRY(tr_saver_wait(run->saver, err));
    TR_TRY(write_config(run, err));
    run->has_config = true;
    return TR_OK;
}

/* ---- back ---- */

static tr_status check_identity(const tr_run *run, const tr_identity *then, const char *path,
                                tr_error *err)
{
    const tr_identity *now = &run->identity;
    if (strcmp(now->dataset_digest, then->dataset_digest) != 0)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: cannot be resumed with other data: the training and validation images "
                       "and labels had the digest %s, those of %s have %s; give the dataset that "
                       "it was trained on, or train anew",
                       path, then->dataset_digest, run->config->data.file, now->dataset_digest);
    if (strcmp(now->split_digest, then->split_digest) != 0)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: cannot be resumed: its split into training and validation samples was "
                       "another (digest %s, now %s)",
                       path, then->split_digest, now->split_digest);
    return TR_OK;
}

static tr_status check_progress(const tr_run *run, const tr_progress *at, const char *path,
                                tr_error *err)
{
    const int64_t steps = tr_run_describe(run).steps, epochs = run->config->fit.epochs;
    if (at->epoch > epochs || (at->epoch == epochs && at->step > 0))
        return tr_fail(
            err, TR_ERR_CONFIG,
            "%s: has %lld epochs and %lld steps behind it, more than [fit] epochs = %lld; "
            "ask for at least %lld, or train anew",
            path, (long long)at->epoch, (long long)at->step, (long long)epochs,
            (long long)at->epoch + (at->step > 0));
    if (at->epoch >= 0 && at->step >= 0 && at->step <= steps &&
        at->iterations == at->epoch * steps + at->step)
        return TR_OK;
    return tr_fail(err, TR_ERR_DATA,
                   "%s: epoch %lld, step %lld and %lld updates do not go together with %lld steps "
                   "per epoch: the file is damaged",
                   path, (long long)at->epoch, (long long)at->step, (long long)at->iterations,
                   (long long)steps);
}

static tr_status give_slots(const tr_snapshot *snapshot, tr_engine *engine, tr_error *err)
{
    tr_slot slots[TR_MAX_ALL_SLOTS];
    for (int i = 0; i < tr_model_n_weights(snapshot->model); i++)
        for (int slot = 0; slot < tr_snapshot_slots(snapshot, i, slots); slot++)
            TR_TRY(tr_engine_set_slot(engine, slot, i,
                                      snapshot->slots[slot] + tr_snapshot_slot_offset(snapshot, i),
                                      err));
    return TR_OK;
}

/* [early_stopping] may say something else than when they were kept. */
static tr_status keep_best(tr_run *run, tr_snapshot *snapshot, const char *path, tr_error *err)
{
    const int64_t wanted = tr_run_restored_epoch(run), kept = snapshot->best_weights_epoch;
    if (wanted == 0)
        return TR_OK;
    if (wanted != kept)
        return tr_fail(err, TR_ERR_CONFIG,
                       "%s: cannot be resumed with this [early_stopping]: restore_best_weights "
                       "would go back to epoch %lld, and the weights of %s were kept; change it "
                       "back, or take restore_best_weights away",
                       path, (long long)wanted, kept == 0 ? "no epoch" : "another one");
    tr_saver_keep(run->saver, snapshot->best_weights, kept);
    snapshot->best_weights = NULL;
    return TR_OK;
}

static tr_status restore(tr_run *run, tr_snapshot *snapshot, const char *path, tr_error *err)
{
    TR_TRY(give_slots(snapshot, run->engine, err));
    tr_engine_set_iterations(run->engine, snapshot->progress.iterations);
    tr_engine_take_rates(run->engine);
    run->progress = snapshot->progress;
    for (int64_t i = 0; i < snapshot->n_epochs; i++)
        if (tr_history_add(&run->history, &snapshot->epochs[i]) != TR_OK)
            return tr_out_of_memory(err, NULL);
    run->has_saved = true;
    run->overwrites = false;
    return keep_best(run, snapshot, path, err);
}

/* A kill came between the last.h5 that took an earlier run's place and its best.h5: they are the
 * same file. */
static tr_status restore_best(const char *last, const char *best, tr_error *err)
{
    struct stat info;
    const int fd = open(last, O_RDONLY | O_CLOEXEC);
    void *bytes = fd < 0 || fstat(fd, &info) != 0 ? NULL : tr_alloc((size_t)info.st_size, 1);
    tr_status status = TR_OK;
    if (bytes != NULL && pread(fd, bytes, (size_t)info.st_size, 0) == info.st_size)
        status = tr_file_write(best, bytes, (size_t)info.st_size, err);
    tr_free(bytes);
    if (fd >= 0)
        close(fd);
    return status;
}

/* [checkpoint] monitor may be another now, and the folder another one. */
static tr_status describe_best(tr_resumed *out, const tr_run *run, const tr_snapshot *snapshot,
                               const char *path, tr_error *err)
{
    double value;
    tr_status status = TR_OK;
    char *best = tr_path_join(run->config->output_directory, "best.h5");
    if (best == NULL)
        return tr_out_of_memory(err, NULL);
    out->best_epoch = tr_monitor_best(&tr_model_callbacks(run->model)->best, &run->history, &value);
    const bool is_this = out->best_epoch == out->epoch && out->epoch > 0 && out->step == 0;
    if (access(best, F_OK) != 0 && is_this)
        status = restore_best(path, best, err);
    out->best_is_there =
        out->best_epoch == snapshot->progress.best_epoch && access(best, F_OK) == 0;
    tr_free(best);
    return status;
}

/* A file of Keras has a configuration, too, but one that is made up where the job should be. */
static tr_status check_job(const tr_run *run, const char *path, tr_error *err)
{
    tr_checkpoint_info then;
    TR_TRY(tr_checkpoint_describe(&then, path, err));
    const tr_status status =
        then.of_trainer
            ? tr_check_same_job(run->config, then.config, path, err)
            : tr_fail(
                  err, TR_ERR_DATA,
                  "%s: cannot be resumed: it has no training state (/trainer), as files that "
                  "Keras wrote; to train on from its weights: [fit] initial_weights = %s in a new "
                  "run",
                  path, path);
    tr_checkpoint_info_release(&then);
    return status;
}

/* What to do about a file that cannot be read, whatever is wrong with it. */
static tr_status advise(tr_status status, tr_error *err)
{
    if (status != TR_ERR_DATA || err == NULL)
        return status;
    const tr_error reason = *err;
    return tr_fail(err, status,
                   "%.7000s\nto go on from another checkpoint (best.h5, epoch_NNNN.h5), put it in "
                   "its place, or train anew",
                   reason.text);
}

tr_status tr_run_resume(tr_run *run, const char *path, tr_resumed *out, tr_error *err)
{
    tr_snapshot *snapshot = NULL;
    tr_status status = check_job(run, path, err);
    if (status == TR_OK)
        status = tr_checkpoint_read(&snapshot, run->model, path, TR_READ_STATE, err);
    if (status != TR_OK)
        return advise(status, err);
    status = check_identity(run, &snapshot->identity, path, err);
    if (status == TR_OK)
        status = check_progress(run, &snapshot->progress, path, err);
    if (status == TR_OK)
        status = restore(run, snapshot, path, err);
    if (status == TR_OK) {
        *out = (tr_resumed){.epoch = snapshot->progress.epoch,
                            .step = snapshot->progress.step,
                            .iterations = snapshot->progress.iterations};
        if (strcmp(snapshot->identity.machine, run->identity.machine) != 0)
            snprintf(out->other_machine, sizeof out->other_machine, "%s",
                     snapshot->identity.machine);
        out->history = &run->history;
        status = describe_best(out, run, snapshot, path, err);
    }
    tr_snapshot_free(snapshot);
    return status;
}
