/* checkpoint_write.h -- a snapshot as a whole-model HDF5 file of Keras.
 *
 *     /                              model_config, training_config (JSON), backend, keras_version
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

#include "snapshot.h"

/* The bytes of the file, released with tr_free(). */
tr_status tr_checkpoint_image(void **image, size_t *n, const tr_snapshot *snapshot, tr_error *err);

/* The file, whole or not at all (TR_ERR_IO: an earlier one is untouched). */
tr_status tr_checkpoint_write(const tr_snapshot *snapshot, const char *path, tr_error *err);

#endif
