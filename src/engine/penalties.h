/* penalties.h -- what the regularizers of weights add to the loss, and to its gradient.
 *
 *     l1 sum |w| + l2 sum w^2      of every weight that is trained, as Keras 3 counts them
 *
 * The gradient joins that of the loss before anything else is done to it (update.c): it is
 * accumulated and clipped with it. The value is that of the weights before the update. Sums are in
 * double over fixed pieces, so that threads decide only who adds which.
 */
#ifndef TR_PENALTIES_H
#define TR_PENALTIES_H

#include "model_internal.h"
#include "penalty.h"

typedef struct tr_penalties tr_penalties;

/* *out: NULL where no weight has a regularizer; the two below then do nothing. */
tr_status tr_penalties_new(tr_penalties **out, const tr_model *model, tr_error *err);
void tr_penalties_free(tr_penalties *penalties);

/* The work of thread `part` of `parts`. */
void tr_penalties_measure(tr_penalties *penalties, const float *params, int part, int parts);
/* Behind it, by one thread: the sum of all penalties. */
double tr_penalties_sum(const tr_penalties *penalties);

#endif
