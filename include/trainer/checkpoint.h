/* checkpoint.h -- the weights of a model as an HDF5 file in Keras's layout. */
#ifndef TRAINER_CHECKPOINT_H
#define TRAINER_CHECKPOINT_H

#include <stdint.h>

#include "trainer/model.h"
#include "trainer/status.h"

/* How far the run was when the file was written; kept in the group /trainer, which Keras ignores.
 */
typedef struct tr_progress {
    int64_t epoch;      /* finished epochs */
    int64_t iterations; /* updates made */
} tr_progress;

/* Writes `path`, whole or not at all (TR_ERR_IO, an earlier file is untouched):
 *
 *     /                              model_config, training_config (JSON), backend, keras_version
 *     /model_weights                 layer_names, backend, keras_version
 *     /model_weights/<layer>         weight_names
 *     /model_weights/<layer>/<layer>/<weight>:0
 *     /trainer                       format_version, epoch, iterations, weights_digest,
 *                                    config (the effective INI text)
 *
 * Kernels are (kh, kw, in, out), dense kernels (in, out), float32, contiguous. */
tr_status tr_checkpoint_write(const tr_model *model, tr_progress progress, const char *path,
                              tr_error *err);

/* Reads the weights of such a file, written here or by Keras, into the model: layers with weights
 * are matched in order, shapes must agree, as Keras does it, and so must the digest, where there is
 * one. TR_ERR_DATA names file, dataset and what was expected; the model is unchanged then. */
tr_status tr_checkpoint_read_weights(tr_model *model, const char *path, tr_error *err);

/* The effective configuration of the run that wrote the file, as INI text; free with tr_free().
 * TR_ERR_DATA where the file has none, as those of Keras. */
tr_status tr_checkpoint_read_config(char **text, const char *path, tr_error *err);

#endif
