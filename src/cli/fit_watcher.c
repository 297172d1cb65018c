/* fit_watcher.c -- see fit_watcher.h. */
#include "fit_watcher.h"

#include <stdio.h>

#include "clock.h"
#include "run_table.h"
#include "tensorboard.h"

static void on_step(void *user, const tr_step_event *event)
{
    tr_progress_step(&((tr_fit_watcher *)user)->view, event);
}

tr_status tr_fit_watcher_draw(tr_fit_watcher *self, tr_error *err)
{
    const double begin = tr_clock_s();
    char undrawn[TR_UNDRAWN_MAX];
    TR_TRY(tr_drawer_write(self->drawer, self->history, self->folder, undrawn, err));
    if (undrawn[0] != '\0' && !self->told_undrawn) {
        tr_progress_clear(&self->view);
        fprintf(stderr, "trainer: note: no pictures of the history: %s; the training goes on\n",
                undrawn);
        self->told_undrawn = true;
    }
    self->drawn_epochs = self->history->n;
    self->drawn_at = tr_clock_s();
    self->drawing_s = self->drawn_at - begin;
    return TR_OK;
}

/* After an epoch, unless epochs are so short that drawing would take more than a twentieth of the
 * time; what is left out is drawn later, at the latest when the run ends. */
static bool drawing_is_due(const tr_fit_watcher *self)
{
    enum { SHARE = 20 };
    return self->drawn_epochs == 0 || tr_clock_s() - self->drawn_at >= SHARE * self->drawing_s;
}

tr_status tr_fit_watcher_tabulate(const tr_fit_watcher *self, tr_error *err)
{
    TR_TRY(tr_history_write_tables(self->history, self->folder, err));
    return self->tensorboard ? tr_tensorboard_write(self->history, self->folder, err) : TR_OK;
}

static tr_status on_epoch(void *user, const tr_history *history, int64_t epochs, tr_error *err)
{
    tr_fit_watcher *self = user;
    self->history = history;
    tr_progress_epoch(&self->view, history, epochs);
    TR_TRY(tr_fit_watcher_tabulate(self, err));
    return drawing_is_due(self) ? tr_fit_watcher_draw(self, err) : TR_OK;
}

static void on_rate(void *user, int64_t epoch, double learning_rate)
{
    tr_progress_clear(&((tr_fit_watcher *)user)->view);
    printf("reduce_lr_on_plateau: learning rate %g after epoch %lld\n", learning_rate,
           (long long)epoch);
}

static void on_saved(void *user, const char *path, int64_t iterations)
{
    tr_progress_clear(&((tr_fit_watcher *)user)->view);
    fprintf(stderr, "trainer: saved after %lld updates: %s\n", (long long)iterations, path);
}

tr_listener tr_fit_watcher_listener(tr_fit_watcher *self)
{
    return (tr_listener){.user = self,
                         .on_step = on_step,
                         .on_saved = on_saved,
                         .on_rate = on_rate,
                         .on_epoch = on_epoch};
}
