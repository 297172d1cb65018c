/* progress.h -- what a person watches: a bar while an epoch runs, a line when it is done.
 *
 * The bar goes to a terminal only; logs and pipes get one plain line per epoch. Every function
 * writes to the streams it is given.
 */
#ifndef TR_PROGRESS_H
#define TR_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "trainer/fit.h"

typedef struct tr_progress_view {
    FILE *lines;     /* one line per epoch */
    FILE *bar;       /* a terminal, or NULL */
    double drawn_at; /* seconds of the epoch when the bar was last drawn */
} tr_progress_view;

/* Draws at most ten times a second, narrower than the terminal. */
void tr_progress_step(tr_progress_view *view, const tr_step_event *event);

/* Erases the bar and prints the newest epoch of the history. */
void tr_progress_epoch(tr_progress_view *view, const tr_history *history, int64_t epochs);

/* Erases the bar, so that something else can be printed. */
void tr_progress_clear(tr_progress_view *view);

#endif
