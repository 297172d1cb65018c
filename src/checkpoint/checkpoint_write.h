/* checkpoint_write.h -- a snapshot as a whole-model HDF5 file of Keras.
 *
 *     /                              model_config, training_config (JSON), backend, keras_version;
 *                                    no training_config with Lamb, which no Keras finds there
 *     /model_weights                 layer_names, backend, keras_version
 *     /model_weights/<layer>         weight_names
 *     /model_weights/<layer>/<layer>/<weight>:0
 *     /optimizer_weights             only with [checkpoint] keras_optimizer = true
 *     /trainer                       what Keras does not know: training_state.h
 *
 * Kernels are (kh, kw, in, out), dense kernels (in, out), float32, contiguous.
 */
#ifndef TR_CHECKPOINT_WRITE_H
#define TR_CHECKPOINT_WRITE_H

#include "h5.h"
#include "snapshot.h"

/* What Keras reads of it, into a file that is open: all but optimizer_weights and trainer.
 * `training_config`: NULL where the model is not compiled. */
tr_status tr_whole_model_write(hid_t file, const tr_snapshot *snapshot, const char *model_config,
                               const char *training_config, tr_error *err);

/* The bytes of the file, released with tr_free(). */
tr_status tr_checkpoint_image(void **image, size_t *n, const tr_snapshot *snapshot, tr_error *err);

/* The file, whole or not at all (TR_ERR_IO: an earlier one is untouched). */
tr_status tr_checkpoint_write(const tr_snapshot *snapshot, const char *path, tr_error *err);

#endif
