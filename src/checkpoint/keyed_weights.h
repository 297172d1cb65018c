/* keyed_weights.h -- where the weights of a `.weights.h5` lie. See checkpoint_read.c.
 *
 * Such a file has no list of layers: a layer's arrays are <root>/<key>/vars/0, 1, ..., its key the
 * name of its class in snake case, numbered in the order of the model: conv2d, conv2d_1, ...
 */
#ifndef TR_KEYED_WEIGHTS_H
#define TR_KEYED_WEIGHTS_H

#include "h5.h"
#include "trainer/model.h"

enum { TR_KEY_MAX = 128 };

/* The group that holds the layers: "layers", of Keras 2 "_layer_checkpoint_dependencies". NULL: the
 * file is of another kind. */
const char *tr_keyed_root(hid_t file);

/* The keys of all layers, freed with tr_free(); NULL: out of memory. */
typedef char tr_layer_key[TR_KEY_MAX];
tr_layer_key *tr_keyed_layers(const tr_model *model);

/* The first layer of the file that has arrays and whose key no layer of the model with weights has,
 * into `stranger`, which else is "". Groups of other things, such as seeds, do not count. False:
 * out of memory. */
bool tr_keyed_stranger(tr_layer_key stranger, hid_t root, const tr_model *model,
                       const tr_layer_key *keys);

#endif
