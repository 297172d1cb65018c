/* micro_batch.h -- samples into a network, and loss and metrics out of it: what a training step and
 * an evaluation have in common.
 *
 * A job is one batch, or several to evaluate, cut into micro-batches of a fixed size. The last one
 * of a batch may be short: it is padded with zero samples whose loss gradient is zero.
 */
#ifndef TR_MICRO_BATCH_H
#define TR_MICRO_BATCH_H

#include <stdatomic.h>

#include "engine_internal.h"

typedef struct tr_job {
    tr_engine *engine;
    const tr_samples *samples;
    const uint32_t *index;
    tr_samples images; /* image of index[i] is the one of rows[i] here */
    const uint32_t *rows;
    int64_t n;               /* samples */
    int64_t batch;           /* samples of a batch; the last may be smaller */
    int64_t per_batch;       /* micro-batches of a full batch */
    int64_t n_micro_batches; /* of all */
    float *predictions;      /* [n, outputs], wanted; or NULL */
    /* Micro-batches taken by the threads, of this run and of the next (step.c). */
    _Atomic int64_t next[2];
    _Atomic int failed;        /* oneDNN refused to run something */
    _Atomic int not_concluded; /* likewise, behind the last stage */
} tr_job;

/* Takes the images, which may have to be waited for; TR_ERR_DATA where their file fails. */
tr_status tr_job_begin(tr_job *job, tr_engine *engine, const tr_samples *samples,
                       const uint32_t *index, int64_t n, int64_t batch, tr_error *err);

/* A thread without a micro-batch would only be waited for. */
int tr_job_threads(const tr_job *job);

/* What random operations of micro-batch m are addressed by; *first: its first sample. */
tr_draw tr_micro_batch_draw(const tr_job *job, int64_t m, int64_t *first);

/* Its images, scaled, into dst [micro_batch, h, w, c]. */
void tr_micro_batch_gather(const tr_job *job, int64_t m, float *dst);

/* Loss, metrics and, where they are wanted, predictions of micro-batch m, whose results are in
 * `output`; the gradient of the loss into `diff`, unless it is NULL. */
void tr_micro_batch_measure(const tr_job *job, tr_worker *worker, int64_t m, const float *output,
                            float *diff);

/* Behind it: what the results of micro-batch m cost by themselves joins its loss. */
void tr_micro_batch_charge(const tr_job *job, int64_t m, const tr_plan *plan,
                           const tr_replica *replica);

#endif
