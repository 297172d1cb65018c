/* keras_config.h -- Keras's JSON as the text of an INI file: the inverse of keras_json.h.
 *
 * Our names are Keras's, so a class is the layer whose keras_class it is, and a layer's table of
 * keys says how its values are written; a new layer needs nothing here. Files of Keras 2 and 3 are
 * read: Sequential models, and functional ones with one input and one output.
 *
 * What would change a prediction and is not here is an error that names layer and key. What changes
 * none and is not here, is carried to a file that is exported (keras_carried.h): seeds, names,
 * functions of other people.
 * An optimizer, loss, metric or setting of them that we do not have is left out, with a note that
 * says so.
 */
#ifndef TR_KERAS_CONFIG_H
#define TR_KERAS_CONFIG_H

#include <stdio.h>

#include "keras_carried.h"
#include "keras_file.h"
#include "optimizer.h"

/* What is left out of [compile], in exchange for something that always works. */
enum {
    TR_WITHOUT_METRICS = 1,
    TR_WITHOUT_OPTIMIZER = 2,
    TR_WITHOUT_LOSS = 4, /* one that goes with the last activation instead */
    TR_WITHOUT_ALL = 7
};

/* Metrics of a file that are left out, each with its reason, by their order in the file. */
enum { TR_METRICS_TOLD = 32, TR_REFUSAL_MAX = 256 };
typedef struct tr_refused_metrics {
    bool refused[TR_METRICS_TOLD];
    char why[TR_METRICS_TOLD][TR_REFUSAL_MAX];
} tr_refused_metrics;

/* One file being read. */
typedef struct tr_keras_reading {
    const tr_keras_file *file;
    unsigned without;                      /* TR_WITHOUT_... */
    const char *no_metrics, *no_optimizer; /* why, of those */
    FILE *ini;                             /* the configuration */
    FILE *notes;      /* a line for each thing that is left out or assumed; NULL: none */
    FILE *no_measure; /* why the file's own loss cannot be measured, if so */
    json_t *carried;  /* keras_carried.h; NULL: nobody asks */
    const tr_refused_metrics *refused; /* NULL: none */
    bool own_loss, own_optimizer;      /* the file's, not assumed */
    bool frozen;                       /* trainable = false for the whole model */
    bool flat_input;                   /* it takes vectors */
    int n_metrics;                     /* of the file */

    /* Of the model, for [compile]. */
    char last_activation[32];
    bool one_output; /* surely */
} tr_keras_reading;

/* Writes the configuration to reading->ini. TR_ERR_DATA names file, layer and key. */
tr_status tr_keras_read_config(tr_keras_reading *reading, tr_error *err);

/* ---- its parts ---- */

/* keras_graph.c: the layers in the order of the data, that of the file where it is one. */
typedef struct tr_keras_node {
    const json_t *layer;     /* its entry in the list, borrowed */
    size_t first, n_sources; /* in graph->sources: the nodes whose results it takes; none: images */
    int part; /* of which of the models among the model's layers, from 1; 0: of none */
    char *
        key; /* where Keras 3's weights files have its own: "conv2d_1", "sequential/layers/dense" */
} tr_keras_node;

typedef struct tr_keras_graph {
    tr_keras_node *nodes; /* the input among them, as the first, where the file has one */
    size_t n;
    size_t *sources;
    size_t n_sources;
    int n_parts;     /* models among the layers */
    size_t n_listed; /* layers in the lists of all of them, met so far */
} tr_keras_graph;

tr_status tr_keras_read_graph(tr_keras_graph *graph, const tr_keras_reading *reading,
                              tr_error *err);
void tr_keras_graph_release(tr_keras_graph *graph);

/* keras_input.c: [model]. */
tr_status tr_keras_read_input(tr_keras_reading *reading, const tr_keras_graph *graph,
                              tr_error *err);
/* TR_ERR_DATA, about `whose`, unless the dtype or dtype policy is absent or float32. */
tr_status tr_keras_check_dtype(const tr_keras_file *file, const char *whose, const json_t *dtype,
                               tr_error *err);

/* keras_layers.c: the [layer.NAME]s, and [model] before them. */
tr_status tr_keras_read_layers(tr_keras_reading *reading, tr_error *err);

/* keras_layer.c: one of them. */
typedef struct tr_keras_entry {
    json_t *config; /* of the file; an object */
    const char *class_name, *keras_name, *our_name;
    const char *inputs; /* value of that key; NULL: the layer before */
    size_t n_sources;
    bool flat;  /* what it takes is a vector */
    bool inner; /* it is a layer of a model among the layers */
    /* Names for layers that its activation becomes, where it is none of ours; *n_behind of them are
     * taken, and the last gives the result. */
    const char *behind[2];
    int *n_behind;
} tr_keras_entry;

tr_status tr_keras_read_layer(tr_keras_reading *reading, const tr_keras_entry *entry,
                              tr_error *err);
/* A layer of that class gives as many numbers as it takes. */
bool tr_keras_keeps_number(const char *class_name);

/* keras_activation.c: one of tr_activation_names, from a string or an object, as value of a key.
 * NULL: we have none like it; `why` says what is wrong. */
const char *tr_keras_activation(const json_t *value, char why[512]);
/* Whether it is Keras 2's hard_sigmoid, clip(0.2 x + 0.5, 0, 1), which has Keras 3's name. */
bool tr_keras_is_old_sigmoid(const tr_keras_file *file, const json_t *value);

/* keras_compile.c: [compile], [loss], and the two of the optimizer. */
void tr_keras_read_compile(tr_keras_reading *reading);

/* What is inside lists and dictionaries of one output. */
const json_t *tr_keras_unwrapped(const json_t *value);
/* null, [], {}, and lists and dictionaries of these. */
bool tr_keras_is_empty(const json_t *value);
/* The first setting of a loss or metric that changes its value and is not ours; NULL: none. */
const char *tr_keras_strange_setting(const tr_key *keys, size_t n_keys, const json_t *config);

/* keras_metrics.c: the keys metrics, weighted_metrics and top_k of [compile], the section being
 * begun, and each [metric.NAME]; `loss`: ours. A note for what is left out. */
void tr_keras_read_metrics(tr_keras_reading *reading, const char *loss);

/* keras_optimizer.c: the optimizer of the file, or NULL, with a note where it is left out; and its
 * [optimizer] and [learning_rate], with a note for each setting that is not written. */
const tr_optimizer_ops *tr_keras_find_optimizer(const tr_keras_reading *reading);
void tr_keras_read_optimizer(const tr_keras_reading *reading, const tr_optimizer_ops *ops);

/* The row of an optimizer's object or name; and what stands in its section, [optimizer], or one of
 * a group, whose header is written. */
const tr_optimizer_ops *tr_keras_optimizer_of(const json_t *object);
void tr_keras_read_one_optimizer(const tr_keras_reading *reading, const tr_optimizer_ops *ops,
                                 const json_t *object, const char *group);

/* keras_groups.c: the default optimizer of a MultiOptimizer, or NULL where it is none, or not all
 * of it can be read; and its [optimizer.NAME]s. */
const json_t *tr_keras_common_optimizer(const json_t *object);
void tr_keras_read_groups(const tr_keras_reading *reading, const json_t *object);

#endif
