/* keras_carried.h -- what a file of Keras says of its model that a configuration of ours cannot
 * say, on its way from the file that is read to the one that is exported.
 *
 * No prediction depends on any of it: Keras's own names, trainable = false of a model or a layer
 * without weights, regularizers, constraints, initializers, a dropout's seed and noise_shape. As
 * JSON:
 *
 *     {"model": {key: value}, "input": {...}, "layers": {our name of the layer: {...}}}
 */
#ifndef TR_KERAS_CARRIED_H
#define TR_KERAS_CARRIED_H

#include <jansson.h>
#include <stdbool.h>

/* Is the key of a layer's or model's configuration one of those? */
bool tr_keras_is_carried(const char *key, const json_t *value);

/* Puts it down for `part` ("model", "input", "layers"); `layer`: our name of it, or NULL. */
void tr_keras_carry(json_t *carried, const char *part, const char *layer, const char *key,
                    const json_t *value);

/* Puts what was carried for that part into a configuration that is being written. */
void tr_keras_add_carried(json_t *config, const json_t *carried, const char *part,
                          const char *layer);

#endif
