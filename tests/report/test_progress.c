/* test_progress.c -- the line of an epoch, the bar of a terminal, silence elsewhere. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "progress.h"

static tr_epoch epoch = {.epoch = 7,
                         .train = {.loss = 0.5, .values = {0.75}, .n = 100},
                         .validation = {.loss = 0.25, .values = {0.875}, .n = 10},
                         .seconds = 2.5,
                         .images_per_s = 40.0};

static char *line(int n_metrics, int64_t n_validation)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    tr_epoch copy = epoch;
    copy.validation.n = n_validation;
    tr_history history = {.epochs = &copy, .n = 1, .n_metrics = n_metrics, .names = {"accuracy"}};
    tr_progress_view view = {.lines = out};
    tr_progress_epoch(&view, &history, 20);
    fclose(out);
    return text;
}

Test(progress, line_says_what_the_run_has)
{
    char *text = line(1, 10);
    cr_assert_str_eq(text, "Epoch  7/20  loss 0.5000  accuracy 0.7500  val_loss 0.2500  "
                           "val_accuracy 0.8750  2.50 s  40 images/s\n");
    free(text);
    text = line(0, 0);
    cr_assert_str_eq(text, "Epoch  7/20  loss 0.5000  2.50 s  40 images/s\n");
    free(text);
}

Test(progress, bar_is_drawn_ten_times_a_second_and_erased)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    tr_progress_view view = {.lines = out, .bar = out};
    tr_step_event event = {.epoch = 1, .epochs = 2, .steps = 1000, .images = 8};
    for (event.step = 1; event.step <= 1000; event.step++) {
        event.seconds = (double)event.step * 0.001;
        tr_progress_step(&view, &event);
    }
    tr_progress_clear(&view);
    fclose(out);
    int drawn = 0;
    for (const char *at = text; (at = strstr(at, "Epoch 1/2 [")) != NULL; at++)
        drawn++;
    cr_assert(drawn >= 9 && drawn <= 11, "%d", drawn);
    cr_assert_str_eq(text + strlen(text) - 4, "\r\033[K");
    free(text);
}

/* What is drawn on a terminal of that many columns; 0: not on a terminal. */
static char *bar(unsigned short columns)
{
    static char text[512];
    int master = -1, slave = -1;
    const struct winsize size = {.ws_row = 24, .ws_col = columns};
    if (openpty(&master, &slave, NULL, NULL, &size) != 0)
        cr_skip_test("no terminal can be opened here: %s", strerror(errno));
    FILE *out = columns > 0 ? fdopen(slave, "w") : fmemopen(text, sizeof text, "w");
    static const char *const names[] = {"accuracy", "mean_squared_error"};
    const tr_step_event event = {.epoch = 3,
                                 .epochs = 20,
                                 .step = 100,
                                 .steps = 400,
                                 .seconds = 2.0,
                                 .images = 12800,
                                 .so_far = {.loss = 0.5, .values = {0.25, 0.125}},
                                 .n_metrics = 2,
                                 .names = names};
    tr_progress_step(&(tr_progress_view){.lines = out, .bar = out, .drawn_at = -1.0}, &event);
    fflush(out);
    if (columns > 0)
        text[read(master, text, sizeof text - 1)] = '\0';
    fclose(out);
    close(master);
    cr_assert_eq(strncmp(text, "\r\033[K", 4), 0);
    return text + 4;
}

Test(progress, bar_is_narrower_than_the_terminal)
{
    static const char rest[] = "100/400  ETA 6 s  6400 images/s  loss 0.5000  accuracy 0.2500  "
                               "mean_squared_error 0.1250";
    cr_assert_not_null(strstr(bar(160), "Epoch 3/20 [=======>....................] 100/400"));
    cr_assert_not_null(strstr(bar(160), rest));
    cr_assert_not_null(strstr(bar(115), "Epoch 3/20 [===>........] 100/400"), "%s", bar(115));
    cr_assert_not_null(strstr(bar(115), rest));
    cr_assert_str_eq(bar(40), "Epoch 3/20  100/400  ETA 6 s  6400 imag");
    cr_assert_str_eq(bar(1), "");
    for (unsigned short columns = 2; columns < 130; columns++)
        cr_assert_lt(strlen(bar(columns)), columns, "%d columns: %s", columns, bar(columns));
    cr_assert_eq(strlen(bar(0)), 79, "80 columns where nobody knows");
}

Test(progress, no_bar_without_a_terminal)
{
    tr_progress_view view = {.lines = stdout};
    tr_step_event event = {.epoch = 1, .epochs = 2, .step = 1, .steps = 10, .seconds = 1.0};
    tr_progress_step(&view, &event); /* would crash if it drew */
    tr_progress_clear(&view);
}
