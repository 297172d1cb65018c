/* verify.h -- a self-check of the kernels: every operation of a program against reference.h.
 *
 * oneDNN's releases have had kernels that are wrong for odd shapes; a network's loss then falls, a
 * little less than it should. Here a phase runs operation by operation. Each is compared with the
 * reference computed from the very numbers it read, so that errors do not add up and a finding
 * names the operation that made it. Results are set to NaN beforehand, so what a kernel leaves out
 * is found too. Slow; nothing here is on the way of training.
 *
 * An element of the result may differ from the reference by
 *
 *     2^-8 |expected|                   where the result is bfloat16: its own rounding
 *   + 2^-24 (4 + grown(K)) scale        float32 arithmetic; scale: sum of |terms| (reference.h)
 *
 * grown(K) is K for short sums, the worst order of additions, and 8 sqrt(K) for long ones, whose
 * roundings cancel: K would hide missing terms there. So one missing term of average size is found
 * in sums of up to 16,000, a missing row in longer ones. Winograd's transforms mix the terms of
 * neighbouring elements and enlarge them; the scale is then the tensor's largest, and 2^-24 becomes
 * 2^-21. A reorder, a max pooling and relu choose or copy, so they must be exact.
 *
 * Numbers are expected to be finite: NaN and infinity are reported as wrong.
 */
#ifndef TR_VERIFY_H
#define TR_VERIFY_H

#include "replica.h"

typedef struct tr_verifier tr_verifier;

/* How one operation compares, by its worst element. */
typedef struct tr_op_check {
    tr_op_info op;
    bool ok;            /* error <= 1 and n_dirty == 0 */
    double error;       /* |got - expected| as a multiple of what is allowed */
    const char *result; /* "dst", "diff_src", "diff_weights" or "diff_bias" */
    int n_dims;
    int64_t at[4]; /* logical position: n c h w, o i h w, n c or x */
    double expected, got;
    int64_t n_dirty; /* padding elements of blocked layouts that are not zero */
} tr_op_check;

typedef void tr_op_check_fn(void *context, const tr_op_check *check);

/* Checks what `replica` runs, with the inputs that lie in it. It must outlive the verifier. */
tr_status tr_verifier_new(tr_verifier **out, tr_replica *replica, tr_error *err);
void tr_verifier_free(tr_verifier *verifier);

/* As tr_replica_run(), and calls `report` once per operation, in order. Wrong results are reports,
 * not failures. BACKWARD needs FORWARD to have been run by the same verifier: the winners of a max
 * pooling are oneDNN's secret and are found again from its source. */
tr_status tr_verifier_run(tr_verifier *verifier, tr_phase phase, tr_op_check_fn *report,
                          void *context, tr_error *err);

#endif
