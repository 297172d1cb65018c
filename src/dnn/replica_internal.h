/* replica_internal.h -- a replica seen operation by operation; for src/dnn only. */
#ifndef TR_REPLICA_INTERNAL_H
#define TR_REPLICA_INTERNAL_H

#include "replica.h"

const tr_program *tr_replica_program(const tr_replica *replica);

/* Runs the i-th operation of a phase, counted in the order of the program. */
tr_status tr_replica_run_op(tr_replica *replica, tr_phase phase, size_t i);

/* What the last FORWARD drew by. */
const tr_draw *tr_replica_draw(const tr_replica *replica);

/* The memory of any value: of the arena, the parameters or the gradients. NULL: none is set. */
void *tr_replica_memory(const tr_replica *replica, tr_value value);

/* Gives a value memory from elsewhere. */
tr_status tr_replica_place(const tr_replica *replica, tr_value value, void *memory);

/* Binds all stages to memory of the replica's own, for a batch of one micro-batch. */
tr_status tr_replica_bind_own(tr_replica *replica);

#endif
