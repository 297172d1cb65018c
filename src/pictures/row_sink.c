/* row_sink.c -- see row_sink.h. */
#include "row_sink.h"

#include <stddef.h>
#include <string.h>

#include "mem.h"
#include "simd.h"

const char tr_rows_size_known[] = "its size is known";

static const char *check_size(const tr_row_sink *sink, bool whole)
{
    const int64_t h = sink->stored_h, w = sink->stored_w;
    if (h < 1 || w < 1)
        return "it is empty";
    if (h > TR_IMAGE_SIDE || w > TR_IMAGE_SIDE || h * w > TR_IMAGE_AREA)
        return "at most 65500 pixels on a side and 268435456 in all are read; make it smaller";
    if (whole && h * w > TR_IMAGE_WHOLE_AREA)
        return "at most 67108864 pixels are read where they do not come row by row (progressive, "
               "interlaced); make it smaller";
    if (sink->dst != NULL && sink->rules->h == 0)
        return "its size was asked for first";
    return NULL;
}

const char *tr_rows_begin(tr_row_sink *sink, int64_t h, int64_t w, int channels, int orientation,
                          bool whole)
{
    const int turn =
        orientation < TR_UPRIGHT || orientation > TR_ORIENTATIONS ? TR_UPRIGHT : orientation;
    sink->stored_h = h;
    sink->stored_w = w;
    sink->channels = channels;
    sink->h = tr_is_turned(turn) ? w : h;
    sink->w = tr_is_turned(turn) ? h : w;
    const char *fault = check_size(sink, whole);
    if (fault != NULL)
        return fault;
    if (sink->dst == NULL)
        return tr_rows_size_known;
    const tr_place place = tr_place_picture(sink->rules, sink->h, sink->w);
    sink->line = tr_alloc((size_t)w, (size_t)sink->rules->channels);
    sink->resize =
        tr_resize_new(h, w, sink->rules->channels, turn, &place, sink->dst, sink->rules->w);
    return sink->line == NULL || sink->resize == NULL ? "out of memory" : NULL;
}

/* What a viewer with a white page shows, rounded; opaque pixels stay what they are. True: not all
 * were opaque. row[n,colours + 1], alpha last, becomes row[n,colours]. */
static bool compose(uint8_t *row, int64_t n, int colours)
{
    const uint8_t *src = row;
    uint8_t *dst = row;
    bool transparent = false;
    for (int64_t i = 0; i < n; i++, src += colours + 1) {
        const int alpha = src[colours];
        transparent = transparent || alpha != 255;
        for (int k = 0; k < colours; k++)
            *dst++ = (uint8_t)((src[k] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
    return transparent;
}

TR_SIMD_CLONES
static void make_grey(uint8_t *dst, const uint8_t *src, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        dst[i] = tr_grey_of(src + 3 * i);
}

static void make_coloured(uint8_t *dst, const uint8_t *src, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        dst[3 * i] = dst[3 * i + 1] = dst[3 * i + 2] = src[i];
}

/* The row without alpha. */
static const uint8_t *opaque(tr_row_sink *sink, uint8_t *row)
{
    const int colours = sink->channels <= 2 ? 1 : 3;
    if (colours == sink->channels)
        return row;
    if (compose(row, sink->stored_w, colours))
        sink->transparent = true;
    return row;
}

void tr_rows_put(tr_row_sink *sink, uint8_t *row)
{
    const int colours = sink->channels <= 2 ? 1 : 3;
    const uint8_t *line = opaque(sink, row);
    if (colours == 3 && sink->rules->channels == 1)
        make_grey(sink->line, line, sink->stored_w);
    else if (colours == 1 && sink->rules->channels == 3)
        make_coloured(sink->line, line, sink->stored_w);
    sink->n_rows++;
    tr_resize_row(sink->resize, colours == sink->rules->channels ? line : sink->line);
}

void tr_rows_end(tr_row_sink *sink)
{
    tr_free(sink->line);
    tr_resize_free(sink->resize);
    sink->line = NULL;
    sink->resize = NULL;
}
