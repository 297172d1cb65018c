/* weight_keys.h -- the keys that every weight brings along: kernel_initializer and its kin.
 *
 * A layer has a tr_weight_rules for each of its weights and names it in its table of keys:
 *
 *     typedef struct dense { tr_layer base; tr_weight_rules kernel, bias; ... } dense;
 *     static const tr_key keys[] = { ..., TR_KEYS_WEIGHT(dense, kernel, "glorot_uniform"),
 *                                         TR_KEYS_WEIGHT(dense, bias, "zeros") };
 *     tr_layer_add_param(layer, "kernel", 2, dims, &self->kernel);
 *
 * The functions are Keras's, with its arguments and defaults; dirac and whitening are ours. What
 * they compute is model/initializers.c's, engine/penalties.c's and engine/constraints.c's.
 */
#ifndef TR_WEIGHT_KEYS_H
#define TR_WEIGHT_KEYS_H

#include "param.h"
#include "penalty.h"
#include "section.h"

/* The rows of tr_initializers, by what they compute; see there for the arguments. */
typedef enum tr_initializer {
    TR_INIT_GLOROT_UNIFORM,
    TR_INIT_GLOROT_NORMAL,
    TR_INIT_HE_UNIFORM,
    TR_INIT_HE_NORMAL,
    TR_INIT_LECUN_UNIFORM,
    TR_INIT_LECUN_NORMAL,
    TR_INIT_VARIANCE_SCALING,
    TR_INIT_RANDOM_UNIFORM,
    TR_INIT_RANDOM_NORMAL,
    TR_INIT_TRUNCATED_NORMAL,
    TR_INIT_ORTHOGONAL,
    TR_INIT_ZEROS,
    TR_INIT_ONES,
    TR_INIT_CONSTANT,
    TR_INIT_IDENTITY,
    TR_INIT_DIRAC,
    TR_INIT_WHITENING, /* engine/whitening.c, from the data */
    TR_N_INITIALIZERS
} tr_initializer;

enum { TR_WHITENING_MAX = 1024 }; /* numbers in a window */

/* Of TR_INIT_VARIANCE_SCALING: its second and third argument. */
typedef enum tr_fan { TR_FAN_IN, TR_FAN_OUT, TR_FAN_AVG } tr_fan;
typedef enum tr_distribution {
    TR_TRUNCATED_NORMAL,
    TR_UNTRUNCATED_NORMAL,
    TR_UNIFORM
} tr_distribution;

/* The rows of tr_regularizers; the first: a key that is absent. */
typedef enum tr_regularizer {
    TR_REGULARIZER_NONE,
    TR_REGULARIZER_L1,
    TR_REGULARIZER_L2,
    TR_REGULARIZER_L1_L2,
    TR_N_REGULARIZERS
} tr_regularizer;

/* The rows of tr_constraint_functions; likewise. */
typedef enum tr_constraint {
    TR_CONSTRAINT_NONE,
    TR_CONSTRAINT_MAX_NORM,
    TR_CONSTRAINT_UNIT_NORM,
    TR_CONSTRAINT_MIN_MAX_NORM,
    TR_CONSTRAINT_NON_NEG,
    TR_N_CONSTRAINTS
} tr_constraint;

extern const tr_callable tr_initializers[], tr_regularizers[], tr_constraint_functions[];

tr_penalty tr_regularizer_penalty(const tr_call *regularizer);

/* Dimensions over which the constraint of a weight takes norms: bit d for dimension d. 0: none, or
 * one that there is not. */
unsigned tr_constraint_axes(const tr_param *param);

/* TR_ERR_CONFIG, in words that follow the layer's name, where a rule cannot be that of a weight of
 * its shape; `channels` come into the layer. */
tr_status tr_weight_check(const tr_param *param, int64_t channels, tr_error *err);

#define TR_KEY_INITIALIZER(type, weight, initial)                                                  \
    {                                                                                              \
        .name = #weight "_initializer", .kind = TR_KEY_CALL,                                       \
        .offset = offsetof(type, weight.initializer), .fallback = initial,                         \
        .functions = tr_initializers, .doc = "its values before the training"                      \
    }

/* `type`: the layer's struct; `weight`: its member, named as Keras names the keys. */
#define TR_KEYS_WEIGHT(type, weight, initial)                                                      \
    TR_KEY_INITIALIZER(type, weight, initial),                                                     \
        {.name = #weight "_regularizer",                                                           \
         .kind = TR_KEY_CALL,                                                                      \
         .offset = offsetof(type, weight.regularizer),                                             \
         .optional = true,                                                                         \
         .functions = tr_regularizers,                                                             \
         .doc = "penalty that the loss gets for it"},                                              \
    {                                                                                              \
        .name = #weight "_constraint", .kind = TR_KEY_CALL,                                        \
        .offset = offsetof(type, weight.constraint), .optional = true,                             \
        .functions = tr_constraint_functions, .doc = "what it is held to behind every step"        \
    }

#endif
