/* checkpoint_look.h -- the layers and weights that a checkpoint says it has, without a model.
 *
 * Only names, in Keras's order (layer_names, in each layer weight_names); what the weights are is
 * told by data/inspect.h.
 */
#ifndef TR_CHECKPOINT_LOOK_H
#define TR_CHECKPOINT_LOOK_H

#include <stdint.h>

#include "trainer/status.h"

enum { TR_OUTLINE_ENTRIES = 4096 }; /* what is beyond them is not told */

typedef struct tr_outline_entry {
    char layer[64];
    char weight[128]; /* "conv1/kernel:0"; "" for a layer without weights */
    char path[256];   /* of its dataset, "model_weights/conv1/conv1/kernel:0" */
} tr_outline_entry;

typedef struct tr_checkpoint_outline {
    int64_t n_layers, n_entries;
    tr_outline_entry entries[TR_OUTLINE_ENTRIES];
} tr_checkpoint_outline;

/* Reads in a child process. A file without layer_names has no layers; TR_ERR_DATA when it is
 * damaged. Free with tr_checkpoint_outline_free(). */
tr_status tr_checkpoint_look(tr_checkpoint_outline **out, const char *path, tr_error *err);
void tr_checkpoint_outline_free(tr_checkpoint_outline *outline);

#endif
