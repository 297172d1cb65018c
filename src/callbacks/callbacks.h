/* callbacks.h -- what a training decides after each epoch: Keras's callbacks.
 *
 * Each is a pure function of the history so far, computed anew whenever it is asked for. So a
 * resumed run needs no counters of its own, and decides as the run that was not interrupted would
 * have. Names, defaults and rules are Keras 3's; comparisons are in float32, as there.
 */
#ifndef TR_CALLBACKS_H
#define TR_CALLBACKS_H

#include "monitor.h"

/* [early_stopping] */
typedef struct tr_early_stopping {
    tr_monitor monitor; /* not on: it never stops */
    int64_t patience, start_from_epoch;
    double min_delta;
    double baseline; /* NAN: none */
    bool restore_best_weights;
} tr_early_stopping;

/* Epochs count from 1. */
typedef struct tr_stopping {
    int64_t stopped_epoch; /* the training ends behind it; 0: it goes on */
    int64_t best_epoch;    /* whose weights are the best, at that end or so far; 0: none yet */
} tr_stopping;

tr_stopping tr_early_stopping_judge(const tr_early_stopping *rules, const tr_history *history);

/* [reduce_lr_on_plateau]; tr_optimizers_reduce() does what factor and min_lr say. */
typedef struct tr_plateau {
    tr_monitor monitor; /* not on: it never reduces */
    int64_t patience, cooldown;
    double min_delta, factor, min_lr;
} tr_plateau;

/* How often the learning rate was reduced in the course of a history. */
int64_t tr_plateau_count(const tr_plateau *rules, const tr_history *history);

/* All of a training. */
typedef struct tr_callbacks {
    tr_monitor best; /* [checkpoint] monitor */
    tr_early_stopping early_stopping;
    tr_plateau plateau;
} tr_callbacks;

/* Mistakes go to config->problems. The model does this once (tr_model_parse). */
void tr_callbacks_parse(tr_callbacks *out, const tr_config *config, const tr_metric_list *metrics);

#endif
