/* convert_images.c -- see convert_images.h. */
#include "convert_images.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "thread_count.h"
#include "trainer/convert.h"

/* ---- options ---- */

/* A whole number of the text's beginning, 0 to `most`; -1: there is none. */
static int64_t read_whole(const char *text, char **end, int64_t most)
{
    const long long value = isdigit((unsigned char)*text) ? strtoll(text, end, 10) : -1;
    return value >= 0 && value <= most ? value : -1;
}

static tr_status read_option(int64_t *value, const char *name, const char *text, int64_t least,
                             int64_t most, tr_error *err)
{
    char *end = NULL;
    if (text == NULL)
        return TR_OK;
    const int64_t found = read_whole(text, &end, most);
    if (found < least || *end != '\0')
        return tr_fail(err, TR_ERR_CONFIG, "--%s %s: must be a whole number from %lld to %lld",
                       name, text, (long long)least, (long long)most);
    *value = found;
    return TR_OK;
}

/* "64x48", height first, or "64". */
static tr_status read_size(tr_pictures_options *options, const char *text, tr_error *err)
{
    enum { MOST_SIDE = 4096 };
    char *end = NULL;
    if (text == NULL)
        return TR_OK;
    options->h = options->w = read_whole(text, &end, MOST_SIDE);
    if (options->h > 0 && (*end == 'x' || *end == 'X'))
        options->w = read_whole(end + 1, &end, MOST_SIDE);
    if (options->h < 1 || options->w < 1 || *end != '\0')
        return tr_fail(err, TR_ERR_CONFIG,
                       "--size %s: must be height x width of 1 to 4096 pixels, such as 64x64",
                       text);
    return TR_OK;
}

static tr_status read_split(tr_pictures_options *options, const tr_images_request *asked,
                            tr_error *err)
{
    int64_t seed = 0;
    if (asked->test_split != NULL) {
        char *end = NULL;
        options->test_split = strtod(asked->test_split, &end);
        if (end == asked->test_split || *end != '\0' ||
            !(options->test_split > 0 && options->test_split < 1))
            return tr_fail(err, TR_ERR_CONFIG,
                           "--test-split %s: must be more than 0 and less than 1, such as 0.2",
                           asked->test_split);
    } else if (asked->split_seed != NULL || asked->stratify) {
        return tr_fail(err, TR_ERR_CONFIG, "--%s belongs to --test-split, which is not given",
                       asked->stratify ? "stratify" : "split-seed");
    }
    TR_TRY(read_option(&seed, "split-seed", asked->split_seed, 0, UINT32_MAX, err));
    options->split_seed = (uint32_t)seed;
    return TR_OK;
}

static tr_status read_options(tr_pictures_options *options, const tr_images_request *asked,
                              tr_error *err)
{
    enum { MOST_CHILDREN = 256 };
    char why[TR_WHY_MAX];
    int64_t n_children = tr_threads_choose(0, (int)sysconf(_SC_NPROCESSORS_ONLN), why);
    *options = (tr_pictures_options){.fit = asked->fit,
                                     .grey = asked->grey,
                                     .stratify = asked->stratify,
                                     .strict = asked->strict};
    TR_TRY(read_size(options, asked->size, err));
    if (asked->fit != NULL && asked->size == NULL)
        return tr_fail(err, TR_ERR_CONFIG,
                       "--fit belongs to --size, which is not given: all pictures must have one "
                       "size already");
    TR_TRY(read_split(options, asked, err));
    TR_TRY(read_option(&n_children, "threads", asked->threads, 1, MOST_CHILDREN, err));
    options->n_children = (int)n_children;
    return TR_OK;
}

/* ---- what is seen ---- */

typedef struct bar {
    double begin, drawn;
} bar;

/* On a terminal, ten times a second. */
static void draw(void *user, int64_t done, int64_t n)
{
    enum { WIDTH = 28 };
    static const char full[] = "============================";
    bar *self = user;
    const double now = tr_clock_s();
    if (now - self->drawn < 0.1 && done < n)
        return;
    self->drawn = now;
    const int filled = (int)(done * WIDTH / n);
    const double per_s = (double)done / (now - self->begin + 1e-9);
    fprintf(stderr, "\r\033[K[%.*s%*s] %lld/%lld pictures  ETA %.0f s  %.0f pictures/s", filled,
            full, WIDTH - filled, "", (long long)done, (long long)n, (double)(n - done) / per_s,
            per_s);
    if (done == n)
        fputs("\r\033[K", stderr);
    fflush(stderr);
}

static void say_parts(const char *to, const tr_pictures_report *report)
{
    printf("%s: %lld classes, pictures of %lld x %lld x %lld: %lld to train on", to,
           (long long)report->n_classes, (long long)report->h, (long long)report->w,
           (long long)report->c, (long long)report->n_train);
    if (report->n_validation > 0)
        printf(", %lld to validate", (long long)report->n_validation);
    if (report->n_test > 0)
        printf(", %lld to test", (long long)report->n_test);
    if (report->n_broken > 0)
        printf("; %lld could not be read", (long long)report->n_broken);
    printf("\n");
}

tr_status tr_images_convert(const tr_images_request *asked, const char *from, const char *to,
                            tr_error *err)
{
    tr_pictures_options options;
    tr_pictures_report report;
    bar watched = {.begin = tr_clock_s()};
    TR_TRY(read_options(&options, asked, err));
    if (isatty(STDERR_FILENO)) {
        options.progress = draw;
        options.user = &watched;
    }
    TR_TRY(tr_convert_pictures(from, to, &options, &report, err));
    TR_TRY(tr_print_lines("note", report.notes, err));
    say_parts(to, &report);
    return TR_OK;
}
