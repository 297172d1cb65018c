/* keras_file.h -- a model's file of any kind that Keras or trainer writes, opened.
 *
 *     .h5          whole model: attributes model_config, training_config; /model_weights
 *     .h5          save_weights() of Keras 2: the layout of /model_weights at the root
 *     .weights.h5  weights alone, Keras 3 and 2.13: /layers/<key>/vars/<number>
 *     .keras       ZIP of config.json, metadata.json, model.weights.h5
 *
 * What it is follows from what it contains, not from its name. For a child process (base/child.h).
 */
#ifndef TR_KERAS_FILE_H
#define TR_KERAS_FILE_H

#include <jansson.h>

#include "h5_file.h"
#include "trainer/status.h"

typedef struct tr_keras_file {
    const char *path; /* borrowed */
    tr_h5_file file;  /* path NULL: a .keras opened for its configuration */
    hid_t h5;         /* of `file` */
    json_t *model;    /* {"class_name": ..., "config": ...}; NULL: none */
    json_t *training; /* training_config or compile_config; NULL: none */
    char version[32]; /* of Keras; "": not told */
} tr_keras_file;

/* TR_ERR_DATA where it is neither HDF5 nor ZIP, or damaged. Close it also then. */
tr_status tr_keras_file_open_config(tr_keras_file *file, const char *path, tr_error *err);
tr_status tr_keras_file_open_weights(tr_keras_file *file, const char *path, tr_error *err);
void tr_keras_file_close(tr_keras_file *file);

#endif
