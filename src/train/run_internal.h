/* run_internal.h -- state of a run, shared by run.c (life), fit.c, evaluate.c, save.c and others.
 */
#ifndef TR_RUN_INTERNAL_H
#define TR_RUN_INTERNAL_H

#include "engine.h"
#include "evaluation.h"
#include "saver.h"
#include "trainer/fit.h"

struct tr_run {
    const tr_config *config;
    tr_model *model;
    const tr_dataset *dataset;
    tr_engine *engine;
    char threads_why[TR_WHY_MAX];
    tr_split split;
    tr_samples train;             /* as they count in the training */
    float *class_weights;         /* of them; NULL: as in the dataset */
    const tr_samples *validation; /* the training samples that were split off, or of another file */
    uint32_t *order;              /* [n_train] the epoch at hand */
    int folder_lock;              /* keeps other runs out of the output folder; -1: none */
    tr_saver *saver;
    tr_history history;

    tr_identity identity;
    tr_progress progress; /* after the newest step */
    double saved_at;      /* when last.h5 was last handed over */
    bool has_saved;       /* last.h5 is of this run, or of the one it resumes */
    bool overwrites;      /* an earlier run, which is whole until the first last.h5 is in place */
    bool has_config;      /* config.ini is of this run */
    char *newest;         /* checkpoint in the folder when the run was prepared; NULL: none */
};

/* Samples to measure: samples[index[0 .. n-1]], `chunk` of them at a time. */
typedef struct tr_measured {
    const tr_samples *samples;
    const uint32_t *index; /* NULL: all samples in order */
    int64_t n;
    int64_t chunk;
    const atomic_int *stop; /* ends it early, with what it has; or NULL */
    /* Gets the predictions [count, outputs] of the samples from `first` on; or NULL. */
    void (*take)(void *user, int64_t first, int64_t count, const float *predictions);
    void *user;
} tr_measured;

/* Their mean loss and metrics. */
tr_status tr_measure(tr_engine *engine, const tr_measured *what, tr_metrics *metrics,
                     tr_error *err);

int64_t tr_measure_chunk(const tr_config *config);

/* history.c: an empty one, of what the model reports. */
void tr_history_begin(tr_history *history, const tr_model *model, bool validation);

/* ending.c: what has taken time so far, without the epoch at hand; whether the training is over;
 * the epoch whose weights it would end with now (0: with those that it has); the end. */
bool tr_run_time_is_up(const tr_run *run);
bool tr_run_is_over(const tr_run *run);
int64_t tr_run_restored_epoch(const tr_run *run);
tr_status tr_run_finish(tr_run *run, tr_error *err);

/* run_split.c: fills in run->split. */
tr_status tr_run_split(tr_run *run, tr_error *err);

/* run.c: the split, what each sample counts, room for an order; targets are checked. */
tr_status tr_run_prepare_samples(tr_run *run, tr_error *err);

/* class_weights.c: fills in run->train, after the split. */
tr_status tr_run_weigh_classes(tr_run *run, tr_error *err);

/* ---- checkpoints ---- */

/* save.c: the run as it stands goes to the saver. After the last epoch `raw_weights` are what a
 * longer training goes on from, the model having become an average; else NULL. For finite weights
 * only: good ones may lie at that path. */
tr_status tr_run_save(tr_run *run, const tr_save_targets *targets, const float *raw_weights,
                      tr_error *err);

/* identity.c */
tr_status tr_run_identify(tr_identity *out, const tr_run *run, tr_error *err);

/* same_job.c, after the model was parsed from `now`: TR_ERR_CONFIG, naming section and key, where
 * the run that wrote the configuration text of the checkpoint at `path` computed something else
 * than this one. */
tr_status tr_check_same_job(const tr_config *now, const char *then, const char *path,
                            tr_error *err);

#endif
