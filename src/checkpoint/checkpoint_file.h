/* checkpoint_file.h -- a file with the weights of a model, open, and the outline of what it holds.
 *
 * The one place where such a file is opened for its numbers, in a child process (base/child.h).
 * Files have one of three layouts; the outline is the same for all, and who reads asks it:
 *
 *     listed   /model_weights, or of save_weights() of Keras 2 the root: layer_names, in Keras's
 *              order; in each layer's group weight_names
 *     keyed    /layers, of Keras 2 /_layer_checkpoint_dependencies: <key>/vars/0, 1, ... (keys are
 *              those of keras/keras_keys.h); such a file does not tell the order of its layers
 *     neither  no model's
 *
 * Names and arrays are reached through base/h5_file.h and base/h5_array.h only: nothing in a model
 * leads out of its file, and what was never written is not read as zeros.
 */
#ifndef TR_CHECKPOINT_FILE_H
#define TR_CHECKPOINT_FILE_H

#include "keras_file.h"

typedef enum tr_weights_layout {
    TR_WEIGHTS_NONE,
    TR_WEIGHTS_LISTED,
    TR_WEIGHTS_KEYED /* the layers are sorted by name */
} tr_weights_layout;

typedef struct tr_file_array {
    char *path;       /* "model_weights/conv1/conv1/kernel:0" */
    const char *name; /* its end, as the file lists it: "conv1/kernel:0", "vars/0" */
} tr_file_array;

typedef struct tr_file_arrays {
    tr_file_array *items;
    size_t n;
} tr_file_arrays;

typedef struct tr_file_layer {
    char *name;
    size_t first, n; /* its weights */
} tr_file_layer;

typedef struct tr_checkpoint_file {
    tr_keras_file keras;
    tr_weights_layout layout;
    tr_file_layer *layers;
    size_t n_layers;
    tr_file_arrays weights; /* layer by layer */
    bool of_trainer;        /* there is the group /trainer (training_state.h) */
    bool of_theano;         /* whose convolutions turn their kernels around */
} tr_checkpoint_file;

/* Opens the file, or the one inside of a .keras, and lists its layers and weights. Close it also on
 * failure (TR_ERR_DATA). */
tr_status tr_checkpoint_file_open(tr_checkpoint_file *file, const char *path, tr_error *err);
void tr_checkpoint_file_close(tr_checkpoint_file *file);

/* The variables of an optimizer: those that the group `path` lists in its weight_names, or, where
 * it has none, the arrays 0, 1, ... in it; none where there is no such group. Release also on
 * failure.
 */
tr_status tr_checkpoint_file_variables(tr_file_arrays *variables, const tr_checkpoint_file *file,
                                       const char *path, tr_error *err);
void tr_file_arrays_release(tr_file_arrays *arrays);

/* Whether the array at `path` has the shape dims[n_dims]; `shape`, of TR_H5_TEXT: what it is,
 * "float32 [3, 3, 1, 32]". */
tr_status tr_checkpoint_file_fits(bool *fits, char *shape, const tr_checkpoint_file *file,
                                  const char *path, int n_dims, const int64_t *dims, tr_error *err);

/* "[3, 3, 1, 32]" */
void tr_shape_text(char *text, size_t n, int n_dims, const int64_t *dims);

/* All values of the array at `path`, converted to `memory_type`, where its shape is dims[n_dims]:
 * that of `whose`. */
tr_status tr_checkpoint_file_read(void *values, const tr_checkpoint_file *file, const char *path,
                                  int n_dims, const int64_t *dims, hid_t memory_type,
                                  const char *whose, tr_error *err);

#endif
