/* chart.c -- see chart.h.
 *
 * Nothing is ever drawn over the curves but the ring around the best epoch: title, best value and
 * legend lie above the axes. Of more epochs than there is room for, the extremes of each half unit
 * of width are drawn, so that a picture's size has a bound and no spike is lost.
 */
#include "chart.h"

#include <math.h>
#include <stdio.h>

#include "axis.h"
#include "series.h"

enum { INK = 0x222222, FAINT = 0x666666, GRID = 0xe4e4e4 };
enum { W = TR_CHART_RIGHT - TR_CHART_LEFT, H = TR_CHART_BOTTOM - TR_CHART_TOP };

static const double title_size = 15.0, text_size = 12.0, tick_size = 11.0;

typedef struct chart {
    cairo_t *cr;
    const tr_history *history;
    tr_series series[2]; /* training, validation */
    int n_series;
    tr_axis x, y;
    double marker; /* radius; 0: too many epochs */
} chart;

static void set_colour(cairo_t *cr, unsigned rgb)
{
    cairo_set_source_rgb(cr, (rgb >> 16) / 255.0, (rgb >> 8 & 255) / 255.0, (rgb & 255) / 255.0);
}

static double x_of(const chart *self, int64_t epoch_idx)
{
    const double epoch = (double)self->history->epochs[epoch_idx].epoch;
    return TR_CHART_LEFT + W * tr_axis_place(&self->x, epoch);
}

static double y_at(const chart *self, double value)
{
    return TR_CHART_BOTTOM - H * tr_axis_place(&self->y, value);
}

/* ---- text ---- */

static double width_of(cairo_t *cr, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(cr, text, &extents);
    return extents.x_advance;
}

/* before: the share of the text's width that lies left of x. */
static void draw_text(cairo_t *cr, double x, double y, double before, const char *text)
{
    cairo_move_to(cr, x - before * width_of(cr, text), y);
    cairo_show_text(cr, text);
    cairo_new_path(cr); /* no line starts behind a text */
}

/* ---- axes ---- */

static void prepare_axes(chart *self)
{
    double least = INFINITY, most = -INFINITY;
    const int64_t n = self->history->n;
    for (int s = 0; s < self->n_series; s++)
        for (int64_t i = 0; i < n; i++) {
            const double value = tr_series_value(&self->series[s], i);
            least = isfinite(value) ? fmin(least, value) : least;
            most = isfinite(value) ? fmax(most, value) : most;
        }
    tr_axis_of_values(&self->y, least, most, self->series[0].metric == TR_LOSS);
    const tr_epoch *epochs = self->history->epochs;
    tr_axis_of_epochs(&self->x, n > 0 ? epochs[0].epoch : 1, n > 0 ? epochs[n - 1].epoch : 1);
    const double spacing = n > 1 ? x_of(self, 1) - x_of(self, 0) : W;
    self->marker = spacing < 5.0 ? 0.0 : fmin(0.3 * spacing, 3.0);
}

static void draw_grid(const chart *self)
{
    cairo_t *cr = self->cr;
    cairo_set_line_width(cr, 1.0);
    set_colour(cr, GRID);
    for (int i = 0; i < self->x.n_ticks; i++) {
        const double x = TR_CHART_LEFT + W * tr_axis_place(&self->x, self->x.ticks[i].value);
        cairo_move_to(cr, x, TR_CHART_TOP);
        cairo_line_to(cr, x, TR_CHART_BOTTOM);
    }
    for (int i = 0; i < self->y.n_ticks; i++) {
        const double y = y_at(self, self->y.ticks[i].value);
        cairo_move_to(cr, TR_CHART_LEFT, y);
        cairo_line_to(cr, TR_CHART_RIGHT, y);
    }
    cairo_stroke(cr);
    set_colour(cr, FAINT);
    cairo_move_to(cr, TR_CHART_LEFT, TR_CHART_TOP);
    cairo_line_to(cr, TR_CHART_LEFT, TR_CHART_BOTTOM);
    cairo_line_to(cr, TR_CHART_RIGHT, TR_CHART_BOTTOM);
    cairo_stroke(cr);
}

static void draw_labels(const chart *self)
{
    cairo_t *cr = self->cr;
    char name[96];
    set_colour(cr, INK);
    cairo_set_font_size(cr, tick_size);
    for (int i = 0; i < self->x.n_ticks; i++)
        draw_text(cr, TR_CHART_LEFT + W * tr_axis_place(&self->x, self->x.ticks[i].value),
                  TR_CHART_BOTTOM + 16, 0.5, self->x.ticks[i].label);
    for (int i = 0; i < self->y.n_ticks; i++)
        draw_text(cr, TR_CHART_LEFT - 7, y_at(self, self->y.ticks[i].value) + 4, 1.0,
                  self->y.ticks[i].label);
    cairo_set_font_size(cr, text_size);
    draw_text(cr, TR_CHART_LEFT + W / 2.0, TR_CHART_BOTTOM + 38, 0.5, "epoch");
    snprintf(name, sizeof name, "%s%s", tr_series_name(&self->series[0]),
             self->y.logarithmic ? ", logarithmic" : "");
    if (self->y.exponent != 0)
        snprintf(name, sizeof name, "%s, in 1e%d", tr_series_name(&self->series[0]),
                 self->y.exponent);
    cairo_save(cr);
    cairo_translate(cr, 20, TR_CHART_TOP + H / 2.0);
    cairo_rotate(cr, -acos(0.0));
    draw_text(cr, 0, 0, 0.5, name);
    cairo_restore(cr);
}

/* ---- curves ---- */

static void draw_marker(const chart *self, int s, double x, double y)
{
    const double r = self->marker > 0.0 ? self->marker : 2.5;
    if (s == 0) /* its rim is seen where the other lies upon it */
        cairo_arc(self->cr, x, y, 1.2 * r, 0.0, 4.0 * acos(0.0));
    else
        cairo_rectangle(self->cr, x - 0.8 * r, y - 0.8 * r, 1.6 * r, 1.6 * r);
    cairo_fill(self->cr);
}

/* The next points of the curve that share half a unit of width: one, or two extremes. Returns the
 * index behind them. */
static int64_t draw_points(const chart *self, const tr_series *series, int64_t i)
{
    const double x = x_of(self, i);
    double least = tr_series_value(series, i), most = least;
    for (i++; i < self->history->n && x_of(self, i) - x < 0.5; i++) {
        const double value = tr_series_value(series, i);
        least = fmin(least, value);
        most = fmax(most, value);
    }
    if (!isfinite(least) || !isfinite(most)) {
        cairo_new_sub_path(self->cr); /* a gap */
        return i;
    }
    cairo_line_to(self->cr, x, y_at(self, least));
    if (most > least)
        cairo_line_to(self->cr, x, y_at(self, most));
    return i;
}

static void draw_curve(const chart *self, int s)
{
    const tr_series *series = &self->series[s];
    set_colour(self->cr, s == 0 ? TR_CHART_TRAINING : TR_CHART_VALIDATION);
    cairo_set_line_width(self->cr, self->marker > 0.0 ? 1.8 : 1.2);
    cairo_set_line_join(self->cr, CAIRO_LINE_JOIN_ROUND);
    for (int64_t i = 0; i < self->history->n;)
        i = draw_points(self, series, i);
    cairo_stroke(self->cr);
    for (int64_t i = 0; i < self->history->n && self->marker > 0.0; i++)
        if (isfinite(tr_series_value(series, i)))
            draw_marker(self, s, x_of(self, i), y_at(self, tr_series_value(series, i)));
}

/* ---- above the axes ---- */

static void draw_ring(const chart *self, double x, double y)
{
    set_colour(self->cr, INK);
    cairo_set_line_width(self->cr, 1.2);
    cairo_new_sub_path(self->cr);
    cairo_arc(self->cr, x, y, 6.0, 0.0, 4.0 * acos(0.0));
    cairo_stroke(self->cr);
}

static void draw_best(const chart *self)
{
    char text[80];
    const tr_series *series = &self->series[1];
    const int64_t best = self->n_series == 2 ? tr_series_best(series) : -1;
    if (best < 0)
        return;
    const double value = tr_series_value(series, best);
    draw_ring(self, x_of(self, best), y_at(self, value));
    snprintf(text, sizeof text, "best %.4g, epoch %lld", value,
             (long long)self->history->epochs[best].epoch);
    set_colour(self->cr, FAINT);
    cairo_set_font_size(self->cr, text_size);
    draw_text(self->cr, TR_CHART_RIGHT, 28, 1.0, text);
    draw_ring(self, TR_CHART_RIGHT - width_of(self->cr, text) - 12, 24);
}

static void draw_title(const chart *self)
{
    char text[96];
    set_colour(self->cr, INK);
    cairo_set_font_size(self->cr, title_size);
    snprintf(text, sizeof text, "model %s", tr_series_name(&self->series[0]));
    const double room = W - 190; /* the best value is right of it */
    cairo_set_font_size(self->cr, title_size * fmin(1.0, room / width_of(self->cr, text)));
    draw_text(self->cr, TR_CHART_LEFT, 28, 0.0, text);
}

/* Keras's keys, in a smaller font where they are long. */
static void draw_legend(const chart *self)
{
    enum { SAMPLE = 32, GAP = 20 };
    cairo_t *cr = self->cr;
    char names[2][96];
    double wide = 0.0, x = TR_CHART_LEFT;
    cairo_set_font_size(cr, text_size);
    for (int s = 0; s < self->n_series; s++) {
        snprintf(names[s], sizeof names[s], "%s%s", s == 0 ? "" : "val_",
                 tr_series_name(&self->series[s]));
        wide += width_of(cr, names[s]);
    }
    cairo_set_font_size(cr, text_size * fmin(1.0, (W - 2 * SAMPLE - GAP) / wide));
    cairo_set_line_width(cr, 1.8);
    for (int s = 0; s < self->n_series; s++) {
        set_colour(cr, s == 0 ? TR_CHART_TRAINING : TR_CHART_VALIDATION);
        cairo_move_to(cr, x, 50);
        cairo_line_to(cr, x + 26, 50);
        cairo_stroke(cr);
        draw_marker(self, s, x + 13, 50);
        set_colour(cr, INK);
        draw_text(cr, x + SAMPLE, 54, 0.0, names[s]);
        x += SAMPLE + width_of(cr, names[s]) + GAP;
    }
}

void tr_chart_draw(cairo_t *cr, const tr_history *history, int metric)
{
    chart self = {.cr = cr,
                  .history = history,
                  .series = {{history, metric, false}, {history, metric, true}},
                  .n_series = history->validation ? 2 : 1};
    prepare_axes(&self);
    draw_grid(&self);
    draw_labels(&self);
    for (int s = 0; s < self.n_series; s++)
        draw_curve(&self, s);
    draw_title(&self);
    draw_legend(&self);
    draw_best(&self);
}
