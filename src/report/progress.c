/* progress.c -- the bar and the lines; see progress.h. */
#include "progress.h"

#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

enum { BAR_MAX = 28, BAR_MIN = 8, LINE_ROOM = 1024 };

/* Of the terminal, which may change at any time; 80 where nobody knows. */
static int columns_of(FILE *terminal)
{
    struct winsize size;
    const int fd = fileno(terminal);
    if (fd < 0 || ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col < LINE_ROOM ? size.ws_col : LINE_ROOM;
}

void tr_progress_clear(tr_progress_view *view)
{
    if (view->bar != NULL) {
        fputs("\r\033[K", view->bar);
        fflush(view->bar);
    }
}

/* Appends to a line that has room for LINE_ROOM, and cuts what is longer. */
__attribute__((format(printf, 2, 3))) static void add(char *line, const char *format, ...)
{
    const size_t used = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, LINE_ROOM - used, format, arguments);
    va_end(arguments);
}

/* Never as wide as the terminal, as some wrap then: the bar shrinks and goes, then the end goes. */
static void compose(char line[LINE_ROOM], const tr_step_event *event, int columns)
{
    char head[64], tail[LINE_ROOM] = "", bar[BAR_MAX + 1];
    const double per_step = event->seconds / (double)event->step;
    snprintf(head, sizeof head, "Epoch %lld/%lld ", (long long)event->epoch,
             (long long)event->epochs);
    add(tail, "%lld/%lld  ETA %.0f s  %.0f images/s  loss %.4f", (long long)event->step,
        (long long)event->steps, per_step * (double)(event->steps - event->step),
        (double)event->images / event->seconds, event->so_far.loss);
    for (int i = 0; i < event->n_metrics; i++)
        add(tail, "  %s %.4f", event->names[i], event->so_far.values[i]);
    const int room = columns - 1 - (int)(strlen(head) + strlen(tail) + strlen("[] "));
    const int width = room < BAR_MIN ? 0 : room < BAR_MAX ? room : BAR_MAX;
    const int64_t filled = event->step * width / event->steps;
    for (int i = 0; i < width; i++)
        bar[i] = i < filled ? '=' : i == filled ? '>' : '.';
    bar[width] = '\0';
    line[0] = '\0';
    if (width > 0)
        add(line, "%s[%s] %s", head, bar, tail);
    else
        add(line, "%s %s", head, tail);
    line[columns - 1] = '\0';
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
    char line[LINE_ROOM];
    compose(line, event, columns_of(view->bar));
    fprintf(view->bar, "\r\033[K%s", line);
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
