/* resize.c -- see resize.h. */
#include "resize.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "mem.h"
#include "simd.h"

enum { BITS = 22, HALF = 1 << (BITS - 1), LANES = 8 };

/* One direction of the stored picture: result j is the sum of count[j] pixels from first[j] on, by
 * weights[j][]. Results are in the order of the stored picture: first and first + count rise. */
typedef struct axis {
    int64_t n_in, n_out, most; /* most: pixels of a result */
    int64_t *first, *count;
    int32_t *weights; /* [n_out][most * channels]: one for each value of a pixel */
    int64_t *place;   /* in the result, in bytes */
} axis;

struct tr_resize {
    axis rows, columns;
    int channels;
    bool rows_first; /* the seen picture's x is along the stored one's rows */
    uint8_t *dst;
    int64_t at;         /* rows that came */
    int64_t done, open; /* results of `rows` that are finished, and begun */
    int64_t ring;       /* sums of so many are kept */
    int64_t width;      /* values of such a sum */
    int32_t *sums;      /* [ring][width] */
    uint8_t *narrow;    /* [columns.n_out * channels] */
    int32_t *wide;      /* a row of the stored picture, and LANES pixels behind it */
};

/* ---- weights ---- */

static double triangle(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

typedef struct window {
    double scale, support, from;
    int64_t n_in;
} window;

/* The pixels of result i, in the seen picture's order. */
static int64_t find_pixels(int64_t *first, double *centre, const window *in, int64_t i)
{
    *centre = in->from + ((double)i + 0.5) * in->scale;
    int64_t begin = (int64_t)(*centre - in->support + 0.5);
    int64_t end = (int64_t)(*centre + in->support + 0.5);
    begin = begin < 0 ? 0 : begin;
    end = end > in->n_in ? in->n_in : end;
    *first = begin;
    return end - begin;
}

/* Weights of 2^-22 that add up to about 1; reversed where the seen picture is mirrored. */
static void put_weights(int32_t *to, double *real, int64_t first, int64_t count, double centre,
                        double support, int channels, bool mirrored)
{
    double sum = 0;
    for (int64_t x = 0; x < count; x++) {
        real[x] = triangle(((double)(x + first) - centre + 0.5) * (1 / support));
        sum += real[x];
    }
    for (int64_t x = 0; x < count; x++) {
        const double weight = (sum != 0 ? real[x] / sum : real[x]) * (1 << BITS);
        int32_t *at = to + (mirrored ? count - 1 - x : x) * channels;
        for (int k = 0; k < channels; k++)
            at[k] = (int32_t)(weight + 0.5);
    }
}

static bool axis_make(axis *self, int64_t n_in, float from, float to, int64_t n_out, bool mirrored,
                      int channels)
{
    const double scale = (double)(to - from) / (double)n_out, support = scale < 1 ? 1 : scale;
    const window in = {.scale = scale, .support = support, .from = from, .n_in = n_in};
    self->n_in = n_in;
    self->n_out = n_out;
    self->most = (2 * (int64_t)ceil(support) + LANES) / LANES * LANES;
    self->first = tr_alloc((size_t)n_out, sizeof *self->first);
    self->count = tr_alloc((size_t)n_out, sizeof *self->count);
    self->place = tr_alloc((size_t)n_out, sizeof *self->place);
    self->weights =
        tr_alloc((size_t)n_out, (size_t)(self->most * channels) * sizeof *self->weights);
    double *real = tr_alloc((size_t)self->most, sizeof *real);
    const bool fine = self->first != NULL && self->count != NULL && self->place != NULL &&
                      self->weights != NULL && real != NULL;
    for (int64_t i = 0; fine && i < n_out; i++) {
        const int64_t j = mirrored ? n_out - 1 - i : i;
        double centre;
        int64_t first;
        self->count[j] = find_pixels(&first, &centre, &in, i);
        self->first[j] = mirrored ? n_in - first - self->count[j] : first;
        self->place[j] = i;
        put_weights(self->weights + j * self->most * channels, real, first, self->count[j], centre,
                    support, channels, mirrored);
    }
    tr_free(real);
    return fine;
}

static void axis_release(axis *self)
{
    tr_free(self->first);
    tr_free(self->count);
    tr_free(self->place);
    tr_free(self->weights);
}

static int64_t last_of(const axis *self, int64_t j)
{
    return self->first[j] + self->count[j] - 1;
}

/* How many results one row can belong to. */
static int64_t most_open(const axis *self)
{
    int64_t most = 1, open = 0;
    for (int64_t j = 0; j < self->n_out; j++) {
        while (open < self->n_out && self->first[open] <= last_of(self, j))
            open++;
        most = open - j > most ? open - j : most;
    }
    return most;
}

/* ---- the two passes ---- */

static uint8_t rounded(int32_t sum)
{
    const int32_t value = sum >> BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

TR_SIMD_CLONES
static void add_row(int32_t *restrict sums, const uint8_t *restrict row, int32_t weight, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        sums[i] += row[i] * weight;
}

TR_SIMD_CLONES
static void widen_row(int32_t *restrict to, const uint8_t *restrict row, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = row[i];
}

TR_SIMD_CLONES
static void round_row(int32_t *restrict to, const int32_t *restrict sums, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = rounded(sums[i]);
}

/* Lanes that see the same channel are added at the end: whole numbers know no order. Weights behind
 * the last pixel are zero, so that steps are whole. */
typedef int32_t lanes __attribute__((vector_size(4 * LANES)));

/* sums += LANES values by their weights. */
#define ADD_LANES(sums, row, weights)                                                              \
    do {                                                                                           \
        lanes values, factors;                                                                     \
        memcpy(&values, row, sizeof values);                                                       \
        memcpy(&factors, weights, sizeof factors);                                                 \
        sums += values * factors;                                                                  \
    } while (0)

TR_SIMD_CLONES
static void squeeze_3(uint8_t *restrict dst, const int32_t *restrict src, const axis *self)
{
    for (int64_t j = 0; j < self->n_out; j++) {
        const int32_t *from = src + 3 * self->first[j];
        const int32_t *weights = self->weights + 3 * j * self->most;
        lanes a = {HALF, HALF, HALF}, b = {0}, c = {0};
        for (int64_t i = 0; i < 3 * self->count[j]; i += 3 * LANES) {
            ADD_LANES(a, from + i, weights + i);
            ADD_LANES(b, from + i + LANES, weights + i + LANES);
            ADD_LANES(c, from + i + 2 * LANES, weights + i + 2 * LANES);
        }
        *dst++ = rounded(a[0] + a[3] + a[6] + b[1] + b[4] + b[7] + c[2] + c[5]);
        *dst++ = rounded(a[1] + a[4] + a[7] + b[2] + b[5] + c[0] + c[3] + c[6]);
        *dst++ = rounded(a[2] + a[5] + b[0] + b[3] + b[6] + c[1] + c[4] + c[7]);
    }
}

TR_SIMD_CLONES
static void squeeze_1(uint8_t *restrict dst, const int32_t *restrict src, const axis *self)
{
    for (int64_t j = 0; j < self->n_out; j++) {
        const int32_t *from = src + self->first[j];
        const int32_t *weights = self->weights + j * self->most;
        lanes sums = {HALF};
        for (int64_t i = 0; i < self->count[j]; i += LANES)
            ADD_LANES(sums, from + i, weights + i);
        int32_t sum = 0;
        for (int k = 0; k < LANES; k++)
            sum += sums[k];
        *dst++ = rounded(sum);
    }
}

static void squeeze(uint8_t *dst, const int32_t *src, const axis *self, int channels)
{
    if (channels == 3)
        squeeze_3(dst, src, self);
    else
        squeeze_1(dst, src, self);
}

/* ---- rows as they come ---- */

static bool make_rooms(tr_resize *self)
{
    const size_t narrow = (size_t)(self->columns.n_out * self->channels);
    self->width = self->rows_first ? self->columns.n_in * self->channels : (int64_t)narrow;
    self->ring = most_open(&self->rows);
    self->sums = tr_alloc((size_t)self->ring, (size_t)self->width * sizeof *self->sums);
    self->narrow = tr_alloc(narrow, 1);
    self->wide =
        tr_alloc((size_t)((self->columns.n_in + LANES) * self->channels), sizeof *self->wide);
    return self->sums != NULL && self->narrow != NULL && self->wide != NULL;
}

tr_resize *tr_resize_new(int64_t h, int64_t w, int channels, int orientation, const tr_place *place,
                         uint8_t *dst, int64_t stride)
{
    /* Which of them mirror the stored picture's rows (from below) and columns (from the right). */
    const bool turned = tr_is_turned(orientation);
    const bool from_below =
        orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const bool from_right =
        orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    tr_resize *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->channels = channels;
    self->rows_first = turned;
    self->dst = dst + (place->top * stride + place->left) * channels;
    const bool fine =
        turned
            ? axis_make(&self->rows, h, place->x0, place->x1, place->w, from_below, 1) &&
                  axis_make(&self->columns, w, place->y0, place->y1, place->h, from_right, channels)
            : axis_make(&self->rows, h, place->y0, place->y1, place->h, from_below, 1) &&
                  axis_make(&self->columns, w, place->x0, place->x1, place->w, from_right,
                            channels);
    if (!fine || !make_rooms(self)) {
        tr_resize_free(self);
        return NULL;
    }
    for (int64_t j = 0; j < self->rows.n_out; j++)
        self->rows.place[j] *= turned ? channels : stride * channels;
    for (int64_t j = 0; j < self->columns.n_out; j++)
        self->columns.place[j] *= turned ? stride * channels : channels;
    return self;
}

void tr_resize_free(tr_resize *self)
{
    if (self == NULL)
        return;
    axis_release(&self->rows);
    axis_release(&self->columns);
    tr_free(self->sums);
    tr_free(self->narrow);
    tr_free(self->wide);
    tr_free(self);
}

static int32_t *sums_of(const tr_resize *self, int64_t j)
{
    return self->sums + j % self->ring * self->width;
}

/* All of result j of the rows has come. */
static void finish(tr_resize *self, int64_t j)
{
    const int32_t *sums = sums_of(self, j);
    if (self->rows_first) {
        round_row(self->wide, sums, self->width);
        squeeze(self->narrow, self->wide, &self->columns, self->channels);
    } else {
        for (int64_t i = 0; i < self->width; i++)
            self->narrow[i] = rounded(sums[i]);
    }
    const uint8_t *from = self->narrow;
    uint8_t *to = self->dst + self->rows.place[j];
    for (int64_t i = 0; i < self->columns.n_out; i++, from += self->channels)
        memcpy(to + self->columns.place[i], from, (size_t)self->channels);
}

void tr_resize_row(tr_resize *self, const uint8_t *row)
{
    const axis *rows = &self->rows;
    const int64_t y = self->at++;
    if (y >= rows->n_in || self->done == rows->n_out || rows->first[self->done] > y)
        return;
    if (!self->rows_first) {
        widen_row(self->wide, row, self->columns.n_in * self->channels);
        squeeze(self->narrow, self->wide, &self->columns, self->channels);
    }
    const uint8_t *line = self->rows_first ? row : self->narrow;
    for (; self->open < rows->n_out && rows->first[self->open] <= y; self->open++) {
        int32_t *sums = sums_of(self, self->open);
        for (int64_t i = 0; i < self->width; i++)
            sums[i] = HALF;
    }
    for (int64_t j = self->done; j < self->open; j++)
        if (y <= last_of(rows, j))
            add_row(sums_of(self, j), line, rows->weights[j * rows->most + y - rows->first[j]],
                    self->width);
    for (; self->done < self->open && last_of(rows, self->done) <= y; self->done++)
        finish(self, self->done);
}
