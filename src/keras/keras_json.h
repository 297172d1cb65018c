/* keras_json.h -- a configuration as Keras's JSON: the attributes model_config and training_config
 * of a whole-model HDF5 file, in the form that Keras 2 and 3 both accept.
 *
 * Made from the effective INI text: our names are Keras's, so a key's table says how its value is
 * written, and a new layer or optimizer needs nothing here.
 */
#ifndef TR_KERAS_JSON_H
#define TR_KERAS_JSON_H

#include <stdbool.h>

#include "trainer/model.h"

/* What an export keeps of the file of Keras that the model is from. */
typedef struct tr_keras_source {
    const char *carried; /* keras_carried.h; "": nothing */
    bool compiled;       /* false: loss and optimizer are not the file's, and not written */
} tr_keras_source;

/* All below: fresh ASCII text, released with tr_free(); NULL: out of memory. */

/* config.json of a .keras file: model and training in one, as Keras 3 spells them. `source`: NULL
 * where the model is ours. */
char *tr_keras3_config(const tr_model *model, const tr_keras_source *source);

/* The same of a whole-model HDF5 file, in the form that Keras 2 and 3 both accept, as far as there
 * is one (keras_limits.h). */
char *tr_keras_model_config(const tr_model *model, const tr_keras_source *source);
char *tr_keras_training_config(const tr_model *model);

/* training_config for Keras 2 alone: with its own optimizers and all their settings. */
char *tr_keras2_training_config(const tr_model *model);

#endif
