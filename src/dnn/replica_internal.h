/* replica_internal.h -- inside of a replica, and a replica seen operation by operation; for src/dnn
 * only. */
#ifndef TR_REPLICA_INTERNAL_H
#define TR_REPLICA_INTERNAL_H

#include "program_internal.h"
#include "replica.h"

typedef struct tr_bound_op {
    dnnl_primitive_t primitive;
    const tr_native *native;               /* instead of the primitive */
    dnnl_exec_arg_t args[TR_MAX_ARGS + 1]; /* and the scratchpad */
    int n_args;
    int cleared; /* -1: none */
    size_t cleared_bytes;
    size_t index; /* in the program */
    int stage;
    bool joins;
} tr_bound_op;

/* Values whose memory depends on the micro-batch at work, of one stage. */
typedef struct tr_bound_stage {
    tr_value *kept, *gradients;
    size_t n_kept, n_gradients;
    size_t first[TR_N_PHASES], end[TR_N_PHASES]; /* of its operations */
} tr_bound_stage;

/* What lasts for one run, which replicas of one thread share. */
typedef struct tr_workspace {
    unsigned char *arena;
    void *scratchpad;
    int users;
} tr_workspace;

struct tr_replica {
    const tr_program *program;
    tr_workspace *workspace;
    unsigned char *prepared;
    tr_bound_stage *stages;
    tr_kept *own; /* of a batch of one micro-batch; NULL: not needed so far */
    dnnl_stream_t stream;
    dnnl_memory_t *memories;    /* one per value */
    dnnl_memory_t *scratchpads; /* one per operation: its own size, the same block */
    tr_bound_op *ops[TR_N_PHASES];
    size_t n_ops[TR_N_PHASES];
    tr_draw draw;
    int64_t *op_ns; /* NULL: nobody asks */
};

const tr_program *tr_replica_program(const tr_replica *replica);

/* Runs the i-th operation of a phase, counted in the order of the program. */
tr_status tr_replica_run_op(tr_replica *replica, tr_phase phase, size_t i);

/* What the last FORWARD drew by. */
const tr_draw *tr_replica_draw(const tr_replica *replica);

/* The memory of any value: of the arena, the parameters or the gradients. NULL: none is set. */
void *tr_replica_memory(const tr_replica *replica, tr_value value);

/* Gives a value memory from elsewhere. */
tr_status tr_replica_place(const tr_replica *replica, tr_value value, void *memory);

#endif
