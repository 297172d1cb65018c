/* fit_watcher.h -- who listens to a training: the progress on the screen, the history's files. */
#ifndef TR_FIT_WATCHER_H
#define TR_FIT_WATCHER_H

#include "drawer.h"
#include "progress.h"
#include "trainer/fit.h"

typedef struct tr_fit_watcher {
    tr_progress_view view;
    const char *folder;
    bool tensorboard;          /* event files, too */
    const tr_history *history; /* of the run, once it has an epoch */
    int64_t drawn_epochs;      /* in the pictures */
    double drawn_at, drawing_s;
    tr_drawer *drawer;
    bool told_undrawn;
} tr_fit_watcher;

/* What a run is to call; the watcher outlives it. */
tr_listener tr_fit_watcher_listener(tr_fit_watcher *self);

/* The history as tables, and as pictures. */
tr_status tr_fit_watcher_tabulate(const tr_fit_watcher *self, tr_error *err);
tr_status tr_fit_watcher_draw(tr_fit_watcher *self, tr_error *err);

#endif
