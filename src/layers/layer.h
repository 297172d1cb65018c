/* layer.h -- what a layer is: keys in the INI file, a shape rule, and two plans.
 *
 * One layer = one file = a table of keys and the same functions in the same order, closed by one
 * tr_layer_ops, plus one row in layer_table.c:
 *
 *     shape     size of the result, parameters, work; pure, no oneDNN
 *     forward   appends its primitives to a program (nothing runs here)
 *     backward  likewise: gradients of the parameters, unless they are frozen, then of the source
 *
 * A layer never sees a thread, a batch, an optimizer or a loss. Its activation is declared in
 * `activation` and handled by model/plan.c, except that a layer whose primitive can apply it while
 * writing its result does so (`fuses`).
 */
#ifndef TR_LAYER_H
#define TR_LAYER_H

#include "primitives.h"
#include "section.h"
#include "weight_keys.h"

/* What one sample looks like between two layers. Flat: h = w = 1 and c holds all. */
typedef struct tr_shape {
    int64_t h, w, c;
    bool flat;
} tr_shape;

/* What forward leaves for backward; one per layer and program. */
typedef struct tr_tape {
    /* Set by model/plan.c. */
    tr_value src, dst;
    const tr_value *srcs;     /* [n_srcs]; src is the first of them */
    const bool *wanted;       /* [n_srcs], in backward: somebody needs that source's gradient */
    tr_activation activation; /* that the layer applies to its result: one that it fuses */

    /* Set by the layer. */
    bool differentiates;       /* its backward takes the derivative of `activation` itself */
    tr_value workspace;        /* the layer's own, e.g. the winners of a max pooling */
    tr_hint hint, second_hint; /* of a second primitive */
    tr_normalization_tape measured;
} tr_tape;

typedef struct tr_layer tr_layer;

typedef struct tr_layer_ops {
    const char *type;         /* in the INI file, e.g. "conv2d" */
    const char *keras_class;  /* e.g. "Conv2D" */
    const char *keras_module; /* of that class; NULL: keras.layers */
    const char *keras_since;  /* a version that has it, where not all have; NULL: all */
    const char *keras_rest;   /* JSON: what its Keras config says besides the keys, name, trainable
                               * and dtype; NULL: nothing */
    bool keras_untrained;     /* its class in Keras does not take the key "trainable" */
    const char *const *keras2_keys; /* pairs: a key, and what Keras 2 calls it, and Keras 3 takes,
                                     * too; NULL-terminated; NULL: none */
    const char *doc;                /* one line for `trainer help` */
    size_t bytes;       /* of the layer's private struct; its first member is a tr_layer */
    const tr_key *keys; /* beside those of every layer; offsets into that struct */
    size_t n_keys;
    bool merges;         /* takes two or more sources of `srcs` */
    bool selects;        /* dst elements are src elements, chosen by max: an activation that
                          * commutes with max may be differentiated behind this layer */
    bool augments;       /* it changes images at random, in training alone */
    bool only_activates; /* nothing but its activation: the layer before it may apply that */
    tr_activation_name activates; /* the activation of a layer without that key, or its kin ... */
    /* ... Optional: where it has numbers of its own. */
    tr_activation (*activation)(const tr_layer *layer);

    /* Optional: whether forward can apply this activation as it writes its result. */
    bool (*fuses)(tr_activation activation);

    /* Optional: fills in keys whose default depends on other keys. False: out of memory. */
    bool (*defaults)(tr_layer *layer, tr_section *section);
    /* Fills dst, params and flops from layer->src. A shape that does not fit is an error text;
     * whose shapes they are is said behind it (model/graph.c). */
    tr_status (*shape)(tr_layer *layer, tr_error *err);
    /* *dst from tape->src. */
    tr_status (*forward)(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                         tr_error *err);
    /* diff_src [n_srcs], preset to TR_NO_VALUE; NULL when nobody needs it: no parameter that is
     * trained lies before this layer. */
    tr_status (*backward)(tr_layer *layer, tr_program *program, const tr_tape *tape,
                          tr_value diff_dst, tr_value *diff_src, tr_error *err);
} tr_layer_ops;

enum { TR_MAX_LAYER_PARAMS = 4 };

/* Instead of a layer's number: what comes into the network. */
enum { TR_IMAGES = -1 };

/* The common head of every layer's private struct. */
struct tr_layer {
    const tr_layer_ops *ops;
    const char *name; /* borrowed from the section */
    const char *type_text;
    const char *inputs;  /* names of its sources, as written; NULL: the layer before */
    int line;            /* of its section, for messages */
    int64_t micro_batch; /* samples that go through it at once: part of the result */
    int number;          /* of the layer in its model, from 0: part of the address of randomness */
    tr_shape src, dst;   /* of the first source, and of the result */
    int activation;      /* tr_activation_name, applied to the result */
    tr_call activity;    /* row of tr_regularizers: what its result costs */
    bool adapts;         /* its weights mean, variance, count are those of what comes into it */
    bool trainable;      /* else its parameters stay as they are */
    int n_srcs;
    int *sources;   /* [n_srcs] numbers of the layers that give them, or TR_IMAGES */
    tr_shape *srcs; /* [n_srcs] */
    tr_param params[TR_MAX_LAYER_PARAMS];
    int n_params;
    int first_weight; /* of the model's, the number of params[0] */
    double flops;     /* multiply-adds count two; one sample, forward */
};

/* The table, ending in NULL, and the row of a type (NULL: unknown). */
extern const tr_layer_ops *const tr_layer_table[];
const tr_layer_ops *tr_layer_find(const char *type);

/* Keys of every layer, beside those of its own table. */
extern const tr_key tr_layer_common_keys[];
extern const size_t tr_layer_n_common_keys;

/* The names of all types, NULL-terminated. */
enum { TR_MAX_LAYER_TYPES = 64 };
void tr_layer_types(const char *types[TR_MAX_LAYER_TYPES]);

/* A new layer read from its section [layer.NAME]; mistakes go to `problems`. NULL: out of memory.
 */
tr_layer *tr_layer_new(const tr_layer_ops *ops, tr_section *section, tr_problems *problems);
void tr_layer_free(tr_layer *layer);

/* What it applies to its result. */
tr_activation tr_layer_activation(const tr_layer *layer);

/* ---- shared by layer files ---- */

#define TR_KEY_ACTIVATION                                                                          \
    {                                                                                              \
        .name = "activation", .kind = TR_KEY_CHOICE, .offset = offsetof(tr_layer, activation),     \
        .fallback = "linear", .choices = tr_activation_names, .doc = "applied to the result"       \
    }

/* Of every layer with weights; to the others the key is unknown. */
#define TR_KEY_TRAINABLE                                                                           \
    {                                                                                              \
        .name = "trainable", .kind = TR_KEY_BOOL, .offset = offsetof(tr_layer, trainable),         \
        .fallback = "true", .doc = "false: its weights stay as they are"                           \
    }

/* Keras config (keras_rest) that several layers share. */
#define TR_KERAS_IMAGE "{ \"data_format\":\"channels_last\"}"
#define TR_KERAS_WEIGHTED "\"activity_regularizer\":null"

typedef enum tr_padding { TR_PADDING_VALID, TR_PADDING_SAME } tr_padding;
extern const char *const tr_padding_names[];

/* One axis of a sliding window, as TensorFlow and Keras define it.
 * valid: out = ceil((in - kernel + 1) / stride), no padding.
 * same:  out = ceil(in / stride); total padding max((out-1)*stride + kernel - in, 0), the smaller
 *        half before. Returns false when the window does not fit (valid, kernel > in). */
bool tr_window_axis(tr_padding padding, int64_t in, int64_t kernel, int64_t stride, int64_t *out,
                    int64_t *pad_before, int64_t *pad_after);

/* Both axes of an image layer: fills *geometry and dst's height and width from src, or gives the
 * error text of a window that does not fit or a flat src. */
tr_status tr_window_shape(tr_layer *layer, tr_padding padding, const int64_t kernel[2],
                          const int64_t strides[2], tr_geometry *geometry, tr_error *err);

/* The same of a window whose neighbours lie dilation[] apart. */
tr_status tr_dilated_shape(tr_layer *layer, tr_padding padding, const int64_t kernel[2],
                           const int64_t strides[2], const int64_t dilation[2],
                           tr_geometry *geometry, tr_error *err);

/* activation_layer.c: a layer that is nothing but its activation. */
tr_status tr_activation_shape(tr_layer *layer, tr_error *err);
tr_status tr_activation_layer_forward(tr_layer *layer, tr_program *program, tr_tape *tape,
                                      tr_value *dst, tr_error *err);
tr_status tr_activation_layer_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                                       tr_value diff_dst, tr_value *diff_src, tr_error *err);

/* Parameter i, or NULL when the layer has fewer (use_bias = false). */
tr_param *tr_layer_param(tr_layer *layer, int i);

/* It has a parameter that is trained; after `shape`. */
bool tr_layer_learns(const tr_layer *layer);

/* Adds a parameter to the layer; `rules`: those of its keys (weight_keys.h), copied. */
void tr_layer_add_param(tr_layer *layer, const char *name, int n_dims, const int64_t *dims,
                        const tr_weight_rules *rules);

#endif
