/* keras_limited.h -- the first layer of a model with something that some Keras does not have, or
 * computes otherwise; its name, or NULL. For keras_limits.c, which says what it means.
 */
#ifndef TR_KERAS_LIMITED_H
#define TR_KERAS_LIMITED_H

#include <stdbool.h>
#include <stddef.h>

#include "trainer/config.h"

/* Whose key has that value, or another one (`has` false). */
const char *tr_keras_layer_with(const tr_config *config, const char *key, const char *value,
                                bool has);

/* With output_padding = 0 on an axis. */
const char *tr_keras_pads_by_0(const tr_config *config);

/* Keras 3's. */
const char *tr_keras_hard_sigmoid(const tr_config *config);

/* Whose mean and variance are weights. */
const char *tr_keras_measured_normalization(const tr_config *config);

/* Activations that Keras 2 does not have by any name; but for the last two neither have the first
 * versions of Keras 3. */
enum { TR_KERAS_YOUNG = 11, TR_KERAS_YOUNGEST = TR_KERAS_YOUNG - 2 };

/* The first of the first n of them that a layer has, and that layer. */
const char *tr_keras_young_activation(const tr_config *config, size_t n, const char **layer);

/* With an initializer of ours. */
const char *tr_keras_own_initializer(const tr_config *config);

#endif
