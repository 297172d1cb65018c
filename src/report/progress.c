/* progress.c -- the bar and the lines; see progress.h. */
#include "progress.h"

enum { BAR = 28 };

void tr_progress_clear(tr_progress_view *view)
{
    if (view->bar != NULL) {
        fputs("\r\033[K", view->bar);
        fflush(view->bar);
    }
}

void tr_progress_step(tr_progress_view *view, const tr_step_event *event)
{
    if (view->bar == NULL)
        return;
    if (event->step == 1)
        view->drawn_at = -1.0;
    if (event->seconds - view->drawn_at < 0.1)
        return;
    view->drawn_at = event->seconds;
    char bar[BAR + 1];
    const int64_t filled = event->step * BAR / event->steps;
    for (int i = 0; i < BAR; i++)
        bar[i] = i < filled ? '=' : i == filled ? '>' : '.';
    bar[BAR] = '\0';
    const double per_step = event->seconds / (double)event->step;
    fprintf(view->bar,
            "\r\033[KEpoch %lld/%lld [%s] %lld/%lld  ETA %.0f s  %.0f images/s  loss %.4f",
            (long long)event->epoch, (long long)event->epochs, bar, (long long)event->step,
            (long long)event->steps, per_step * (double)(event->steps - event->step),
            (double)event->images / event->seconds, event->so_far.loss);
    for (int i = 0; i < event->n_metrics; i++)
        fprintf(view->bar, "  %s %.4f", event->names[i], event->so_far.values[i]);
    fflush(view->bar);
}

void tr_progress_epoch(tr_progress_view *view, const tr_history *history, int64_t epochs)
{
    const tr_epoch *epoch = &history->epochs[history->n - 1];
    tr_progress_clear(view);
    fprintf(view->lines, "Epoch %*lld/%lld  loss %.4f",
            epochs < 10    ? 1
            : epochs < 100 ? 2
                           : 4,
            (long long)epoch->epoch, (long long)epochs, epoch->train.loss);
    for (int i = 0; i < history->n_metrics; i++)
        fprintf(view->lines, "  %s %.4f", history->names[i], epoch->train.values[i]);
    if (epoch->validation.n > 0) {
        fprintf(view->lines, "  val_loss %.4f", epoch->validation.loss);
        for (int i = 0; i < history->n_metrics; i++)
            fprintf(view->lines, "  val_%s %.4f", history->names[i], epoch->validation.values[i]);
    }
    fprintf(view->lines, "  %.2f s  %.0f images/s\n", epoch->seconds, epoch->images_per_s);
    fflush(view->lines);
}
