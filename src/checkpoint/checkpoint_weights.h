/* checkpoint_weights.h -- the weights in a file, matched with those of a model.
 *
 * As Keras does it: layers that have weights are matched in order, or by their keys, where the file
 * has keys; names are not compared, shapes must agree, and neither side has more than the other.
 * Kernels of Keras on Theano are turned around.
 */
#ifndef TR_CHECKPOINT_WEIGHTS_H
#define TR_CHECKPOINT_WEIGHTS_H

#include "checkpoint_file.h"
#include "snapshot.h"

/* One weight of the model from an array of the file, into its own values. Likewise. */
tr_status tr_checkpoint_weight_read(float *values, const tr_model *model, int weight,
                                    const tr_checkpoint_file *file, size_t array, tr_error *err);

/* Into values[snapshot->n_values], of the snapshot's model. In a child process. */
tr_status tr_checkpoint_weights_read(float *values, const tr_snapshot *snapshot,
                                     const tr_checkpoint_file *file, tr_error *err);

#endif
