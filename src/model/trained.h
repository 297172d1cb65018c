/* trained.h -- the optimizers of a model, and what they keep of each weight.
 *
 * For whoever holds or writes the state of a training: the engine, snapshots, checkpoints.
 */
#ifndef TR_TRAINED_H
#define TR_TRAINED_H

#include "callbacks.h"
#include "groups.h"
#include "trainer/model.h"

/* As parsed, with the learning rates of now; none where the configuration has a problem. */
const tr_optimizers *tr_model_optimizers(const tr_model *model);

/* What decides after each epoch, as parsed. */
const tr_callbacks *tr_model_callbacks(const tr_model *model);

/* Brings the learning rates to where [reduce_lr_on_plateau] has them after a history. False: they
 * are there. */
bool tr_model_reduce_rates(tr_model *model, const tr_history *history);

/* The number of the optimizer that trains weight i. */
int tr_model_optimizer_of(const tr_model *model, int i);

/* Weight i as that optimizer knows it, and the slots it has there: their number. */
tr_weight_tensor tr_model_tensor(const tr_model *model, int i);
int tr_model_slots(const tr_model *model, int i, tr_slot slots[TR_MAX_ALL_SLOTS]);

/* Elements of a slot. */
int64_t tr_slot_elements(const tr_slot *slot);

#endif
