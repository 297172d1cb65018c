/* run_internal.h -- state of a run, shared by run.c (life), fit.c and evaluate.c. */
#ifndef TR_RUN_INTERNAL_H
#define TR_RUN_INTERNAL_H

#include "engine.h"
#include "trainer/fit.h"

struct tr_run {
    const tr_config *config;
    tr_model *model;
    const tr_dataset *dataset;
    tr_optimizer *optimizer;
    tr_engine *engine;
    char threads_why[TR_WHY_MAX];
    tr_split split;
    const tr_samples *validation; /* the training samples that were split off, or of another file */
    uint32_t *order;              /* [n_train] the epoch at hand */
    int folder_lock;              /* keeps other runs out of the output folder; -1: none */
    char *checkpoint_path;        /* <output>/last.h5 */
    tr_history history;
};

/* Samples to measure: samples[index[0 .. n-1]], `chunk` of them at a time. */
typedef struct tr_measured {
    const tr_samples *samples;
    const uint32_t *index; /* NULL: all samples in order */
    int64_t n;
    int64_t chunk;
    const volatile sig_atomic_t *stop; /* ends it early, with what it has; or NULL */
    /* Gets the predictions [count, outputs] of the samples from `first` on; or NULL. */
    void (*take)(void *user, int64_t first, int64_t count, const float *predictions);
    void *user;
} tr_measured;

/* Their mean loss and metrics. */
tr_status tr_measure(tr_engine *engine, const tr_measured *what, tr_metrics *metrics,
                     tr_error *err);

int64_t tr_measure_chunk(const tr_config *config);

tr_metrics tr_metrics_of(const tr_sums *sums);

/* confusion.c: counts predictions [count, outputs] of the samples from `first` on. */
tr_status tr_confusion_new(tr_confusion *out, const tr_model *model, tr_error *err);
void tr_confusion_add(tr_confusion *confusion, const tr_model *model, const tr_samples *samples,
                      int64_t first, int64_t count, const float *predictions);

#endif
