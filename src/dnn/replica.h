/* replica.h -- one thread's memory to run a program in: an arena, a scratchpad, bound arguments.
 *
 * Running allocates nothing of ours and chooses nothing. A replica is used by one thread at a time;
 * the program and its primitives are shared by all.
 */
#ifndef TR_REPLICA_H
#define TR_REPLICA_H

#include "kept.h"
#include "program.h"

typedef struct tr_replica tr_replica;

/* `params`: the flat parameter vector, read at every run (NULL: none yet); only CONCLUDE writes to
 * it. Both must outlive the replica. */
tr_status tr_replica_new(tr_replica **out, const tr_program *program, float *params, tr_error *err);

/* Two of the same thread that never run at the same time, as training and inference: what lies in
 * one's arena is lost when the other runs. */
tr_status tr_replica_new_pair(tr_replica **first, const tr_program *first_program,
                              tr_replica **second, const tr_program *second_program, float *params,
                              tr_error *err);
void tr_replica_free(tr_replica *replica);

/* The memory of a value of the arena, or of what the replica is bound to. */
float *tr_replica_data(const tr_replica *replica, tr_value value);

/* Where BACKWARD writes: a flat gradient vector, as long as the trained parameters. */
tr_status tr_replica_set_gradients(tr_replica *replica, float *gradients);

/* The next runs of a stage are those of micro-batch m: its kept values, and its gradients where
 * they are not NULL. */
tr_status tr_replica_bind(tr_replica *replica, const tr_kept *kept, int64_t m, float *gradients,
                          int stage);

/* What random operations are addressed by (base/rng.h): they depend on nothing else. */
typedef struct tr_draw {
    uint64_t seed;
    int64_t update;          /* updates made so far; modulo 2^32 */
    const uint32_t *samples; /* [n] number of each sample in its dataset; NULL: 0, 1, ... */
    int64_t n;               /* samples of the micro-batch that are no padding */
    int64_t batch;           /* of the whole batch; 0: n */
} tr_draw;

/* Binds all stages to memory of the replica's own, for a batch of one micro-batch. What runs
 * without being bound is bound so; until then values that are kept have no memory. */
tr_status tr_replica_bind_own(tr_replica *replica);

/* For the next FORWARD. `samples` is borrowed until then. A new replica has seed and update 0 and
 * full micro-batches of samples 0, 1, ... */
void tr_replica_set_draw(tr_replica *replica, const tr_draw *draw);

/* From here on, adds the nanoseconds that operation i of the program takes to op_ns[i]. NULL: stops
 * that, and runs at full speed again. */
void tr_replica_time(tr_replica *replica, int64_t *op_ns);

/* Runs the operations of one phase in order, for a batch of one micro-batch: joins included.
 * TR_ERR_INTERNAL when oneDNN fails. */
tr_status tr_replica_run(tr_replica *replica, tr_phase phase);

/* Those of FORWARD or BACKWARD that belong to a stage, without joins. */
tr_status tr_replica_run_stage(tr_replica *replica, tr_phase phase, int stage);

/* The joins at the end of a stage, once for each group of the batch's micro-batches; the totals are
 * there. */
tr_status tr_replica_join(tr_replica *replica, const tr_kept *kept, int64_t n_micro_batches,
                          int stage);

/* CONCLUDE: once, behind the last stage of a batch. */
tr_status tr_replica_conclude(tr_replica *replica, const tr_kept *kept);

#endif
