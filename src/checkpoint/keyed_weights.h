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

/* The key of layer i. */
void tr_keyed_layer(char key[TR_KEY_MAX], const tr_model *model, int i);

/* The first layer of the file that has arrays and whose key no layer of the model with weights has,
 * into `key`; false: there is none. Groups of other things, such as seeds, do not count. */
bool tr_keyed_stranger(char key[TR_KEY_MAX], hid_t root, const tr_model *model);

#endif
