/* training_state.h -- the group /trainer of a checkpoint: what a training needs to go on exactly
 * and Keras does not know.
 *
 *     /trainer                       format_version, epoch (finished), step (of the next one),
 *                                    iterations, n_samples, seconds (of the steps in the epoch at
 *                                    hand), best_epoch, best_value, dataset_digest, split_digest,
 *                                    machine, config (the effective INI text), config_digest,
 *                                    weights_digest, state_digest (of all this and the
 *                                    weights)
 *     /trainer/epoch_sums            float64 [1 + metrics]: of the loss and the metrics so far
 *     /trainer/history               float64 [epochs, columns], attribute columns
 *     /trainer/optimizer_weights     Keras 3's optimizer.variables: weight_names, datasets
 *     /trainer/training_weights      <layer>/<weight>; only where model_weights are an average
 */
#ifndef TR_TRAINING_STATE_H
#define TR_TRAINING_STATE_H

#include "h5.h"
#include "snapshot.h"

enum { TR_STATE_VERSION = 2 };

/* Writes the group. */
tr_status tr_training_state_write(hid_t file, const tr_snapshot *snapshot, tr_error *err);

/* A whole checkpoint of a run: weights and state, digests compared; in a child process. `model` is
 * built, and gets the weights that the training goes on from. TR_ERR_DATA: the file is damaged, or
 * has no training state, as those of Keras. */
tr_status tr_training_state_read(tr_snapshot **out, tr_model *model, const char *path,
                                 tr_error *err);

/* ---- shared by both directions ---- */

/* Columns of the history and their names, and one epoch as a row of them. */
enum { TR_MAX_COLUMNS = 2 * TR_MAX_METRICS + 9 };
int tr_history_columns(const tr_model *model, char names[TR_MAX_COLUMNS][64]);
void tr_history_to_row(const tr_epoch *epoch, int n_metrics, double row[TR_MAX_COLUMNS]);
void tr_history_from_row(tr_epoch *epoch, int n_metrics, const double row[TR_MAX_COLUMNS]);

/* Digest of everything in the group and the weights, with `config` as its text. */
tr_status tr_training_state_digest(const tr_snapshot *snapshot, const char *config, char text[33],
                                   tr_error *err);

#endif
