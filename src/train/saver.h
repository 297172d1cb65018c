/* saver.h -- checkpoints written in the background, while the training goes on.
 *
 * One snapshot buffer and one thread. The training fills the buffer between two steps, a copy of
 * a few milliseconds, and hands it over; making the HDF5 file of it, writing, flushing and renaming
 * happen in the thread. The training waits only when the snapshot before is not yet on disk.
 *
 * HDF5 is used by one thread at a time: between tr_saver_put() and the next tr_saver_wait() that
 * is the saver's.
 */
#ifndef TR_SAVER_H
#define TR_SAVER_H

#include "snapshot.h"

typedef struct tr_saver tr_saver;

/* Where a snapshot goes, in this order, each file whole or not at all. */
typedef struct tr_save_targets {
    bool epoch_ends;    /* else last.h5 alone */
    bool is_best;       /* best.h5, too */
    bool keeps_weights; /* its weights stay in it as the best ones, for restore_best_weights */
    int64_t epoch;      /* its number, for keep; 1-based */
    int64_t keep;       /* the newest so many epoch_NNNN.h5 stay; 0: none are made */
} tr_save_targets;

/* Files go to `folder`, which is borrowed as `model` is. */
tr_status tr_saver_new(tr_saver **out, const char *folder, const tr_model *model, tr_error *err);
/* Waits for the snapshot at work. NULL is fine. */
void tr_saver_free(tr_saver *saver);

const char *tr_saver_last_path(const tr_saver *saver); /* <folder>/last.h5 */

/* Before the first snapshot: the weights that an earlier one kept, which are taken over. */
void tr_saver_keep(tr_saver *saver, float *best_weights, int64_t epoch);

/* The buffer to fill, once the snapshot before is on disk; fails as that failed (TR_ERR_IO). */
tr_status tr_saver_take(tr_saver *saver, tr_snapshot **buffer, tr_error *err);
/* Hands the filled buffer over. */
void tr_saver_put(tr_saver *saver, const tr_save_targets *targets);

/* Whether a snapshot could not be written, without waiting; cheap enough for every step. */
bool tr_saver_failed(const tr_saver *saver);
/* Until the snapshot at work is on disk; fails as it failed. */
tr_status tr_saver_wait(tr_saver *saver, tr_error *err);

#endif
