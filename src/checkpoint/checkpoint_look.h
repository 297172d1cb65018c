/* checkpoint_look.h -- what a checkpoint says it has, without a model.
 *
 * Layers and weights by name, in Keras's order (layer_names, in each layer weight_names), and what
 * stands beside them: the model's name, the optimizer's variables, the digest, the history. What
 * the weights are is told by data/inspect.h.
 *
 * Of a .weights.h5 file of Keras 3 the layers are sorted by name: such a file does not tell their
 * order.
 */
#ifndef TR_CHECKPOINT_LOOK_H
#define TR_CHECKPOINT_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "h5.h"
#include "trainer/status.h"

/* Of entries and variables beyond them the number is told; of epochs and columns nothing. */
enum { TR_OUTLINE_ENTRIES = 4096, TR_OUTLINE_EPOCHS = 4096, TR_OUTLINE_COLUMNS = 32 };

typedef struct tr_outline_entry {
    char layer[64];
    char weight[128]; /* "conv1/kernel:0"; "" for a layer without weights */
    char path[256];   /* of its dataset, "model_weights/conv1/conv1/kernel:0" */
} tr_outline_entry;

typedef struct tr_outline_history {
    int64_t n_epochs; /* 0: none */
    int n_columns;
    char columns[TR_OUTLINE_COLUMNS][64];
    double values[TR_OUTLINE_EPOCHS][TR_OUTLINE_COLUMNS];
} tr_outline_history;

typedef struct tr_checkpoint_outline {
    int64_t n_layers, n_entries, n_unlisted; /* unlisted: entries without room here */
    tr_outline_entry entries[TR_OUTLINE_ENTRIES];

    char model_class[64], model_name[128]; /* of model_config; "": none there */
    char digest_stored[33];                /* "": none, as in files of Keras */
    char digest[33]; /* of all weights as they are, where there is a stored one */
    int64_t n_variables, n_unlisted_variables;      /* of the optimizer, in Keras's order */
    tr_outline_entry variables[TR_OUTLINE_ENTRIES]; /* `layer` is "" */
    tr_outline_history history;
} tr_checkpoint_outline;

/* Reads in a child process. A file without layer_names has no layers; TR_ERR_DATA when it is
 * damaged. Free with tr_checkpoint_outline_free(). */
tr_status tr_checkpoint_look(tr_checkpoint_outline **out, const char *path, tr_error *err);
void tr_checkpoint_outline_free(tr_checkpoint_outline *outline);

/* The weights are not those whose digest was written. */
bool tr_checkpoint_outline_damaged(const tr_checkpoint_outline *outline);

/* ---- the parts, called in the child ---- */

/* An entry of the list of layers, or (layer "") of the optimizer's variables, if there is room. */
void tr_outline_add(tr_checkpoint_outline *outline, const char *root, const char *layer,
                    const char *weight);

/* The digest that is stored. */
tr_status tr_checkpoint_look_digest(tr_checkpoint_outline *outline, hid_t file, const char *path,
                                    tr_error *err);

/* Everything but the layers and the digest. */
tr_status tr_checkpoint_look_beside(tr_checkpoint_outline *outline, hid_t file, const char *path,
                                    tr_error *err);

#endif
