/* pnm_decode.c -- PGM and PPM; see image_decode.h.
 *
 * "P2" (or 3, 5, 6), width, height, maximum, each after white space or comments ("# ..." to the end
 * of the line); then the values: decimal numbers in P2 and P3; in P5 and P6, after a single
 * character of white space, bytes, or big-endian pairs of bytes where the maximum is above 255.
 */
#include <stdbool.h>

#include "image_decode.h"
#include "mem.h"

static const char ends_early[] = "it ends early";

typedef struct reader {
    tr_image_bytes file;
    size_t at;
    bool plain, colour;
    int64_t h, w;
    int maximum;
} reader;

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_space(reader *self)
{
    const tr_image_bytes file = self->file;
    while (self->at < file.n && (is_space(file.bytes[self->at]) || file.bytes[self->at] == '#')) {
        if (file.bytes[self->at] == '#')
            while (self->at < file.n && file.bytes[self->at] != '\n')
                self->at++;
        else
            self->at++;
    }
}

/* A decimal number of at most 9 digits; NULL, or what is wrong. */
static const char *read_number(reader *self, int *value)
{
    enum { MOST_DIGITS = 9 };
    int n_digits = 0;
    *value = 0;
    skip_space(self);
    if (self->at == self->file.n)
        return ends_early;
    for (; self->at < self->file.n && n_digits <= MOST_DIGITS; self->at++, n_digits++) {
        const uint8_t c = self->file.bytes[self->at];
        if (c < '0' || c > '9')
            break;
        if (n_digits < MOST_DIGITS)
            *value = 10 * *value + (c - '0');
    }
    if (n_digits == 0)
        return "there is something else where a number should be";
    return n_digits > MOST_DIGITS ? "a number in it is too large" : NULL;
}

static const char *read_head(reader *self)
{
    int w, h;
    const uint8_t kind = self->file.bytes[1]; /* the caller has seen "P2" or its like */
    self->plain = kind == '2' || kind == '3';
    self->colour = kind == '3' || kind == '6';
    self->at = 2;
    const char *fault = read_number(self, &w);
    if (fault == NULL)
        fault = read_number(self, &h);
    if (fault == NULL)
        fault = read_number(self, &self->maximum);
    if (fault != NULL)
        return fault;
    if (self->maximum < 1 || self->maximum > 65535)
        return "its maximum is not in 1 to 65535";
    self->h = h;
    self->w = w;
    if (!self->plain && self->at < self->file.n)
        self->at++; /* the single white space */
    return NULL;
}

/* The next value, scaled to 0..255. */
static const char *read_value(reader *self, int *value)
{
    if (self->plain) {
        const char *fault = read_number(self, value);
        if (fault != NULL)
            return fault;
    } else {
        const size_t n = self->maximum > 255 ? 2 : 1;
        if (self->file.n - self->at < n)
            return ends_early;
        *value = self->file.bytes[self->at++];
        if (n == 2)
            *value = *value << 8 | self->file.bytes[self->at++];
    }
    if (*value > self->maximum)
        return "a value is above its maximum";
    *value = (*value * 255 + self->maximum / 2) / self->maximum;
    return NULL;
}

static const char *put_rows(reader *self, tr_row_sink *sink, uint8_t *row)
{
    const int channels = self->colour ? 3 : 1;
    for (int64_t y = 0; y < self->h; y++) {
        for (int64_t i = 0; i < self->w * channels; i++) {
            int value;
            const char *fault = read_value(self, &value);
            if (fault != NULL)
                return fault;
            row[i] = (uint8_t)value;
        }
        tr_rows_put(sink, row);
    }
    return NULL;
}

const char *tr_pnm_decode(tr_image_bytes file, tr_row_sink *sink)
{
    reader self = {.file = file};
    const char *fault = read_head(&self);
    if (fault == NULL)
        fault = tr_rows_begin(sink, self.h, self.w, self.colour ? 3 : 1, TR_UPRIGHT, false);
    if (fault != NULL)
        return fault;
    uint8_t *row = tr_alloc((size_t)self.w, 3);
    fault = row == NULL ? "out of memory" : put_rows(&self, sink, row);
    tr_free(row);
    return fault;
}
