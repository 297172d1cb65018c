/* keras_parts.h -- what the JSON of a whole-model file (keras_json.c) and that of a .keras file
 * (keras3_json.c) have in common.
 *
 * All in the form that Keras 2 and 3 both accept. Fresh objects; NULL: out of memory, or the
 * configuration has no such thing.
 */
#ifndef TR_KERAS_PARTS_H
#define TR_KERAS_PARTS_H

#include <jansson.h>

#include "section.h"
#include "trainer/model.h"

/* {"class_name": ..., "config": ...}; takes `config` over. */
json_t *tr_keras_object(const char *class_name, json_t *config);

/* [null, height, width, channels], or [null, length] of a vector: what the model takes. */
json_t *tr_keras_input_shape(const tr_config *config);

/* The same for a function, by whose name Keras calls the class: categorical_crossentropy ->
 * CategoricalCrossentropy. */
json_t *tr_keras_object_named(const char *function, json_t *config);

/* jansson's text in our memory, released with tr_free(); takes `json` over. */
char *tr_keras_text(json_t *json);

/* The layers in Keras's order, without the input; `carried`: keras_carried.h; `old_names`: those of
 * Keras 2, where it has others. */
json_t *tr_keras_layers(const tr_model *model, const json_t *carried, bool old_names);

/* keras_calls.c: makes the config of a model whose "layers" are those behind an input that of a
 * functional model: says what each takes, and which is input and output. False: out of memory. */
typedef enum tr_keras_calls {
    TR_CALLS_KERAS2, /* in HDF5 files, for Keras 2 and 3 */
    TR_CALLS_KERAS3
} tr_keras_calls;
bool tr_keras_connect(json_t *config, const tr_model *model, tr_keras_calls calls);

/* Adds the values of a section to `config`. */
typedef enum tr_keras_tell {
    TR_TELL_ALL,
    TR_TELL_SPOKEN, /* only what differs from the default, for keys that some Keras does not know */
    TR_TELL_INHERITED /* likewise; what the section has from another is no default of Keras's */
} tr_keras_tell;
void tr_keras_add_keys(json_t *config, const tr_section *section, const tr_key *keys, size_t n_keys,
                       tr_keras_tell tell);

/* Whether the section says nothing of that key but its default. */
bool tr_keras_says_default(const tr_section *section, const tr_key *key);

json_t *tr_keras_loss(const tr_config *config); /* a name where it says all, else an object */
json_t *tr_keras_metrics(const tr_model *model, bool weighted); /* null: no weighted ones */
/* keras_optimizer_json.c; several are a MultiOptimizer. */
json_t *tr_keras_optimizer(const tr_config *config);
/* The same with the rate of now, where [reduce_lr_on_plateau] has reduced it. */
json_t *tr_keras_optimizer_now(const tr_model *model);
bool tr_keras_several_optimizers(const tr_config *config);
json_t *tr_keras_training(const tr_model *model); /* training_config but for optimizer_config */

#endif
