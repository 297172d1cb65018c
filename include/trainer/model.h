/* model.h -- a graph of layers with its parameters, planned for this machine.
 *
 *     tr_model_parse    sections of the configuration -> layers and shapes (no oneDNN)
 *     tr_model_build    plans the training and the inference program, initialises the parameters
 *
 * Parameters cross this boundary in Keras's layout (kernels HWIO or (in, out), channels last).
 */
#ifndef TRAINER_MODEL_H
#define TRAINER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trainer/config.h"
#include "trainer/dataset.h"
#include "trainer/legend.h"
#include "trainer/memory.h"
#include "trainer/status.h"

typedef struct tr_model tr_model;

/* Reads [layer.*] and what the model is compiled with (loss, metrics, optimizer, its schedule),
 * once and for all; infers every shape. Mistakes go to config->problems, so that tr_config_check()
 * reports them with the others; fails only when memory is out. `config` gets its defaults filled
 * in, is not written to any more from then on, and must outlive the model. */
tr_status tr_model_parse(tr_model **out, tr_config *config, tr_error *err);

/* Plans the programs, checks every kernel of theirs, and initialises the parameters from
 * config->fit.seed. Call after tr_config_check() said TR_OK. TR_ERR_CONFIG where oneDNN has no
 * right kernel for a layer, in training or inference; the second form looks at inference only. */
tr_status tr_model_build(tr_model *model, tr_error *err);
tr_status tr_model_build_for_inference(tr_model *model, tr_error *err);
void tr_model_free(tr_model *model);

/* TR_ERR_CONFIG where nothing is left to train. After tr_model_parse(). */
tr_status tr_model_check_trainable(const tr_model *model, tr_error *err);

/* ---- layers ---- */

typedef struct tr_layer_info {
    const char *name, *keras_class;
    const int *sources; /* [n_sources] numbers of the layers whose results it takes; -1: the images;
                         * borrowed */
    int n_sources;
    int64_t dst[3]; /* height, width, channels of the result; flat: dst[2] only */
    bool flat;
    bool trainable;              /* as its section says; true where it cannot be said */
    int64_t n_params;            /* elements of all its weights */
    int64_t n_not_trained;       /* of those: of frozen layers, and measured statistics */
    int first_weight, n_weights; /* its weights, as numbered below */
    double flops;                /* one sample, forward; a multiply-add counts two */
} tr_layer_info;

int tr_model_n_layers(const tr_model *model);
tr_layer_info tr_model_layer(const tr_model *model, int i);
/* Each layer takes the result of the one before: what Keras calls Sequential. */
bool tr_model_is_chain(const tr_model *model);
int64_t tr_model_n_classes(const tr_model *model); /* length of the output vector */
const char *tr_model_name(const tr_model *model);
const tr_config *tr_model_config(const tr_model *model); /* it was parsed from */

/* What the bits of its results depend on besides configuration and data: "AVX2, oneDNN 2.6.3", or
 * "portable kernels". After tr_model_build(). */
void tr_model_arithmetic(const tr_model *model, char *text, size_t n);

/* ---- optimizer, loss and metrics ---- */

/* That of [optimizer], as parsed, for whoever needs its settings; borrowed. Never NULL after
 * tr_config_check(). */
struct tr_optimizer;
const struct tr_optimizer *tr_model_optimizer(const tr_model *model);

unsigned tr_model_targets(const tr_model *model); /* tr_target bits that its loss understands */
tr_target_rules tr_model_target_rules(const tr_model *model);

/* Its output is one of several classes, or (one output) of two: argmax, or p > 0.5. */
bool tr_model_predicts_classes(const tr_model *model);

/* The class that a row of predictions stands for, where it predicts classes. */
int64_t tr_model_class_of(const tr_model *model, const float *predictions);

/* Its predictions are probabilities, not logits or values. */
bool tr_model_gives_probabilities(const tr_model *model);

/* Several outputs that each answer a question of their own (sigmoid and binary_crossentropy). */
bool tr_model_answers_several(const tr_model *model);
/* ... with yes: a probability of more than one half. */
bool tr_model_says_yes(const tr_model *model, float prediction);

/* What its classes, or its answers, are called, and how pictures become its images: told by the
 * dataset or by a checkpoint; a new model has an empty one. Copied. */
tr_status tr_model_set_legend(tr_model *model, const tr_legend *legend, tr_error *err);
const tr_legend *tr_model_legend(const tr_model *model); /* borrowed */
/* The name of a class or answer; NULL: it has none. */
const char *tr_model_class_name(const tr_model *model, int64_t class);

typedef struct tr_metric_info {
    const char *name;     /* as reported: Keras's key in history.history */
    const char *written;  /* in the configuration */
    const char *resolved; /* what it stands for, e.g. accuracy: sparse_categorical_accuracy */
    bool counts;          /* a share of right answers: it has a standard error */
    bool weighted;        /* samples count by their weights */
    bool larger_is_better;
} tr_metric_info;

int tr_model_n_metrics(const tr_model *model);
int64_t tr_model_n_sums(const tr_model *model); /* that its metrics are computed from */
tr_metric_info tr_model_metric(const tr_model *model, int i);

/* ---- weights, in Keras's order: layer by layer, kernel before bias ---- */

typedef struct tr_weight_info {
    const char *layer, *name; /* "conv1", "kernel" */
    int n_dims;
    int64_t dims[4]; /* Keras's shape */
    int64_t n;       /* elements */
    bool trained;    /* neither of a layer with trainable = false nor a statistic */
    bool counts;     /* a whole number, which files have as one */
} tr_weight_info;

int tr_model_n_weights(const tr_model *model);
tr_weight_info tr_model_weight(const tr_model *model, int i);

/* Copies weight i out of, or into, the model: info.n floats, row-major in Keras's shape.
 * After tr_model_build(). */
tr_status tr_model_get_weight(const tr_model *model, int i, float *values, tr_error *err);
tr_status tr_model_set_weight(tr_model *model, int i, const float *values, tr_error *err);

/* 32 hexadecimal digits over all weights in Keras's layout: equal when the models are, bit by bit.
 */
tr_status tr_model_digest(const tr_model *model, char text[33], tr_error *err);

/* False when any weight is NaN or infinite. */
bool tr_model_is_finite(const tr_model *model);

/* ---- reports; fresh text, released with tr_free() ---- */

/* The table that Keras's summary() prints, plus work per image and, after tr_model_build(), the
 * oneDNN implementation of every direction. */
char *tr_model_summary(const tr_model *model);

/* What is allowed and probably not meant, one sentence a line; "" when there is nothing. */
char *tr_model_warnings(const tr_model *model);

/* Names every layer and direction, of those that it was built for, for which oneDNN has only a
 * reference kernel, one a line; "" when there are none. */
char *tr_model_slow_paths(const tr_model *model);

/* Names every kernel of oneDNN that was found wrong and what is used in its place, one a line; ""
 * when there are none. */
char *tr_model_wrong_kernels(const tr_model *model);

#endif
