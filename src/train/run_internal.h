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
    uint32_t *order;       /* [n_train] the epoch at hand */
    int folder_lock;       /* keeps other runs out of the output folder; -1: none */
    char *checkpoint_path; /* <output>/last.h5 */
    tr_history history;
};

/* Mean loss and accuracy of samples[index[0..n-1]], `chunk` samples at a time. Ends early, with
 * what it has, when *stop is set; `stop` may be NULL. */
tr_status tr_measure(tr_engine *engine, const tr_samples *samples, const uint32_t *index, int64_t n,
                     int64_t chunk, const volatile sig_atomic_t *stop, tr_metrics *metrics,
                     tr_error *err);

int64_t tr_measure_chunk(const tr_config *config);

tr_metrics tr_metrics_of(const tr_sums *sums);

#endif
