/* engine_internal.h -- state shared by engine.c (life), step.c and evaluate.c (work), state.c. */
#ifndef TR_ENGINE_INTERNAL_H
#define TR_ENGINE_INTERNAL_H

#include "constraints.h"
#include "engine.h"
#include "model_internal.h"
#include "penalties.h"
#include "profile.h"
#include "replica.h"
#include "update.h"
#include "waves.h"

/* What one thread owns. */
typedef struct tr_worker {
    tr_replica *training, *inference;
    int64_t training_version, inference_version; /* model->version that PREPARE saw */
    int32_t *classes;                            /* [micro_batch] targets, in one form ... */
    float *values;                               /* [micro_batch, width] ... or the other */
    float *predictions;                          /* [micro_batch, width] */
    tr_profile *profile;                         /* NULL unless asked for */
} tr_worker;

struct tr_engine {
    tr_model *model;
    tr_optimizers optimizers; /* none: it only evaluates */
    int threads;
    int64_t micro_batch;
    int64_t evaluate_batch;          /* samples */
    int64_t max_train, max_evaluate; /* micro-batches of the largest jobs */
    tr_worker *workers;              /* [threads] */

    /* NULL without optimizers. */
    tr_kept *kept;     /* between the stages of a step */
    double *sums_room; /* for tr_reduce_doubles() */
    tr_waves *waves;   /* gradients */
    tr_updater *updater;
    tr_constraints *constraints; /* NULL: there are none */

    tr_penalties *penalties; /* NULL: there are none */
    tr_sums *sums; /* [larger of max_train, max_evaluate] */

    int64_t iterations;
    tr_leaves last_leaves; /* gradients of the last step */
};

#endif
