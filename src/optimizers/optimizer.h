/* optimizer.h -- what an optimizer is: an elementwise update of a range of the flat parameters.
 *
 * One optimizer = one file closed by one tr_optimizer_ops, and one row in optimizer_table.c. It
 * never knows a layer, a thread or a batch. Because the update is elementwise, any split of the
 * vector into ranges gives the same bits. What all optimizers share (schedule, clipping, weight
 * decay, moving average, accumulation) is done around the update by the engine; an optimizer sees
 * none of it. Formulas and defaults are Keras 3's.
 */
#ifndef TR_OPTIMIZER_H
#define TR_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>

#include "schedule.h"
#include "section.h"
#include "trainer/config.h"

enum { TR_MAX_SLOTS = 3 };

typedef struct tr_optimizer tr_optimizer;

/* A flat vector of state. */
typedef struct tr_slot {
    const char *name; /* Keras's */
    double initial;   /* of every element */
    bool apart;       /* Keras lists it for all weights together, behind the other slots */
} tr_slot;

/* One range of the update; all pointers are at its first element. */
typedef struct tr_update {
    float *weights;
    float *gradients; /* update() only reads them */
    float *slots[TR_MAX_SLOTS];
    size_t n;
} tr_update;

typedef struct tr_optimizer_ops {
    const char *name;        /* Keras's */
    const char *keras_class; /* e.g. "RMSprop" */
    const char *doc;
    size_t bytes;       /* of the private struct; its first member is a tr_optimizer */
    const tr_key *keys; /* its own; a key of all optimizers that stands here too is replaced */
    size_t n_keys;
    /* Optional: settings that do not go together become problems. */
    void (*check)(const tr_optimizer *optimizer, const tr_section *section, tr_problems *problems);
    /* Fills in the slots and returns their number. */
    int (*slots)(const tr_optimizer *optimizer, tr_slot slots[TR_MAX_SLOTS]);
    /* Scalars of step t (1-based) into the private struct; called once before the step's updates,
     * perhaps twice for the same t. They depend on t alone, never on earlier calls: a run can be
     * resumed anywhere. */
    void (*begin)(tr_optimizer *optimizer, int64_t t);
    /* Optional: a scalar that Keras keeps as a variable of its own, after begin(). */
    double (*product)(const tr_optimizer *optimizer);
    /* Hot, concurrent on different ranges. */
    void (*update)(const tr_optimizer *optimizer, const tr_update *update);

    /* In place of `update`, for steps that depend on norms of a whole trainable tensor: first
     * `direction` for all ranges, which overwrites the gradients; then `apply` to all, with the
     * norms of the tensor that the range belongs to, of its weights and of that direction. */
    void (*direction)(const tr_optimizer *optimizer, const tr_update *update);
    void (*apply)(const tr_optimizer *optimizer, const tr_update *update, double weights_norm,
                  double direction_norm);
} tr_optimizer_ops;

struct tr_optimizer {
    const tr_optimizer_ops *ops;
    double rate; /* the learning rate of the step at hand; for begin() and update() */

    /* Keys of all optimizers. */
    double learning_rate;                        /* without a schedule */
    tr_schedule schedule;                        /* .ops NULL: none */
    double weight_decay;                         /* 0: none */
    double clipnorm, global_clipnorm, clipvalue; /* 0: off; at most one is on */
    bool use_ema;
    double ema_momentum;
    int64_t ema_overwrite_frequency;     /* 0: only at the end of the training */
    int64_t gradient_accumulation_steps; /* 1: off */
};

extern const tr_optimizer_ops *const tr_optimizer_table[]; /* ends in NULL */
const tr_optimizer_ops *tr_optimizer_find(const char *name);

enum { TR_MAX_OPTIMIZERS = 32 };
void tr_optimizer_names(const char *names[TR_MAX_OPTIMIZERS]); /* NULL-terminated */

/* The keys of all optimizers, besides those in their own tables. */
extern const tr_key tr_optimizer_common_keys[];
extern const size_t tr_optimizer_n_common_keys;

/* The optimizer of [compile] optimizer, [optimizer] and [learning_rate]. Mistakes go to
 * config->problems; *out is NULL when the name is missing or unknown. Free with tr_free(). The
 * model does this once (tr_model_parse); others take tr_model_optimizer(). */
tr_status tr_optimizer_make(tr_optimizer **out, tr_config *config, tr_error *err);

/* One of one's own, to begin steps with. NULL: no memory. Free with tr_free(). */
tr_optimizer *tr_optimizer_copy(const tr_optimizer *optimizer);

/* A new optimizer without a schedule, its keys read from [optimizer]; mistakes go to `problems`.
 * NULL: no memory. Free with tr_free(). */
tr_optimizer *tr_optimizer_new(const tr_optimizer_ops *ops, tr_section *section,
                               tr_problems *problems);

/* All its slots in Keras's order: average (use_ema), gradient_accumulator, then its own; returns
 * their number. */
enum { TR_MAX_ALL_SLOTS = TR_MAX_SLOTS + 2 };
int tr_optimizer_slots(const tr_optimizer *optimizer, tr_slot slots[TR_MAX_ALL_SLOTS]);

/* The learning rate of the step after `iterations` ones. */
double tr_optimizer_learning_rate(const tr_optimizer *optimizer, int64_t iterations);

/* Prepares that step: its learning rate and the optimizer's own scalars. Keras counts every batch
 * for the schedule, but only the batches that end an accumulation for the optimizer's t. */
void tr_optimizer_begin(tr_optimizer *optimizer, int64_t iterations);

/* ---- rows of key tables that several optimizers have ---- */

#define TR_ROW_LEARNING_RATE(value)                                                                \
    {                                                                                              \
        .name = "learning_rate", .kind = TR_KEY_REAL,                                              \
        .offset = offsetof(tr_optimizer, learning_rate), .fallback = value, .max = 1e6,            \
        .doc = "step size, unless [learning_rate] has a schedule"                                  \
    }

/* NULL: off. */
#define TR_ROW_WEIGHT_DECAY(value)                                                                 \
    {                                                                                              \
        .name = "weight_decay", .kind = TR_KEY_REAL,                                               \
        .offset = offsetof(tr_optimizer, weight_decay), .fallback = value, .max = 1e6,             \
        .optional = true,                                                                          \
        .doc = "each step first shrinks all weights by this share of the step size"                \
    }

/* A share in [0, 1) of something that is kept from step to step. */
#define TR_ROW_SHARE(type, field, value, text)                                                     \
    {                                                                                              \
        .name = #field, .kind = TR_KEY_REAL, .offset = offsetof(type, field), .fallback = value,   \
        .max = 1, .below_max = true, .doc = text                                                   \
    }

/* At least the smallest normal float32: below, it would be 0 and divide by it. */
#define TR_ROW_EPSILON(type)                                                                       \
    {                                                                                              \
        .name = "epsilon", .kind = TR_KEY_REAL, .offset = offsetof(type, epsilon),                 \
        .fallback = "1e-7", .min = 1.2e-38, .max = 1, .doc = "keeps the divisor off 0"             \
    }

#endif
