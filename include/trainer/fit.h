/* fit.h -- Keras's fit() and evaluate(), as one run with a folder of results.
 *
 * The run emits events; whoever prints or draws listens. Nothing here prints.
 */
#ifndef TRAINER_FIT_H
#define TRAINER_FIT_H

#include <stdatomic.h>
#include <stdint.h>

#include "trainer/config.h"
#include "trainer/dataset.h"
#include "trainer/history.h"
#include "trainer/model.h"
#include "trainer/status.h"

typedef struct tr_run tr_run;

/* A step was made. */
typedef struct tr_step_event {
    int64_t epoch, epochs; /* 1-based */
    int64_t step, steps;   /* 1-based, of the epoch */
    tr_metrics so_far;     /* of the epoch */
    int n_metrics;
    const char *const *names; /* of the metrics; borrowed */
    double seconds;           /* since the epoch began */
    int64_t images;           /* trained in this epoch so far */
} tr_step_event;

/* Callbacks of a run; any may be NULL. `user` is handed through. on_epoch comes when the epoch's
 * checkpoint is on its way to the disk; its failure (a report that cannot be written) ends the run.
 * on_saved: what tr_control.save asked for is on disk. on_rate: [reduce_lr_on_plateau] reduced the
 * learning rate (of the first optimizer, to that) after an epoch, which is told next. */
typedef struct tr_listener {
    void *user;
    void (*on_step)(void *user, const tr_step_event *event);
    void (*on_saved)(void *user, const char *path, int64_t iterations);
    void (*on_rate)(void *user, int64_t epoch, double learning_rate);
    tr_status (*on_epoch)(void *user, const tr_history *history, int64_t epochs, tr_error *err);
} tr_listener;

/* Requests from outside, e.g. from a thread that waits for signals. */
typedef struct tr_control {
    atomic_int stop; /* a signal number: end after the step at hand, saved */
    atomic_int save; /* nonzero: save after the step at hand; set to 0 by the run */
} tr_control;

/* Prepares a run: split, engine, output folder. Everything is borrowed and
 * must outlive the run. Fails before the first step where it can. */
tr_status tr_run_new(tr_run **out, const tr_config *config, tr_model *model,
                     const tr_dataset *dataset, tr_error *err);
void tr_run_free(tr_run *run);

/* Where a resumed run goes on. */
typedef struct tr_resumed {
    int64_t epoch, step;       /* finished epochs, and steps of the next one */
    int64_t iterations;        /* updates made */
    char other_machine[128];   /* the instruction set and oneDNN of the run before, if others: the
                                * result will not be the same to the last bit; "" */
    int64_t best_epoch;        /* the best one so far; 0: none */
    bool best_is_there;        /* ... and best.h5 is of that one, or was restored from `path` */
    const tr_history *history; /* borrowed from the run */
} tr_resumed;

/* Makes the new run go on where the one that wrote the checkpoint `path` stood, to the bit:
 * weights, optimizer, order, sums of the epoch, history. Another number of threads, more epochs,
 * another folder, another place of the same data and other [checkpoint] keys are fine; anything
 * else that differs is refused: by name (TR_ERR_CONFIG), or as other data (TR_ERR_DATA). */
tr_status tr_run_resume(tr_run *run, const char *path, tr_resumed *out, tr_error *err);

/* ---- an earlier run in the output folder ---- */

/* TR_ERR_CONFIG where the output folder holds a checkpoint (last.h5, best.h5, epoch_NNNN.h5), which
 * tr_run_fit() refuses, too, unless the run resumes or overwrites it. Reads no data. */
tr_status tr_run_check_folder(const tr_config *config, tr_error *err);

/* What a resume goes on from: last.h5, or where that is missing the last epoch_NNNN.h5, or best.h5;
 * NULL: there was none when the run was prepared. Borrowed from the run. */
const char *tr_run_newest_path(const tr_run *run);

/* Lets the run take the place of the earlier one. That stays whole until the new run's first
 * last.h5 is on disk; then its other files are removed: those with the names that a run gives, and
 * the exports beside them. *names: "best.h5, epoch_0001.h5, ...", released with tr_free(); NULL:
 * there is no earlier run. */
tr_status tr_run_overwrite(tr_run *run, char **names, tr_error *err);

/* <output>/last.h5; borrowed from the run. */
const char *tr_run_checkpoint_path(const tr_run *run);

/* Trains all epochs that are left, or until early stopping or max_seconds end it. After each:
 * validation, last.h5 and, if it is the best one, best.h5, on_epoch. With the first checkpoint
 * comes config.ini, not before. Checkpoints are written in the background; one that cannot be
 * (TR_ERR_IO) ends the run. control->stop is looked at after every step and batch: set to a signal
 * number it ends the run with last.h5 saved, and tr_stopped_by() of it is returned. A loss or a
 * weight that is not finite: TR_ERR_NUMERIC, the last checkpoint stays.
 *
 * A program that embeds this must not let signal handlers run on the threads that train (block the
 * signals, or use sigaltstack): oneDNN's kernels use the stack pointer as a general register. */
tr_status tr_run_fit(tr_run *run, const tr_listener *listener, tr_control *control, tr_error *err);

/* Why the training is over, also that of a run that is resumed behind its end. */
typedef enum tr_end { TR_END_NONE, TR_END_EPOCHS, TR_END_EARLY, TR_END_TIME } tr_end;
typedef struct tr_ending {
    tr_end why;
    char text[512];         /* "all 5 epochs are done"; "": it is not over */
    int64_t restored_epoch; /* whose weights the model ends with (restore_best_weights); 0: the last
                             * ones */
} tr_ending;
tr_ending tr_run_ending(const tr_run *run);

/* TR_TERMINATED for SIGTERM, TR_HUNG_UP for SIGHUP, else TR_INTERRUPTED; and "SIGTERM", ... */
tr_status tr_stopped_by(int signal);
const char *tr_signal_name(int signal);

/* How often each class was taken for which. */
typedef struct tr_confusion {
    int64_t n_classes; /* 0: the network does not tell classes apart, or more than 1000 */
    int64_t *counts;   /* [true class, predicted class] */
} tr_confusion;

/* Of a network that answers several questions, for each: how often yes was said and right, said and
 * wrong, not said and wrong. */
typedef struct tr_answer_counts {
    int64_t right, wrong, missed;
} tr_answer_counts;

/* A sample that was taken for another class. */
typedef struct tr_mistake {
    int64_t sample;    /* its number in the test set */
    int64_t is, said;  /* classes */
    double confidence; /* in the class that was said: its probability, or what the output was where
                        * outputs are none */
} tr_mistake;

enum { TR_MISTAKES = 25 };

typedef struct tr_evaluation {
    tr_metrics metrics; /* n = 0: the dataset has no test set */
    tr_confusion confusion;
    int64_t n_answers; /* 0: the network does not answer several questions */
    tr_answer_counts *answers;
    int64_t n_wrong; /* samples that were taken for another class; 0, too, where there are none */
    tr_mistake mistakes[TR_MISTAKES]; /* the first n_wrong of them: the most confident ones, those
                                       * of equal confidence in their order */
} tr_evaluation;

void tr_evaluation_release(tr_evaluation *evaluation);

/* Keras's evaluate() on the test set. *stop as above; it may be NULL. */
tr_status tr_run_evaluate(tr_run *run, const atomic_int *stop, tr_evaluation *out, tr_error *err);

/* The same without a run: the model as it is on the test set of a dataset. */
tr_status tr_evaluate(const tr_config *config, tr_model *model, const tr_dataset *dataset,
                      tr_evaluation *out, tr_error *err);

/* Keras's predict(): predictions [samples->n, outputs], as the last layer gives them. */
tr_status tr_predict(const tr_config *config, tr_model *model, const tr_samples *samples,
                     float *predictions, tr_error *err);

/* The same in portions: what predictions need is made once. config and model are borrowed. */
typedef struct tr_predictor tr_predictor;
tr_status tr_predictor_new(tr_predictor **out, const tr_config *config, tr_model *model,
                           tr_error *err);
tr_status tr_predictor_run(tr_predictor *predictor, const tr_samples *samples, float *predictions,
                           tr_error *err);
void tr_predictor_free(tr_predictor *predictor); /* NULL is fine */

/* What was prepared, for reports. */
typedef struct tr_run_info {
    int threads;
    const char *threads_why; /* where their number comes from, in words; borrowed from the run */
    int64_t n_train, n_validation, n_test;
    int64_t steps;      /* per epoch */
    int64_t iterations; /* updates made so far */
} tr_run_info;

tr_run_info tr_run_describe(const tr_run *run);

#endif
