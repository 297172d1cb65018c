/* checkpoint_outline.h -- what a checkpoint says it has, without a model: for a person's eyes.
 *
 * Layers and weights by name, in Keras's order where the file tells it, and what stands beside
 * them: the model's name, the optimizer's variables, the digest, the history. What the values are
 * is told by data/inspect.h.
 */
#ifndef TR_CHECKPOINT_OUTLINE_H
#define TR_CHECKPOINT_OUTLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "trainer/status.h"

/* Of entries and variables beyond them the number is told; of epochs and columns nothing. */
enum { TR_OUTLINE_ENTRIES = 4096, TR_OUTLINE_EPOCHS = 4096, TR_OUTLINE_COLUMNS = 32 };

typedef struct tr_outline_entry {
    char layer[64];
    char weight[128]; /* "conv1/kernel:0"; "" for a layer without weights */
    char path[256];   /* of its dataset, "model_weights/conv1/conv1/kernel:0" */
} tr_outline_entry;

typedef struct tr_outline_list {
    int64_t n, n_unlisted; /* unlisted: those without room here */
    tr_outline_entry entries[TR_OUTLINE_ENTRIES];
} tr_outline_list;

typedef struct tr_outline_history {
    int64_t n_epochs; /* 0: none */
    int n_columns;
    char columns[TR_OUTLINE_COLUMNS][64];
    double values[TR_OUTLINE_EPOCHS * TR_OUTLINE_COLUMNS]; /* [n_epochs, n_columns] */
} tr_outline_history;

typedef struct tr_checkpoint_outline {
    int64_t n_layers;
    tr_outline_list weights;
    tr_outline_list variables;             /* of the optimizer, in Keras's order; `layer` is "" */
    char model_class[64], model_name[128]; /* of model_config; "": none there */
    char digest_stored[33];                /* "": none, as in files of Keras */
    char digest[33]; /* of all weights as they are, where there is a stored one */
    tr_outline_history history;
} tr_checkpoint_outline;

/* Reads in a child process. A file without weights of a model has no layers; TR_ERR_DATA when it is
 * damaged. Free with tr_checkpoint_outline_free(). */
tr_status tr_checkpoint_outline_read(tr_checkpoint_outline **out, const char *path, tr_error *err);
void tr_checkpoint_outline_free(tr_checkpoint_outline *outline);

/* The weights are not those whose digest was written. */
bool tr_checkpoint_outline_damaged(const tr_checkpoint_outline *outline);

#endif
