/* saver.c -- see saver.h. */
#include "saver.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint_write.h"
#include "file.h"
#include "h5.h"
#include "mem.h"

struct tr_saver {
    const char *folder;
    char *last, *best; /* paths */
    tr_snapshot *buffer;
    tr_save_targets targets;

    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool busy, quit; /* guarded by mutex, as the next two */
    tr_status status;
    tr_error err;
    atomic_bool failed;
};

/* ---- the thread ---- */

static char *epoch_path(const tr_saver *saver, int64_t epoch)
{
    char name[48];
    snprintf(name, sizeof name, "epoch_%04lld.h5", (long long)epoch);
    return tr_path_join(saver->folder, name);
}

/* Removes those that are not among the newest `keep` of this run, whoever left them. */
static void remove_old(const tr_saver *saver)
{
    const int64_t last = saver->targets.epoch, first = last - saver->targets.keep + 1;
    DIR *folder = opendir(saver->folder);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        long long epoch;
        if (sscanf(entry->d_name, "epoch_%lld.h5", &epoch) != 1)
            continue;
        char *path = tr_path_join(saver->folder, entry->d_name), *ours = epoch_path(saver, epoch);
        if (path != NULL && ours != NULL && strcmp(path, ours) == 0 &&
            (epoch < first || epoch > last))
            unlink(path);
        tr_free(path);
        tr_free(ours);
    }
    if (folder != NULL)
        closedir(folder);
}

static tr_status write_kept(const tr_saver *saver, const void *image, size_t n, tr_error *err)
{
    char *path = epoch_path(saver, saver->targets.epoch);
    const tr_status status =
        path == NULL ? tr_out_of_memory(err, NULL) : tr_file_write(path, image, n, err);
    tr_free(path);
    if (status == TR_OK)
        remove_old(saver);
    return status;
}

/* last.h5 comes last: a kill before it and the epoch is trained and all of this written again,
 * with the same bits. */
static tr_status write_files(const tr_saver *saver, tr_error *err)
{
    void *image = NULL;
    size_t n = 0;
    const tr_save_targets *targets = &saver->targets;
    tr_status status = tr_checkpoint_image(&image, &n, saver->buffer, err);
    if (status == TR_OK && targets->is_best)
        status = tr_file_write(saver->best, image, n, err);
    if (status == TR_OK && targets->epoch_ends && targets->keep > 0)
        status = write_kept(saver, image, n, err);
    if (status == TR_OK)
        status = tr_file_write(saver->last, image, n, err);
    tr_free(image);
    return status;
}

static void *serve(void *user)
{
    tr_saver *saver = user;
    pthread_mutex_lock(&saver->mutex);
    for (;;) {
        while (!saver->busy && !saver->quit)
            pthread_cond_wait(&saver->changed, &saver->mutex);
        if (!saver->busy)
            break;
        pthread_mutex_unlock(&saver->mutex);
        tr_error err = {0};
        const tr_status status = write_files(saver, &err);
        pthread_mutex_lock(&saver->mutex);
        saver->busy = false;
        if (status != TR_OK && saver->status == TR_OK) {
            saver->status = status;
            saver->err = err;
            atomic_store(&saver->failed, true);
        }
        pthread_cond_broadcast(&saver->changed);
    }
    pthread_mutex_unlock(&saver->mutex);
    return NULL;
}

/* ---- life ---- */

tr_status tr_saver_new(tr_saver **out, const char *folder, const tr_model *model, tr_error *err)
{
    tr_saver *saver = tr_alloc(1, sizeof *saver);
    if (saver == NULL)
        return tr_out_of_memory(err, NULL);
    saver->folder = folder;
    pthread_mutex_init(&saver->mutex, NULL);
    pthread_cond_init(&saver->changed, NULL);
    saver->last = tr_path_join(folder, "last.h5");
    saver->best = tr_path_join(folder, "best.h5");
    tr_status status = saver->last == NULL || saver->best == NULL
                           ? tr_out_of_memory(err, NULL)
                           : tr_snapshot_new(&saver->buffer, model, true, err);
    if (status == TR_OK)
        *out = saver;
    else
        tr_saver_free(saver);
    return status;
}

void tr_saver_free(tr_saver *saver)
{
    if (saver == NULL)
        return;
    if (saver->has_thread) {
        pthread_mutex_lock(&saver->mutex);
        saver->quit = true;
        pthread_cond_broadcast(&saver->changed);
        pthread_mutex_unlock(&saver->mutex);
        pthread_join(saver->thread, NULL);
    }
    pthread_cond_destroy(&saver->changed);
    pthread_mutex_destroy(&saver->mutex);
    tr_snapshot_free(saver->buffer);
    tr_free(saver->last);
    tr_free(saver->best);
    tr_free(saver);
}

const char *tr_saver_last_path(const tr_saver *saver)
{
    return saver->last;
}

/* ---- the training's side ---- */

tr_status tr_saver_wait(tr_saver *saver, tr_error *err)
{
    pthread_mutex_lock(&saver->mutex);
    while (saver->busy)
        pthread_cond_wait(&saver->changed, &saver->mutex);
    const tr_status status = saver->status;
    pthread_mutex_unlock(&saver->mutex);
    if (status != TR_ERR_IO)
        return status == TR_OK ? TR_OK : tr_fail(err, status, "%s", saver->err.text);
    return tr_fail(
        err, status, "%s%s", saver->err.text,
        access(saver->last, F_OK) == 0 ? "; last.h5 is there and whole, to be resumed from" : "");
}

/* Not before the first snapshot: a run that resumes reads a file first, in a child process
 * (base/child.h), and a thread that is just starting may hold a lock that the child would wait for.
 */
static tr_status start_thread(tr_saver *saver, tr_error *err)
{
    if (saver->has_thread)
        return TR_OK;
    tr_h5_quiet(); /* HDF5 starts here and not there: without memory it overflows its stack */
    if (pthread_create(&saver->thread, NULL, serve, saver) != 0)
        return tr_fail(err, TR_ERR_INTERNAL, "the thread that writes checkpoints cannot start");
    saver->has_thread = true;
    return TR_OK;
}

void tr_saver_keep(tr_saver *saver, float *best_weights, int64_t epoch)
{
    saver->buffer->best_weights = best_weights;
    saver->buffer->best_weights_epoch = epoch;
}

tr_status tr_saver_take(tr_saver *saver, tr_snapshot **buffer, tr_error *err)
{
    TR_TRY(tr_saver_wait(saver, err));
    TR_TRY(start_thread(saver, err));
    *buffer = saver->buffer;
    return TR_OK;
}

void tr_saver_put(tr_saver *saver, const tr_save_targets *targets)
{
    pthread_mutex_lock(&saver->mutex);
    saver->targets = *targets;
    saver->busy = true;
    pthread_cond_broadcast(&saver->changed);
    pthread_mutex_unlock(&saver->mutex);
}

bool tr_saver_failed(const tr_saver *saver)
{
    return atomic_load_explicit(&saver->failed, memory_order_relaxed);
}
