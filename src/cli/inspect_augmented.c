/* inspect_augmented.c -- see inspect_augmented.h. */
#include "inspect_augmented.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "command.h"
#include "mem.h"
#include "picture.h"
#include "sheet.h"
#include "trainer/augmented.h"

enum { DEFAULT_COLUMNS = 80, EPOCHS = 7, LARGE = 64 };

/* ---- on the terminal ---- */

static int terminal_columns(void)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return DEFAULT_COLUMNS;
    return size.ws_col;
}

static bool terminal_has_colours(void)
{
    const char *colours = getenv("COLORTERM");
    return isatty(STDOUT_FILENO) && colours != NULL &&
           (strcmp(colours, "truecolor") == 0 || strcmp(colours, "24bit") == 0);
}

tr_status tr_print_picture(const tr_image *image, tr_error *err)
{
    char *text = tr_picture_text(image, terminal_columns(), terminal_has_colours());
    if (text == NULL)
        return tr_out_of_memory(err, NULL);
    fputs(text, stdout);
    tr_free(text);
    return TR_OK;
}

/* ---- the sheet ---- */

/* So that a picture is about as large as LARGE pixels. */
static int good_zoom(const tr_augmented *of)
{
    return of->shape[0] >= LARGE ? 1 : (int)(LARGE / of->shape[0]);
}

static void print_caption(const char *path, const tr_augmented *of)
{
    printf("%s, training images", path);
    for (int64_t i = 0; i < of->n; i++)
        printf("%s %u", i == 0 ? "" : ",", of->samples[i]);
    printf(": each as it is, and behind layer %s in epochs 1 to %lld\n", of->layer,
           (long long)of->epochs);
}

static tr_status draw(const char *path, const tr_augmented *of, const char *png, int zoom,
                      tr_error *err)
{
    tr_image sheet = {0};
    TR_TRY(tr_sheet_draw(&sheet, of, err));
    print_caption(path, of);
    tr_status status =
        png == NULL ? tr_print_picture(&sheet, err)
                    : tr_picture_write_png(&sheet, png, zoom == 0 ? good_zoom(of) : zoom, err);
    if (status == TR_OK && png != NULL)
        printf("%s: written\n", png);
    tr_image_release(&sheet);
    return status;
}

static tr_status inspect(tr_session *session, const tr_options *options, const char *path,
                         int64_t n, const char *png, int zoom, tr_error *err)
{
    tr_augmented augmented = {0};
    TR_TRY(tr_session_load(session, options, err));
    TR_TRY(tr_session_build(session, err));
    TR_TRY(tr_session_opened(
        session,
        tr_dataset_open(&session->dataset, session->config, tr_model_targets(session->model), err),
        err));
    TR_TRY(tr_augmented_make(&augmented, session->config, session->model, session->dataset, n,
                             EPOCHS, err));
    const tr_status status = draw(path, &augmented, png, zoom, err);
    tr_augmented_release(&augmented);
    return status;
}

tr_status tr_inspect_augmented(const char *path, const char *config_path, int64_t n,
                               const char *png, int zoom, tr_error *err)
{
    char *file = tr_format("data.file=%s", path);
    if (file == NULL)
        return tr_out_of_memory(err, NULL);
    const char *overrides[] = {file};
    const tr_options options = {
        .config_path = config_path, .overrides = overrides, .n_overrides = 1};
    tr_session session = {0};
    const tr_status status = inspect(&session, &options, path, n, png, zoom, err);
    tr_session_close(&session);
    tr_free(file);
    return status;
}
