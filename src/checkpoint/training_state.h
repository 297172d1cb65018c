/* training_state.h -- the group /trainer of a checkpoint: what a training needs to go on exactly
 * and Keras does not know.
 *
 *     /trainer                       format_version, epoch (finished), step (of the next one),
 *                                    iterations, n_samples, seconds (of the steps in the epoch at
 *                                    hand), best_epoch, best_value, dataset_digest, split_digest,
 *                                    machine, config (the effective INI text), config_digest,
 *                                    weights_digest, state_digest (of all this and the
 *                                    weights)
 *     /trainer/epoch_sums            float64 [1 + sums]: of the loss and the metrics so far
 *     /trainer/history               float64 [epochs, columns], attribute columns
 *     /trainer/optimizer_weights     Keras 3's optimizer.variables: weight_names, datasets
 *     /trainer/training_weights      <layer>/<weight>; only where model_weights are an average, or
 *                                    those of the best epoch
 *     /trainer/best_weights          likewise, for restore_best_weights, with the attribute
 *                                    best_weights_epoch of /trainer; only that where they are
 *                                    model_weights
 *     /trainer/class_names, ...      what the dataset said of itself, if anything: h5_legend.h; no
 *                                    part of the digest, as nothing is computed from it
 *
 * Its arrays are read by checkpoint_read.c, beside the weights.
 */
#ifndef TR_TRAINING_STATE_H
#define TR_TRAINING_STATE_H

#include "h5_file.h"
#include "snapshot.h"

/* CONFIG_MAX: as much as an INI file may have. */
enum { TR_STATE_VERSION = 2, TR_STATE_CONFIG_MAX = 1 << 20 };
#define TR_STATE_VARIABLES "trainer/optimizer_weights"
#define TR_STATE_TRAINING_WEIGHTS "training_weights"
#define TR_STATE_BEST_WEIGHTS "best_weights"
#define TR_STATE_BEST_EPOCH "best_weights_epoch"

/* The attributes. */
typedef struct tr_training_state {
    tr_progress progress; /* but for the sums, which are an array */
    tr_identity identity;
    int64_t best_weights_epoch; /* 0: none are kept */
    char weights_digest[33];    /* "": none is written */
    char state_digest[33];
} tr_training_state;

/* Writes the group. */
tr_status tr_training_state_write(hid_t file, const tr_snapshot *snapshot, tr_error *err);

/* The attributes of the group, and its configuration into `config`. In a child process;
 * TR_ERR_DATA: it is damaged, or of another version. */
tr_status tr_training_state_read(tr_training_state *state, char config[TR_STATE_CONFIG_MAX],
                                 const tr_h5_file *file, tr_error *err);

/* The digest of the weights that were written with the group; "": it has none. */
tr_status tr_training_state_read_digest(char text[33], const tr_h5_file *file, tr_error *err);

/* Every text of the state ends, whatever a reader left there. */
void tr_training_state_end_texts(tr_training_state *state);

/* Digest of everything in the group and the weights, with `config` as its text. */
tr_status tr_training_state_digest(const tr_snapshot *snapshot, const char *config, char text[33],
                                   tr_error *err);

#endif
