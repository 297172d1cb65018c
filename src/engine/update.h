/* update.h -- the second half of a step: gradients summed, and the optimizer applied to the sum.
 *
 * All threads run it together. Where the update is elementwise, a thread takes its range of the
 * flat vectors in chunks that stay in L1: sum the leaves, and apply at once. Clipping by a norm and
 * optimizers that need norms of whole tensors take passes over the whole gradient with barriers
 * between them, over pieces that never cross a tensor's border. In both ways the threads decide
 * only who does what, never what is computed.
 *
 * Per step, as Keras does it: accumulate -> clip -> weight decay -> update -> moving average.
 */
#ifndef TR_UPDATE_H
#define TR_UPDATE_H

#include "optimizer.h"
#include "profile.h"

typedef struct tr_updater tr_updater;

/* A trainable tensor in the flat vectors, padding included, which is zero. */
typedef struct tr_flat_tensor {
    size_t offset, n;
} tr_flat_tensor;

/* The gradients of the micro-batches: leaf k is first + k * stride. */
typedef struct tr_leaves {
    const float *first;
    size_t stride;
    int64_t n;
} tr_leaves;

/* Allocates all state, at its initial values. `optimizer` is borrowed; `tensors`, in the order of
 * their offsets, are copied. */
tr_status tr_updater_new(tr_updater **out, tr_optimizer *optimizer, const tr_flat_tensor *tensors,
                         int n_tensors, size_t n_floats, tr_error *err);
void tr_updater_free(tr_updater *updater);

/* Before the step that follows `iterations` ones; by one thread. */
void tr_updater_begin(tr_updater *updater, int64_t iterations);

/* The work of thread `part` of `parts`: to be called by all threads of a parallel region, or with 0
 * of 1. `profile` may be NULL. */
void tr_updater_run(tr_updater *updater, float *weights, const tr_leaves *leaves,
                    tr_profile *profile, int part, int parts);

/* At the end of the training: with use_ema the weights become their average. True if so. */
bool tr_updater_finish(const tr_updater *updater, float *weights);

/* ---- state: flat vectors in Keras's order ---- */

int tr_updater_n_slots(const tr_updater *updater);
const char *tr_updater_slot_name(const tr_updater *updater, int slot); /* Keras's */
float *tr_updater_slot(const tr_updater *updater, int slot);           /* [n_floats] */

#endif
