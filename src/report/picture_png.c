/* picture_png.c -- a picture as a PNG file, by cairo; see picture.h. */
#include <cairo.h>

#include "cairo_bytes.h"
#include "file.h"
#include "mem.h"
#include "picture.h"

enum { MOST_PIXELS = 32767 }; /* on a side, of a cairo surface */

/* cairo writes its alpha-only surfaces as grey, and those of 0x00RRGGBB words as RGB. */
static void fill(cairo_surface_t *surface, const tr_image *image, int zoom)
{
    unsigned char *rows = cairo_image_surface_get_data(surface);
    const ptrdiff_t stride = cairo_image_surface_get_stride(surface);
    for (int64_t y = 0; y < image->h * zoom; y++) {
        const uint8_t *from = image->pixels + y / zoom * image->w * image->c;
        for (int64_t x = 0; x < image->w * zoom; x++) {
            const uint8_t *pixel = from + x / zoom * image->c;
            if (image->c == 3)
                ((uint32_t *)(void *)(rows + y * stride))[x] =
                    (uint32_t)pixel[0] << 16 | (uint32_t)pixel[1] << 8 | pixel[2];
            else
                rows[y * stride + x] = pixel[0];
        }
    }
}

tr_status tr_picture_write_png(const tr_image *image, const char *path, int zoom, tr_error *err)
{
    if (image->h > MOST_PIXELS / zoom || image->w > MOST_PIXELS / zoom)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: a picture of %lld x %lld pixels, each %d x %d, is larger than %d on a "
                       "side; make the zoom smaller",
                       path, (long long)image->h, (long long)image->w, zoom, zoom, MOST_PIXELS);
    tr_cairo_bytes png = {0};
    cairo_surface_t *surface =
        cairo_image_surface_create(image->c == 3 ? CAIRO_FORMAT_RGB24 : CAIRO_FORMAT_A8,
                                   (int)image->w * zoom, (int)image->h * zoom);
    cairo_status_t made = cairo_surface_status(surface);
    if (made == CAIRO_STATUS_SUCCESS) {
        cairo_surface_flush(surface);
        fill(surface, image, zoom);
        cairo_surface_mark_dirty(surface);
        made = cairo_surface_write_to_png_stream(surface, tr_cairo_append, &png);
    }
    cairo_surface_destroy(surface);
    const tr_status status =
        made == CAIRO_STATUS_SUCCESS
            ? tr_file_write(path, png.bytes, png.n, err)
            : tr_fail(err, TR_ERR_INTERNAL, "%s: cairo cannot make the picture: %s", path,
                      cairo_status_to_string(made));
    tr_free(png.bytes);
    return status;
}
