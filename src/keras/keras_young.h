/* keras_young.h -- layers, and keys of layers, that only newer Kerases know. */
#ifndef TR_KERAS_YOUNG_H
#define TR_KERAS_YOUNG_H

#include "trainer/config.h"

/* The first layer that Keras 2 and the first versions of Keras 3 do not load as it is, and `what`
 * they lack; or NULL. */
enum { TR_YOUNG_TEXT = 96 };
const char *tr_keras_young_layer(const tr_config *config, char what[TR_YOUNG_TEXT]);

#endif
