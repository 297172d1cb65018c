/* keras_inbound.h -- the calls of a functional model's layers, by their places in the file's list;
 * for keras_graph.c, which brings them into the order of the data.
 *
 * Forms of Keras 2, [["name", 0, 0, {}], ...], and of Keras 3, {"args": [...], "kwargs": {}}. Here
 * every layer is called once.
 */
#ifndef TR_KERAS_INBOUND_H
#define TR_KERAS_INBOUND_H

#include "keras_config.h"

/* ---- a layer of the file ---- */

const char *tr_keras_text_of(const json_t *object, const char *key); /* "": none */
/* A functional model has it beside the configuration, too. */
const char *tr_keras_name_of(const json_t *layer);
bool tr_keras_is_input(const json_t *layer);
bool tr_keras_is_functional(const json_t *layer);
bool tr_keras_is_model(const json_t *layer);

/* ---- the list ---- */

typedef struct tr_keras_called {
    const json_t *layer;
    size_t first, n_sources; /* in list->sources */
} tr_keras_called;

typedef struct tr_keras_list {
    const tr_keras_reading *reading;
    const json_t *layers;   /* of the file */
    size_t n;               /* of them */
    json_t *places;         /* {name: place in that list} */
    tr_keras_called *nodes; /* [n], likewise */
    size_t *sources;        /* of all of them, places */
    size_t n_sources;
} tr_keras_list;

/* Fills in names, nodes and what they take. `places` and `nodes` are there, and empty. TR_ERR_DATA
 * names the layer that cannot be followed. */
tr_status tr_keras_list_read(tr_keras_list *list, tr_error *err);
void tr_keras_list_release(tr_keras_list *list);

/* "layer NAME (CLASS) ..., which is not supported". */
tr_status tr_keras_refuse_layer(const tr_keras_list *list, const json_t *layer, const char *what,
                                tr_error *err);

#endif
