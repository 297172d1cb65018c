/* keras_json.h -- a configuration as Keras's JSON: the attributes model_config and training_config
 * of a whole-model HDF5 file, in the form that Keras 2 and 3 both accept.
 *
 * Made from the effective INI text: our names are Keras's, so a key's table says how its value is
 * written, and a new layer or optimizer needs nothing here.
 */
#ifndef TR_KERAS_JSON_H
#define TR_KERAS_JSON_H

#include "trainer/model.h"

/* Fresh ASCII text, released with tr_free(); NULL: out of memory. */
char *tr_keras_model_config(const tr_model *model);
char *tr_keras_training_config(const tr_model *model);

/* config.json of a .keras file: model and training in one, as Keras 3 spells them. */
char *tr_keras3_config(const tr_model *model);

#endif
