/* keras_nesting.h -- where a file whose model has models among its layers keeps their weights.
 *
 * Such a model is taken apart when it is read (keras_graph.c), but its weights lie as Keras saw it:
 * in .keras files in groups inside the group of the inner model; in HDF5 files in one list for each
 * inner model, those that are trained before the others. For a child process (base/child.h).
 */
#ifndef TR_KERAS_NESTING_H
#define TR_KERAS_NESTING_H

#include "trainer/model.h"

typedef struct tr_keras_nesting {
    size_t n; /* layers, without the input, as they are read; 0: no model inside, or none at all */
    char **keys; /* [n] groups of their arrays: "sequential/layers/dense" */
    int *parts;  /* [n] the inner model, from 1, or 0; those of one stand together */
} tr_keras_nesting;

/* What the file says of its own model; nothing where it cannot be read. */
tr_status tr_keras_nesting_read(tr_keras_nesting *out, const char *path, tr_error *err);
void tr_keras_nesting_release(tr_keras_nesting *nesting);

/* Which weight of the model, which has n layers, is the file's first, second, ...; fresh. */
int *tr_keras_nesting_order(const tr_keras_nesting *nesting, const tr_model *model);

#endif
