/* export.h -- a checkpoint as what Keras 3's save_weights() and save() write, or for Keras 2. */
#ifndef TR_EXPORT_H
#define TR_EXPORT_H

#include "h5.h"
#include "keras_json.h"
#include "snapshot.h"

/* A .weights.h5 file, whole or not at all:
 *
 *     /vars                             empty
 *     /layers/<class>_<k>/vars/0, 1, .. conv2d, conv2d_1, ...: numbered per class in model order
 *     /optimizer/vars/0, 1, ..          optimizer_list.h; where the snapshot has them
 *     /optimizer/optimizers/<class>_<k>/vars/0, 1, ..    each of several once more
 *
 * Keras 3.3 wants the empty `vars` too. `name` on each of them is what Keras 3.9 writes. */
tr_status tr_export_weights(const tr_snapshot *snapshot, const char *path, tr_error *err);

/* The same into an HDF5 file that is open: tr_h5_write_file() and tr_h5_make_image() call it. */
tr_status tr_export_fill_weights(const void *snapshot, hid_t file, tr_error *err);

/* A .keras file: a ZIP of metadata.json, config.json and model.weights.h5. The same snapshot gives
 * the same bytes. `source`: of a model that is from a file of Keras, else NULL. */
tr_status tr_export_keras(const tr_snapshot *snapshot, const tr_keras_source *source,
                          const char *path, tr_error *err);

/* A whole-model HDF5 file for Keras 2.11 to 2.15 and tf_keras, with its own form of the optimizer
 * and, where the snapshot has it, the optimizer's state in its order. Without loss, optimizer and
 * metrics where Keras 2 lacks one (keras_limits.h); TR_ERR_CONFIG where it would predict something
 * else. */
tr_status tr_export_keras2(const tr_snapshot *snapshot, const tr_keras_source *source,
                           const char *path, tr_error *err);

#endif
