/* test_history_picture.c -- the curves: a point per epoch at its place, in its colour; nothing
 * drawn where it does not belong; whatever the history is like. */
#include <cairo.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "axis.h"
#include "chart.h"
#include "made_history.h"
#include "mem.h"
#include "net.h"
#include "series.h"

/* ---- the SVG as text ---- */

/* Release with free(). */
static char *svg_of(const tr_history *history)
{
    tr_error err = {0};
    const char *path = test_file("history.svg", "");
    cr_assert_eq(tr_history_write_svg(history, path, &err), TR_OK, "%s", err.text);
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t n = 0;
    cr_assert_gt(getdelim(&text, &n, '\0', file), 0);
    fclose(file);
    return text;
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        n++;
    return n;
}

/* Shapes of a fill: a style's property in cairo 1.16, an attribute with blanks in 1.18. */
static int count_filled(const char *text, const char *colour)
{
    int n = 0;
    for (; (text = strstr(text, "fill")) != NULL; text++) {
        char packed[64] = "";
        size_t length = 0;
        for (const char *c = text + strlen("fill"); length + 1 < sizeof packed && *c != '>'; c++)
            if (!isspace((unsigned char)*c) && strchr(":=\"", *c) == NULL)
                packed[length++] = *c;
        n += strncmp(packed, colour, strlen(colour)) == 0;
    }
    return n;
}

static void expect_size(const char *text, double width, double height)
{
    double w = 0.0, h = 0.0;
    const char *at = strstr(text, "width=\"");
    cr_assert(at != NULL && sscanf(at, "width=\"%lf", &w) == 1);
    at = strstr(text, "height=\"");
    cr_assert(at != NULL && sscanf(at, "height=\"%lf", &h) == 1);
    cr_assert(w == width && h == height, "%g x %g", w, h);
}

/* Every element is closed, in the right order, and there is one root. */
static void check_well_formed(const char *text)
{
    char open[32][32];
    int depth = 0, roots = 0;
    cr_assert_eq(strncmp(text, "<?xml", 5), 0);
    for (const char *at = strchr(text + 1, '<'); at != NULL; at = strchr(at + 1, '<')) {
        const char *end = strchr(at, '>');
        char name[32];
        cr_assert_not_null(end);
        cr_assert_eq(sscanf(at + 1 + (at[1] == '/'), "%31[a-zA-Z]", name), 1, "%.40s", at);
        if (at[1] == '/') {
            cr_assert_gt(depth, 0);
            cr_assert_str_eq(name, open[--depth]);
        } else if (end[-1] != '/') {
            roots += depth == 0;
            cr_assert_lt(depth, 32);
            memcpy(open[depth++], name, sizeof name);
        }
    }
    cr_assert_eq(depth, 0);
    cr_assert_eq(roots, 1);
}

static const char training_fill[] = "rgb(0%,44.705882%,69.803922%)";
static const char validation_fill[] = "rgb(83.529412%,36.862745%,0%)";

Test(history_picture, svg_has_a_point_per_epoch_and_curve)
{
    tr_history history = made_history(20, 1, true);
    char *text = svg_of(&history);
    check_well_formed(text);
    expect_size(text, 1120.0, 400.0);
    cr_assert_eq(count_filled(text, training_fill), 2 * (20 + 1), "two panels, with a legend each");
    cr_assert_eq(count_filled(text, validation_fill), 2 * (20 + 1));
    free(text);
    tr_history_release(&history);
    history = made_history(3, 0, false);
    text = svg_of(&history);
    check_well_formed(text);
    expect_size(text, 560.0, 400.0);
    cr_assert_eq(count_filled(text, training_fill), 3 + 1);
    cr_assert_eq(count_filled(text, validation_fill), 0);
    free(text);
    tr_history_release(&history);
}

Test(history_picture, svg_of_the_same_history_is_the_same)
{
    tr_history history = made_history(20, 1, true), other = made_history(7, 3, false);
    char *first = svg_of(&history);
    free(svg_of(&other));
    char *second = svg_of(&history);
    cr_assert_str_eq(first, second);
    free(first);
    free(second);
    tr_history_release(&history);
    tr_history_release(&other);
}

Test(history_picture, svg_does_not_grow_with_every_epoch)
{
    tr_history history = made_history(100000, 1, true);
    char *text = svg_of(&history);
    check_well_formed(text);
    cr_assert_lt(strlen(text), 500000);
    free(text);
    tr_history_release(&history);
}

/* ---- the PNG as pixels ---- */

enum { SCALE = 2 };

/* Release with cairo_surface_destroy(). */
static cairo_surface_t *png_of(const tr_history *history, int w, int h)
{
    tr_error err = {0};
    const char *path = test_file("history.png", "");
    cr_assert_eq(tr_history_write_png(history, path, &err), TR_OK, "%s", err.text);
    cairo_surface_t *surface = cairo_image_surface_create_from_png(path);
    cr_assert_eq(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
    cr_assert_eq(cairo_image_surface_get_width(surface), SCALE * w);
    cr_assert_eq(cairo_image_surface_get_height(surface), SCALE * h);
    return surface;
}

/* 0xRRGGBB at a place in the picture's own units. */
static unsigned at(cairo_surface_t *surface, double x, double y)
{
    const unsigned char *rows = cairo_image_surface_get_data(surface);
    const ptrdiff_t stride = cairo_image_surface_get_stride(surface);
    const unsigned char *row = rows + (ptrdiff_t)(SCALE * y) * stride;
    return ((const uint32_t *)(const void *)row)[(ptrdiff_t)(SCALE * x)] & 0xffffff;
}

/* Where the only panel has a value of an epoch. */
static double x_of(const tr_history *history, int64_t i)
{
    tr_axis axis;
    tr_axis_of_epochs(&axis, 1, history->n);
    return TR_CHART_LEFT + (TR_CHART_RIGHT - TR_CHART_LEFT) * tr_axis_place(&axis, (double)i + 1);
}

static double y_of(const tr_axis *axis, double value)
{
    return TR_CHART_BOTTOM - (TR_CHART_BOTTOM - TR_CHART_TOP) * tr_axis_place(axis, value);
}

Test(history_picture, png_has_each_point_at_its_place)
{
    tr_history history = made_history(10, 0, true);
    cairo_surface_t *surface = png_of(&history, TR_CHART_WIDTH, TR_CHART_HEIGHT);
    tr_axis axis;
    const double least = history.epochs[9].train.loss;
    tr_axis_of_values(&axis, least, 0.5, true);
    for (int64_t i = 0; i < 10; i++) {
        const double x = x_of(&history, i);
        const tr_epoch *epoch = &history.epochs[i];
        cr_expect_eq(at(surface, x, y_of(&axis, epoch->validation.loss)), TR_CHART_VALIDATION,
                     "epoch %d", (int)i + 1);
        if (fabs(epoch->train.loss - epoch->validation.loss) > 0.02)
            cr_expect_eq(at(surface, x, y_of(&axis, epoch->train.loss)), TR_CHART_TRAINING,
                         "epoch %d", (int)i + 1);
    }
    /* The ring around the best one, and none around the next. */
    const double best = y_of(&axis, history.epochs[6].validation.loss);
    cr_expect_lt(at(surface, x_of(&history, 6), best - 6.0) & 0xff, 0x60);
    const double next = y_of(&axis, history.epochs[7].validation.loss);
    cr_expect_gt(at(surface, x_of(&history, 7), next - 6.0) & 0xff, 0xd0);
    cairo_surface_destroy(surface);
    tr_history_release(&history);
}

/* Left of the axes, below them, above the legend: ink and grey only. */
static void check_margins(cairo_surface_t *surface)
{
    for (int y = 0; y < TR_CHART_HEIGHT; y++)
        for (int x = 0; x < TR_CHART_WIDTH; x++) {
            const bool inside = y >= TR_CHART_TOP && y <= TR_CHART_BOTTOM && x >= TR_CHART_LEFT;
            const bool legend = y >= 44 && y <= 56;
            const unsigned rgb = at(surface, x, y);
            const int red = (int)(rgb >> 16), blue = (int)(rgb & 255);
            if (!inside && !legend)
                cr_assert(abs(red - blue) < 8, "%06x at (%d, %d)", rgb, x, y);
        }
}

Test(history_picture, png_has_curves_within_the_axes_only)
{
    for (int64_t n = 0; n < 30; n += n < 3 ? 1 : 13) {
        tr_history history = made_history(n, 0, true);
        cairo_surface_t *surface = png_of(&history, TR_CHART_WIDTH, TR_CHART_HEIGHT);
        check_margins(surface);
        cairo_surface_destroy(surface);
        tr_history_release(&history);
    }
}

/* Two panels side by side, four in two rows, more in rows of three. */
Test(history_picture, panels_wrap)
{
    static const struct {
        int n_metrics, columns, rows;
    } cases[] = {{0, 1, 1}, {1, 2, 1}, {2, 2, 2}, {3, 2, 2}, {4, 3, 2}, {8, 3, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tr_history history = made_history(2, cases[i].n_metrics, true);
        const int w = cases[i].columns * TR_CHART_WIDTH, h = cases[i].rows * TR_CHART_HEIGHT;
        cairo_surface_t *surface = png_of(&history, w, h);
        for (int k = 0; k < cases[i].columns * cases[i].rows; k++) {
            const int x = k % cases[i].columns * TR_CHART_WIDTH + TR_CHART_LEFT + 3;
            const int y = k / cases[i].columns * TR_CHART_HEIGHT + 50;
            cr_expect_eq(at(surface, x, y),
                         k <= cases[i].n_metrics ? (unsigned)TR_CHART_TRAINING : 0xffffff,
                         "%d metrics, panel %d", cases[i].n_metrics, k);
        }
        cairo_surface_destroy(surface);
        tr_history_release(&history);
    }
}

/* ---- odd histories ---- */

static void check_drawn(const tr_history *history)
{
    char *text = svg_of(history);
    check_well_formed(text);
    cr_assert_eq(count(text, "nan") + count(text, "inf"), 0);
    free(text);
    cairo_surface_t *surface = png_of(history, 2 * TR_CHART_WIDTH, TR_CHART_HEIGHT);
    check_margins(surface);
    cairo_surface_destroy(surface);
}

static void check_losses(double first, double rest)
{
    tr_history history = made_history(4, 1, true);
    for (int i = 0; i < 4; i++)
        history.epochs[i].train.loss = history.epochs[i].validation.loss = i == 0 ? first : rest;
    check_drawn(&history);
    tr_history_release(&history);
}

Test(history_picture, odd_values)
{
    check_losses(0.0, 0.0);
    check_losses(0.7, 0.7);
    check_losses(1e-30, 2e-30);
    check_losses(1e30, 2e30);
    check_losses(1e30, 1e-30);
    check_losses(NAN, 0.5);
    check_losses(0.5, INFINITY);
    check_losses(NAN, NAN);
}

Test(history_picture, odd_lengths)
{
    for (int64_t n = 0; n <= 1000; n = n < 2 ? n + 1 : 10 * n) {
        tr_history history = made_history(n, 1, n % 2 == 0);
        check_drawn(&history);
        tr_history_release(&history);
    }
}

Test(history_picture, says_where_it_cannot_write)
{
    tr_error err = {0};
    tr_history history = made_history(2, 1, true);
    cr_assert_eq(tr_history_write_svg(&history, "/nowhere/h.svg", &err), TR_ERR_IO);
    cr_assert_not_null(strstr(err.text, "/nowhere/h.svg"));
    cr_assert_eq(tr_history_write_png(&history, "/nowhere/h.png", &err), TR_ERR_IO);
    cr_assert_not_null(strstr(err.text, "/nowhere/h.png"));
    tr_history_release(&history);
}

Test(history_picture, lack_of_memory_is_heard)
{
    tr_error err = {0};
    tr_history history = made_history(2, 1, true);
    const char *path = test_file("history.svg", "old");
    tr_alloc_fail_after(0);
    cr_assert_eq(tr_history_write_svg(&history, path, &err), TR_ERR_INTERNAL);
    tr_alloc_fail_after(0);
    cr_assert_eq(tr_history_write_png(&history, path, &err), TR_ERR_INTERNAL);
    tr_alloc_fail_after(-1);
    tr_history_release(&history);
}
