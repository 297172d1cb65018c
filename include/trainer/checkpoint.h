/* checkpoint.h -- the weights of a model as an HDF5 file in Keras's layout. */
#ifndef TRAINER_CHECKPOINT_H
#define TRAINER_CHECKPOINT_H

#include "trainer/model.h"
#include "trainer/status.h"

/* The files themselves are written by a run (trainer/fit.h). */

/* Reads the weights of a checkpoint, written here or by Keras, into the model: layers with weights
 * are matched in order, shapes must agree, as Keras does it, and so must the digest, where there is
 * one. TR_ERR_DATA names file, dataset and what was expected; the model is unchanged then. */
tr_status tr_checkpoint_read_weights(tr_model *model, const char *path, tr_error *err);

/* The effective configuration of the run that wrote the file, as INI text; free with tr_free().
 * TR_ERR_DATA where the file has none, as those of Keras. */
tr_status tr_checkpoint_read_config(char **text, const char *path, tr_error *err);

#endif
