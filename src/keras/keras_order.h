/* keras_order.h -- the order in which Keras has the layers of a model.
 *
 * Of a chain it is ours. Of a graph Keras makes its own, whatever the order of the file that it
 * loads: by the number of layers on the longest way to the output, and among those with as many,
 * as they are met going back from the output. Weights that are told apart by their place in a list
 * (all in a whole-model HDF5 file), by a number (.weights.h5), or of an optimizer, follow it.
 * Keras 2 and 3 have the same one (tests/keras/run.sh).
 */
#ifndef TR_KERAS_ORDER_H
#define TR_KERAS_ORDER_H

#include "trainer/model.h"

/* Numbers of the layers in that order, freed with tr_free(); NULL: out of memory. */
int *tr_keras_order(const tr_model *model);

/* Likewise the numbers of its weights. */
int *tr_keras_weight_order(const tr_model *model);

#endif
