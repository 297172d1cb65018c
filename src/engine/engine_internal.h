/* engine_internal.h -- state shared by engine.c (life), step.c (work) and state.c. */
#ifndef TR_ENGINE_INTERNAL_H
#define TR_ENGINE_INTERNAL_H

#include "engine.h"
#include "model_internal.h"
#include "profile.h"
#include "replica.h"
#include "update.h"

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
    tr_optimizer *optimizer;
    int threads;
    int64_t micro_batch;
    int64_t evaluate_batch;          /* samples */
    int64_t max_train, max_evaluate; /* micro-batches of the largest jobs */
    tr_worker *workers;              /* [threads] */

    size_t stride;       /* distance of two gradient slots, in floats */
    float *gradients;    /* [max_train, stride], packed */
    tr_updater *updater; /* NULL without an optimizer */
    tr_sums *sums;       /* [larger of max_train, max_evaluate] */

    int64_t iterations;
    int64_t last_micro_batches; /* of the last step */
};

#endif
