/* png_encode.c -- see png_encode.h; the PNG specification: https://www.w3.org/TR/png/ */
#include "png_encode.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "mem.h"

/* Of zlib: the highest that looks no further for a better match. */
enum { LEVEL = 3, ROOM = 1 << 16 };

static void put_number(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (24 - 8 * i));
}

/* type: four letters */
static cairo_status_t put_chunk(tr_cairo_bytes *out, const char *type, const unsigned char *data,
                                unsigned n)
{
    unsigned char head[8], tail[4];
    put_number(head, n);
    memcpy(head + 4, type, 4);
    const uLong sum = crc32(0, head + 4, 4); /* with NULL data, crc32() would start anew */
    put_number(tail, (uint32_t)(n > 0 ? crc32(sum, data, n) : sum));
    cairo_status_t status = tr_cairo_append(out, head, sizeof head);
    if (status == CAIRO_STATUS_SUCCESS && n > 0)
        status = tr_cairo_append(out, data, n);
    return status == CAIRO_STATUS_SUCCESS ? tr_cairo_append(out, tail, sizeof tail) : status;
}

static cairo_status_t put_header(tr_cairo_bytes *out, int w, int h)
{
    static const unsigned char signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    unsigned char header[13] = {[8] = 8 /* bits */, [9] = 2 /* RGB */};
    put_number(header, (uint32_t)w);
    put_number(header + 4, (uint32_t)h);
    const cairo_status_t status = tr_cairo_append(out, signature, sizeof signature);
    return status == CAIRO_STATUS_SUCCESS ? put_chunk(out, "IHDR", header, sizeof header) : status;
}

/* Compresses what the stream was given; full parts, and with Z_FINISH the rest, become chunks. */
static cairo_status_t put_data(tr_cairo_bytes *out, z_stream *stream, unsigned char *part,
                               int flush)
{
    for (int done = Z_OK; done == Z_OK;) {
        done = deflate(stream, flush);
        const unsigned n = ROOM - stream->avail_out;
        if (stream->avail_out > 0 && done != Z_STREAM_END)
            return CAIRO_STATUS_SUCCESS; /* all is taken in */
        const cairo_status_t status = put_chunk(out, "IDAT", part, n);
        if (status != CAIRO_STATUS_SUCCESS)
            return status;
        stream->next_out = part;
        stream->avail_out = ROOM;
    }
    return CAIRO_STATUS_SUCCESS;
}

/* A row of 0x00RRGGBB words, behind a filter of type 0: none. */
static void pack_row(unsigned char *row, const uint32_t *pixels, int w)
{
    for (int x = 0; x < w; x++) {
        row[1 + 3 * x] = (unsigned char)(pixels[x] >> 16);
        row[2 + 3 * x] = (unsigned char)(pixels[x] >> 8);
        row[3 + 3 * x] = (unsigned char)pixels[x];
    }
}

static cairo_status_t put_rows(tr_cairo_bytes *out, z_stream *stream, cairo_surface_t *surface,
                               unsigned char *part, unsigned char *row)
{
    const int w = cairo_image_surface_get_width(surface);
    const int h = cairo_image_surface_get_height(surface);
    const unsigned char *pixels = cairo_image_surface_get_data(surface);
    const ptrdiff_t stride = cairo_image_surface_get_stride(surface);
    cairo_status_t status = put_header(out, w, h);
    stream->next_out = part;
    stream->avail_out = ROOM;
    for (int y = 0; y < h && status == CAIRO_STATUS_SUCCESS; y++) {
        pack_row(row, (const uint32_t *)(const void *)(pixels + y * stride), w);
        stream->next_in = row;
        stream->avail_in = 1 + 3 * (unsigned)w;
        status = put_data(out, stream, part, y + 1 < h ? Z_NO_FLUSH : Z_FINISH);
    }
    return status == CAIRO_STATUS_SUCCESS ? put_chunk(out, "IEND", NULL, 0) : status;
}

cairo_status_t tr_png_encode(cairo_surface_t *surface, tr_cairo_bytes *out)
{
    z_stream stream = {0};
    cairo_status_t status = CAIRO_STATUS_NO_MEMORY;
    unsigned char *part = tr_alloc(ROOM, 1);
    unsigned char *row = tr_alloc(1 + 3 * (size_t)cairo_image_surface_get_width(surface), 1);
    if (part != NULL && row != NULL && deflateInit(&stream, LEVEL) == Z_OK) {
        status = put_rows(out, &stream, surface, part, row);
        deflateEnd(&stream);
    }
    tr_free(part);
    tr_free(row);
    return status;
}
