/* snapshot.h -- all that a checkpoint holds, as plain memory: weights, optimizer, progress.
 *
 * Taken between two steps and independent of the engine from then on, so that it can be written
 * while the training goes on. Values are in Keras's layout and order.
 */
#ifndef TR_SNAPSHOT_H
#define TR_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "metric_sums.h"
#include "trained.h"
#include "trainer/history.h"
#include "trainer/model.h"

/* Where a run stands. */
typedef struct tr_progress {
    int64_t epoch;      /* finished epochs */
    int64_t step;       /* steps made in the epoch at hand */
    int64_t iterations; /* steps made in all: Keras's optimizer.iterations */

    /* Of the epoch at hand, over the samples of its steps so far. */
    tr_sums sums;
    double seconds;

    /* The best finished epoch, by the value that [checkpoint] monitor names. */
    double best_value;
    int64_t best_epoch; /* 1-based; 0: none yet */
} tr_progress;

/* What a run was made of, so that it goes on with nothing else. "" where it is not known. */
typedef struct tr_identity {
    char dataset_digest[33]; /* of all images and targets that the training uses */
    char split_digest[33];   /* of the sample numbers of both parts, in order */
    char machine[128];       /* instruction set and oneDNN: the same bits only with the same */
} tr_identity;

typedef struct tr_snapshot {
    const tr_model *model; /* borrowed */
    int64_t n_values;      /* of all weights, one after the other */
    int64_t n_slot_values; /* likewise of those that are trained */
    int64_t *offsets;      /* [weights] where each begins ... */
    int64_t *slot_offsets; /* [weights] ... in a slot; -1: not trained */
    float *weights;        /* [n_values] */
    /* [n_values] what the training goes on from, where `weights` are their average (use_ema, after
     * the last epoch); else NULL. */
    float *training_weights;
    /* [n_values] those of the best epoch, for restore_best_weights; NULL: none are kept. */
    float *best_weights;
    int64_t best_weights_epoch;     /* 1-based */
    bool training;                  /* made with room for the state of an optimizer */
    int n_slots;                    /* of the weight that has the most; 0: none has any */
    float *slots[TR_MAX_ALL_SLOTS]; /* [n_slot_values] each */

    tr_progress progress;
    tr_identity identity;
    tr_epoch *epochs; /* [n_epochs] the history */
    int64_t n_epochs;
    char *config; /* of a snapshot that was read: INI text of the run that wrote it; else NULL */
} tr_snapshot;

/* Room for the weights of the model, which is built, and, with `training`, for the state of its
 * optimizer; all zero. */
tr_status tr_snapshot_new(tr_snapshot **out, const tr_model *model, bool training, tr_error *err);
void tr_snapshot_free(tr_snapshot *snapshot);

/* It has what its optimizer needs to go on: slots, or where that has none (plain SGD) the number of
 * steps made. */
bool tr_snapshot_has_state(const tr_snapshot *snapshot);

/* Weights of the model into the snapshot, and those that a training goes on from back. */
tr_status tr_snapshot_take_weights(tr_snapshot *snapshot, tr_error *err);
tr_status tr_snapshot_give_weights(const tr_snapshot *snapshot, tr_model *model, tr_error *err);

/* The weights that the snapshot holds are those of the best epoch so far. */
tr_status tr_snapshot_keep_best(tr_snapshot *snapshot, int64_t epoch, tr_error *err);

/* Into the model: values [n_values]. */
tr_status tr_snapshot_give_values(const float *values, tr_model *model, tr_error *err);

/* Place of weight i in every array [n_values]. */
int64_t tr_snapshot_offset(const tr_snapshot *snapshot, int weight);
/* Place in every slot of a weight that is trained; the others have none. */
int64_t tr_snapshot_slot_offset(const tr_snapshot *snapshot, int weight);
/* The slots of a weight, their number; 0 where it is not trained, or the snapshot has no state. */
int tr_snapshot_slots(const tr_snapshot *snapshot, int weight, tr_slot slots[TR_MAX_ALL_SLOTS]);

/* Digest of n values. */
tr_status tr_snapshot_digest(const float *values, int64_t n, char text[33], tr_error *err);

#endif
