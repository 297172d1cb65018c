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
#include "views.h"
#include "waves.h"

/* What one thread owns. */
typedef struct tr_worker {
    tr_replica *training, *inference;
    int64_t training_version, inference_version; /* model->version that PREPARE saw */
    int32_t *classes;                            /* [micro_batch] targets, in one form ... */
    float *values;                               /* [micro_batch, width] ... or the other */
    float *weights;                              /* [micro_batch] of samples */
    float *predictions;                          /* [micro_batch, width] */
    float *images, *output;                      /* of several views: as they are; the mean */
    tr_profile *profile;                         /* NULL unless asked for */
} tr_worker;

struct tr_engine {
    tr_model *model;
    tr_optimizers optimizers; /* none: it only evaluates */
    int threads;
    int64_t micro_batch;
    int64_t evaluate_batch;      /* samples */
    tr_view views[TR_MAX_VIEWS]; /* of an image, in an evaluation */
    int n_views;
    int64_t max_train, max_evaluate; /* micro-batches of the largest jobs */
    tr_worker *workers;              /* [threads] */

    /* NULL without optimizers. */
    tr_kept *kept;     /* between the stages of a step */
    double *sums_room; /* for tr_reduce_doubles() */
    tr_waves *waves;   /* gradients */
    tr_updater *updater;
    tr_constraints *constraints; /* NULL: there are none */

    tr_penalties *penalties; /* NULL: there are none */
    /* Of each micro-batch [larger of max_train, max_evaluate, tr_sums_width()]: the loss, then
     * those of the metrics; and room for their tree. */
    double *sums, *sums_of_pairs;

    int64_t iterations;
    tr_leaves last_leaves; /* gradients of the last step */
};

/* micro_batch.c */
size_t tr_sums_width(const tr_engine *engine);
/* Of all n micro-batches, which hold so many samples. */
void tr_add_sums(const tr_engine *engine, int64_t n, int64_t samples, tr_sums *out);

#endif
