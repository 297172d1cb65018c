/* keras_keys.h -- the names that Keras gives the layers of a model inside a .weights.h5 file.
 *
 * Not the layers' own: the name of the class in snake case, numbered in Keras's order
 * (keras_order.h) among those of that class: conv2d, conv2d_1, ...
 */
#ifndef TR_KERAS_KEYS_H
#define TR_KERAS_KEYS_H

#include "trainer/model.h"

enum { TR_KEY_MAX = 128 };
typedef char tr_layer_key[TR_KEY_MAX];

/* Of all layers, as the model numbers them; freed with tr_free(); NULL: out of memory. */
tr_layer_key *tr_keras_layer_keys(const tr_model *model);

#endif
