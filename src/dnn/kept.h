/* kept.h -- what the micro-batches of a batch have beyond a thread's arena: memory for one batch.
 *
 * For each micro-batch the values that cross a cut of the program, and its sums; for each group of
 * micro-batches the totals and what joins made of them. Empty for a program of one stage. Which
 * thread works on a micro-batch does not matter: a replica is bound to it (tr_replica_bind()).
 */
#ifndef TR_KEPT_H
#define TR_KEPT_H

#include "program.h"

typedef struct tr_kept tr_kept;

/* For batches of up to n micro-batches. `program` is borrowed. */
tr_status tr_kept_new(tr_kept **out, const tr_program *program, int64_t n, tr_error *err);
void tr_kept_free(tr_kept *kept);

/* Memory of a value that is kept, summed or shared, as micro-batch m sees it. Where there is only
 * one micro-batch, a total is the sums themselves. */
void *tr_kept_memory(const tr_kept *kept, tr_value value, int64_t m);

/* Distance of the memory of a sums value from one micro-batch to the next, in doubles. */
size_t tr_kept_stride(const tr_kept *kept);

#endif
