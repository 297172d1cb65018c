/* optimizer.h -- what an optimizer is: an elementwise update of a range of the flat parameters, or
 * passes over whole tensors.
 *
 * One optimizer = one file closed by one tr_optimizer_ops, and one row in optimizer_table.c. It
 * never knows a thread or a batch, nor how a tensor lies in memory: an elementwise update is
 * indifferent to it, and whole tensors come in Keras's layout. Any split of a vector into ranges,
 * or of a pass among threads, gives the same bits. What all optimizers share (schedule, clipping,
 * weight decay, moving average, accumulation) is done around the update by the engine; an optimizer
 * sees none of it. Formulas and defaults are Keras 3's.
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

/* A tensor that is trained, in Keras's shape. */
typedef struct tr_weight_tensor {
    const char *layer, *name; /* "conv1", "kernel" */
    int n_dims;
    int64_t dims[4];
    size_t n; /* elements; for one who takes any layout: with its padding */
} tr_weight_tensor;

/* State of a tensor. */
typedef struct tr_slot {
    const char *name;  /* Keras's */
    double initial;    /* of every element */
    bool apart;        /* Keras lists it for all weights together, behind the other slots */
    bool from_weights; /* starts as the weights are before the first step; elementwise updates only
                        */
    bool own_shape;    /* n_dims and dims are its own, of no more elements; else the tensor's */
    int n_dims;
    int64_t dims[4];
    bool plain; /* lies in Keras's layout, whatever the tensor's is; tr_optimizer_slots() knows */
} tr_slot;

/* One range of the update; all pointers are at its first element. */
typedef struct tr_update {
    float *weights;
    float *gradients; /* update() only reads them */
    float *slots[TR_MAX_SLOTS];
    size_t n;
} tr_update;

/* A step of a whole tensor. */
typedef struct tr_tensor_step {
    const tr_weight_tensor *tensor;
    float *gradients; /* [n]; the last pass leaves here what is to be taken from the weights */
    float *slots[TR_MAX_SLOTS];
    void *room;          /* what a pass leaves for the next ones */
    double weights_norm; /* of the weights before the step */
} tr_tensor_step;

/* How a tensor is taken as a whole: in passes, and each pass in parts, which threads do in any
 * order; all parts of a pass are done before the next begins. Which parts there are follows from
 * the tensor alone, and each writes what no other part of its pass reads. */
typedef struct tr_tensor_ops {
    bool any_layout; /* elements in whatever order, zeros between them; else in Keras's */
    size_t (*room)(const tr_optimizer *optimizer, const tr_weight_tensor *tensor); /* bytes */
    int (*passes)(const tr_optimizer *optimizer, const tr_weight_tensor *tensor);
    size_t (*parts)(const tr_optimizer *optimizer, const tr_weight_tensor *tensor, int pass);
    void (*run)(const tr_optimizer *optimizer, const tr_tensor_step *step, int pass, size_t part);
} tr_tensor_ops;

typedef struct tr_optimizer_ops {
    const char *name;        /* Keras's */
    const char *keras_class; /* e.g. "RMSprop" */
    const char *keras_since; /* a version that has it, where Keras 2 does not: "3.15"; or NULL */
    const char *doc;
    size_t bytes;       /* of the private struct; its first member is a tr_optimizer */
    const tr_key *keys; /* its own; a key of all optimizers that stands here too is replaced */
    size_t n_keys;
    /* Optional: settings that do not go together become problems. */
    void (*check)(const tr_optimizer *optimizer, const tr_section *section, tr_problems *problems);
    /* Fills in the slots of a tensor and returns their number. */
    int (*slots)(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                 tr_slot slots[TR_MAX_SLOTS]);
    /* Scalars of step t (1-based) into the private struct; called once before the step's updates,
     * perhaps twice for the same t. They depend on t alone, never on earlier calls: a run can be
     * resumed anywhere. */
    void (*begin)(tr_optimizer *optimizer, int64_t t);
    /* Optional: a scalar that Keras keeps as a variable of its own, after begin(). */
    double (*product)(const tr_optimizer *optimizer);
    /* Hot, concurrent on different ranges; of tensors that are not taken as a whole. */
    void (*update)(const tr_optimizer *optimizer, const tr_update *update);

    /* Optional: how this tensor is taken in place of `update`; NULL: it is not. */
    const tr_tensor_ops *(*whole)(const tr_optimizer *optimizer, const tr_weight_tensor *tensor);
    /* Optional: the weight decay of this tensor, where it is not that of all. */
    double (*weight_decay)(const tr_optimizer *optimizer, const tr_weight_tensor *tensor);
} tr_optimizer_ops;

struct tr_optimizer {
    const tr_optimizer_ops *ops;
    double rate; /* the learning rate of the step at hand; for begin() and update() */

    /* Keys of a group (groups.h). */
    const char *group;  /* NAME of [optimizer.NAME]; NULL: [optimizer] */
    const char *layers; /* NULL: it trains all that no group names */
    const char *name;   /* NULL: as that of [compile] */

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
/* And those of [optimizer.NAME]. */
extern const tr_key *const tr_optimizer_group_keys;
extern const size_t tr_optimizer_n_group_keys;

/* One of one's own, to begin steps with. NULL: no memory. Free with tr_free(). */
tr_optimizer *tr_optimizer_copy(const tr_optimizer *optimizer);

/* A new optimizer, its keys read from [optimizer], or the section of a group; `rates` has its
 * schedule, or is NULL. Mistakes go to `problems`. NULL: no memory. Free with tr_free(). A whole
 * training has those of groups.h. */
tr_optimizer *tr_optimizer_new(const tr_optimizer_ops *ops, tr_section *section, tr_section *rates,
                               tr_problems *problems);

/* All slots of a tensor in Keras's order: average (use_ema), gradient_accumulator, then the
 * optimizer's own, which begin at tr_optimizer_first_own(); returns their number. */
enum { TR_MAX_ALL_SLOTS = TR_MAX_SLOTS + 2 };
int tr_optimizer_slots(const tr_optimizer *optimizer, const tr_weight_tensor *tensor,
                       tr_slot slots[TR_MAX_ALL_SLOTS]);
int tr_optimizer_first_own(const tr_optimizer *optimizer);

/* How it takes a tensor as a whole, or NULL; and the weight decay of that tensor. */
const tr_tensor_ops *tr_optimizer_whole(const tr_optimizer *optimizer,
                                        const tr_weight_tensor *tensor);
double tr_optimizer_weight_decay(const tr_optimizer *optimizer, const tr_weight_tensor *tensor);

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
