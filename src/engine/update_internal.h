/* update_internal.h -- the state shared by update.c (life, and what is elementwise) and
 * update_passes.c (norms, tensors as a whole). */
#ifndef TR_UPDATE_INTERNAL_H
#define TR_UPDATE_INTERNAL_H

#include "update.h"

/* At most TR_REDUCE_CHUNK elements of one tensor. */
typedef struct tr_piece {
    size_t offset, n;
    int tensor;
} tr_piece;

/* An optimizer, with what its settings mean for the step at hand. */
typedef struct tr_group {
    tr_optimizer *optimizer;
    bool applies;       /* else its gradient is only accumulated */
    bool overwrites;    /* the average becomes the weights */
    float ema_momentum; /* 0 in the first update: the average starts as the weights */
} tr_group;

/* A tensor, with what does not change from step to step. */
typedef struct tr_trained {
    tr_weight_tensor tensor;
    const tr_group *group;
    const tr_tensor_ops *whole; /* NULL: its update is elementwise */
    size_t offset, n;
    size_t first_piece, end_piece;
    bool alone;         /* a piece of it is summed and updated at once */
    float weight_decay; /* 0: none */
    tr_penalty penalty;
    int n_slots; /* of its own */
    bool from_weights[TR_MAX_SLOTS];
    uint32_t *places;    /* [n] 1 + place in Keras's layout, 0: padding; NULL: lies in it */
    tr_tensor_step step; /* taken as a whole: all but the norm */
} tr_trained;

struct tr_updater {
    tr_group groups[1 + TR_MAX_GROUPS];
    int n_groups;
    tr_trained *tensors;
    int n_tensors;
    tr_piece *pieces;
    size_t n_pieces, n_floats;
    int n_slots;
    float *slots[TR_MAX_ALL_SLOTS];
    bool begins;    /* the first step of all */
    bool clips;     /* by a norm, in the step at hand */
    int n_passes;   /* over whole tensors, likewise */
    bool in_passes; /* not all tensors are alone */

    /* NULL where all are. */
    float *gradient;                      /* [n_floats] */
    float *plain;                         /* [n_floats] in Keras's layout; NULL: none is needed */
    double *gradient_sums, *weights_sums; /* [n_pieces] of squares */
};

static inline const tr_trained *tr_updater_of(const tr_updater *updater, size_t piece)
{
    return &updater->tensors[updater->pieces[piece].tensor];
}

/* What surrounds the optimizers' own formulas, for a piece whose gradient is summed. */
void tr_updater_prepare(const tr_trained *of, const tr_update *range);
tr_update tr_updater_range(const tr_updater *updater, size_t piece, float *weights,
                           float *gradients);
void tr_updater_average(const tr_updater *updater, float *weights, size_t piece);

/* places [n_packed] of the packed layout: 1 + the element in the plain one [n] that lies there; 0:
 * padding. */
tr_status tr_find_places(tr_layout plain, size_t n, tr_layout packed, size_t n_packed,
                         uint32_t *places, tr_error *err);

/* update_passes.c: what comes behind the sum of pieces [begin, end), by all threads together. */
bool tr_updater_clips_by_norm(const tr_optimizer *optimizer);
void tr_updater_passes(const tr_updater *updater, float *weights, tr_profile *profile, int part,
                       int parts);

#endif
