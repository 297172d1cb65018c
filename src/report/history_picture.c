/* history_picture.c -- the curves of a training as SVG and PNG; see trainer/history.h.
 *
 * Text is drawn as outlines, with an unhinted font: nothing depends on the screen, and the same
 * history is the same bytes.
 */
#include <cairo-svg.h>
#include <cairo.h>
#include <ctype.h>
#include <string.h>

#include "cairo_bytes.h"
#include "chart.h"
#include "file.h"
#include "history_picture.h"
#include "mem.h"
#include "png_encode.h"
#include "series.h"

static const int png_scale = 2; /* for screens of today */

typedef struct layout {
    int panels, columns, rows;
    int w, h;
} layout;

/* In reading order: the loss, then the metrics. */
static layout lay_out(const tr_history *history)
{
    layout out = {.panels = 1 + history->n_metrics};
    out.columns = out.panels > 4 ? 3 : out.panels > 1 ? 2 : 1;
    out.rows = (out.panels + out.columns - 1) / out.columns;
    out.w = out.columns * TR_CHART_WIDTH;
    out.h = out.rows * TR_CHART_HEIGHT;
    return out;
}

static void draw(cairo_t *cr, const tr_history *history)
{
    const layout at = lay_out(history);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(cr, options);
    cairo_font_options_destroy(options);
    cairo_select_font_face(cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_source_rgb(cr, 1.0, 1.0, 1.0);
    cairo_paint(cr);
    for (int i = 0; i < at.panels; i++) {
        cairo_save(cr);
        cairo_translate(cr, i % at.columns * TR_CHART_WIDTH, i / at.columns * TR_CHART_HEIGHT);
        tr_chart_draw(cr, history, i == 0 ? TR_LOSS : i - 1);
        cairo_restore(cr);
    }
}

static cairo_status_t draw_on(cairo_surface_t *surface, double scale, const tr_history *history)
{
    cairo_t *cr = cairo_create(surface);
    cairo_scale(cr, scale, scale);
    draw(cr, history);
    const cairo_status_t status = cairo_status(cr);
    cairo_destroy(cr);
    return status;
}

static tr_status check(cairo_status_t made, const char *what, tr_error *err)
{
    return made == CAIRO_STATUS_SUCCESS
               ? TR_OK
               : tr_fail(err, TR_ERR_INTERNAL, "cairo cannot make the %s: %s", what,
                         cairo_status_to_string(made));
}

/* cairo names the picture by a running number of the process; no other element refers to it. */
static void forget_surface_number(tr_cairo_bytes *file)
{
    static const char mark[] = "id=\"surface";
    unsigned char *found = memmem(file->bytes, file->n, mark, sizeof mark - 1);
    if (found == NULL)
        return;
    unsigned char *const end = file->bytes + file->n;
    unsigned char *digits = found + sizeof mark - 1, *rest = digits;
    while (rest < end && isdigit(*rest))
        rest++;
    memmove(digits, rest, (size_t)(end - rest));
    file->n -= (size_t)(rest - digits);
}

tr_status tr_history_draw_svg(const tr_history *history, tr_cairo_bytes *out, tr_error *err)
{
    const layout at = lay_out(history);
    cairo_surface_t *surface =
        cairo_svg_surface_create_for_stream(tr_cairo_append, out, at.w, at.h);
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    cairo_status_t made = draw_on(surface, 1.0, history);
    cairo_surface_finish(surface);
    if (made == CAIRO_STATUS_SUCCESS)
        made = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (made == CAIRO_STATUS_SUCCESS)
        forget_surface_number(out);
    return check(made, "SVG", err);
}

tr_status tr_history_draw_png(const tr_history *history, tr_cairo_bytes *out, tr_error *err)
{
    const layout at = lay_out(history);
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, at.w * png_scale, at.h * png_scale);
    cairo_status_t made = draw_on(surface, png_scale, history);
    cairo_surface_flush(surface);
    if (made == CAIRO_STATUS_SUCCESS)
        made = tr_png_encode(surface, out);
    cairo_surface_destroy(surface);
    return check(made, "PNG", err);
}

/* ---- files ---- */

static tr_status write_picture(tr_status (*draw_file)(const tr_history *, tr_cairo_bytes *,
                                                      tr_error *),
                               const tr_history *history, const char *path, tr_error *err)
{
    tr_cairo_bytes file = {0};
    tr_status status = draw_file(history, &file, err);
    if (status == TR_OK)
        status = tr_file_write(path, file.bytes, file.n, err);
    tr_free(file.bytes);
    return status;
}

tr_status tr_history_write_svg(const tr_history *history, const char *path, tr_error *err)
{
    return write_picture(tr_history_draw_svg, history, path, err);
}

tr_status tr_history_write_png(const tr_history *history, const char *path, tr_error *err)
{
    return write_picture(tr_history_draw_png, history, path, err);
}
