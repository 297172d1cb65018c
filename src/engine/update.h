/* update.h -- the second half of a step: gradients summed, and the optimizers applied to the sum.
 *
 * All threads run it together, each on its share of the pieces, which are at most TR_REDUCE_CHUNK
 * elements of one tensor. Where the update is elementwise a piece stays in L1: sum the leaves, and
 * apply at once. Clipping by a norm, and optimizers that take tensors as a whole, take passes over
 * the whole gradient with barriers between them. In both ways the threads decide only who does
 * what, never what is computed.
 *
 * Per step, as Keras does it: regularize -> accumulate -> clip -> weight decay -> update -> moving
 * average. With several optimizers each has its own tensors, and norms are of those, as in Keras's
 * MultiOptimizer.
 */
#ifndef TR_UPDATE_H
#define TR_UPDATE_H

#include "dnn.h"
#include "groups.h"
#include "penalties.h"
#include "profile.h"

typedef struct tr_updater tr_updater;

/* A trained tensor in the flat vectors. */
typedef struct tr_flat_tensor {
    tr_weight_tensor tensor;
    int optimizer;           /* its number among the optimizers */
    size_t offset, n;        /* padding included, which is zero */
    tr_layout plain, packed; /* Keras's layout, and that of the vectors; NULL: they are the same */
    tr_penalty penalty;      /* whose gradient joins that of the loss */
} tr_flat_tensor;

/* The gradients of the micro-batches: leaf k is first + k * stride. */
typedef struct tr_leaves {
    const float *first;
    size_t stride;
    int64_t n;
} tr_leaves;

/* Allocates all state, at its initial values. `optimizers` is borrowed; `tensors`, in the order of
 * their offsets, are copied. */
tr_status tr_updater_new(tr_updater **out, const tr_optimizers *optimizers,
                         const tr_flat_tensor *tensors, int n_tensors, size_t n_floats,
                         tr_error *err);
void tr_updater_free(tr_updater *updater);

/* Before the step that follows `iterations` ones; by one thread. */
void tr_updater_begin(tr_updater *updater, int64_t iterations);

/* The work of thread `part` of `parts`: to be called by all threads of a parallel region, or with 0
 * of 1. `profile` may be NULL. */
void tr_updater_run(tr_updater *updater, float *weights, const tr_leaves *leaves,
                    tr_profile *profile, int part, int parts);

/* At the end of the training: with use_ema the weights become their average. True if so. */
bool tr_updater_finish(const tr_updater *updater, float *weights);

/* ---- state: flat vectors. A tensor's k-th slot (tr_optimizer_slots) lies in the k-th of them, at
 * the tensor's offset: as the tensor lies, or plain ---- */

int tr_updater_n_slots(const tr_updater *updater);           /* of the tensor that has the most */
float *tr_updater_slot(const tr_updater *updater, int slot); /* [n_floats] */

#endif
