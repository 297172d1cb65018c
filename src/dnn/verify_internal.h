/* verify_internal.h -- one operation being checked; shared by verify.c and kernel_check.c. */
#ifndef TR_VERIFY_INTERNAL_H
#define TR_VERIFY_INTERNAL_H

#include "program_internal.h"
#include "reference.h"
#include "replica_internal.h"
#include "verify.h"

struct tr_verifier {
    tr_replica *replica;
    const tr_program *program;
    int64_t **winners; /* per value: of the max pooling whose workspace it is, else NULL */
};

/* One operation at work. `args` are in the order of op->args: sources as they were read, results as
 * they are expected; a workspace has none. */
typedef struct tr_job {
    const tr_op *op;
    size_t i; /* in its phase */
    tr_activation fused;
    tr_tensor args[TR_MAX_ARGS];
    double *got; /* of the result being compared */
    int64_t terms;

    /* kernel_check.c: the tensors with one dimension summed over, with these factors: all of it, or
     * the channels of each group. */
    const double *factors;         /* NULL: whole tensors */
    int contracted[TR_MAX_ARGS];   /* that dimension, -1: whole */
    int64_t together[TR_MAX_ARGS]; /* neighbours in it that are summed */
} tr_job;

/* What an element may differ by: a share of |expected| and one of its scale. */
typedef struct tr_allowance {
    double of_value, of_scale;
    double scale; /* > 0: for all elements */
} tr_allowance;

/* The name of a result, or NULL for what the operation reads and for workspaces. */
const char *tr_result_name(tr_direction direction, int role);

/* Numbers in an order that only the kernel knows: a workspace, or packed weights. */
bool tr_is_opaque(int role);

/* Whether the results of an operation are sources too: what they were before. */
bool tr_op_updates(const tr_op *op);

/* Reads the sources, makes room for what is expected of the results, and spoils these. */
tr_status tr_job_prepare(const tr_verifier *verifier, tr_job *at, tr_error *err);
tr_status tr_job_run(const tr_verifier *verifier, const tr_job *at, tr_error *err);
tr_status tr_job_expect(tr_verifier *verifier, tr_job *at, tr_error *err);
/* at->got = argument `arg` as it lies in memory; `sizes` as in tr_layout_contract(), or NULL. */
tr_status tr_job_read(const tr_verifier *verifier, tr_job *at, int arg, double *sizes,
                      int64_t *n_dirty, tr_error *err);
/* What verify.h allows for a result of this type. */
tr_allowance tr_job_allow(const tr_job *at, const tr_tensor *expected, tr_precision type);
/* at->got against what is expected, into the worst of *check. */
void tr_job_compare(const tr_job *at, int arg, const tr_allowance *allowed, tr_precision type,
                    tr_op_check *check);
/* All of it: reads, runs, compares one by one. */
tr_status tr_job_check(tr_verifier *verifier, tr_job *at, tr_op_check *check, tr_error *err);
void tr_job_release(tr_job *at);

#endif
