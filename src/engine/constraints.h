/* constraints.h -- what weights are held to: behind every step, as Keras applies them.
 *
 * Keras's order: the update, the moving average of the weights, then the constraint; and so in
 * every step, also in one whose gradient is only accumulated. Norms are over the axes of Keras's
 * layout, whatever the packed one is; each is one sum in the order of that layout, so that neither
 * threads nor kernels can show.
 */
#ifndef TR_CONSTRAINTS_H
#define TR_CONSTRAINTS_H

#include "model_internal.h"

typedef struct tr_constraints tr_constraints;

/* *out: NULL where no weight that is trained has a constraint. */
tr_status tr_constraints_new(tr_constraints **out, const tr_model *model, tr_error *err);
void tr_constraints_free(tr_constraints *constraints);

/* The work of thread `part` of `parts`, when all are done with the update. */
void tr_constraints_apply(const tr_constraints *constraints, float *params, int part, int parts);

#endif
