/* test_png_encode.c -- cairo reads back every pixel, of pictures that compress and of noise. */
#include <cairo.h>
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "mem.h"
#include "png_encode.h"

static uint32_t *row_of(cairo_surface_t *surface, int y)
{
    unsigned char *rows = cairo_image_surface_get_data(surface);
    return (uint32_t *)(void *)(rows + (ptrdiff_t)y * cairo_image_surface_get_stride(surface));
}

/* What cairo_image_surface_create_from_png_stream() reads next. */
static cairo_status_t next(void *closure, unsigned char *data, unsigned length)
{
    tr_cairo_bytes *file = closure; /* capacity: how far it was read */
    if (length > file->n - file->capacity)
        return CAIRO_STATUS_READ_ERROR;
    memcpy(data, file->bytes + file->capacity, length);
    file->capacity += length;
    return CAIRO_STATUS_SUCCESS;
}

static void check(int w, int h, uint32_t noise)
{
    tr_cairo_bytes file = {0};
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, w, h);
    uint32_t state = 1;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            row_of(surface, y)[x] = (state = state * 1664525 + 1013904223) >> 8 & noise;
    cairo_surface_mark_dirty(surface);
    cr_assert_eq(tr_png_encode(surface, &file), CAIRO_STATUS_SUCCESS);
    cr_assert_eq(memcmp(file.bytes, "\x89PNG\r\n\x1a\n", 8), 0);
    tr_cairo_bytes reader = {.bytes = file.bytes, .n = file.n};
    cairo_surface_t *back = cairo_image_surface_create_from_png_stream(next, &reader);
    cr_assert_eq(cairo_surface_status(back), CAIRO_STATUS_SUCCESS, "%d x %d", w, h);
    cr_assert_eq(reader.capacity, file.n, "bytes behind the picture's end");
    cr_assert_eq(cairo_image_surface_get_width(back), w);
    cr_assert_eq(cairo_image_surface_get_height(back), h);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            cr_assert_eq(row_of(back, y)[x] & 0xffffff, row_of(surface, y)[x] & 0xffffff,
                         "(%d, %d)", y, x);
    cairo_surface_destroy(back);
    cairo_surface_destroy(surface);
    tr_free(file.bytes);
}

Test(png_encode, pixels_come_back)
{
    check(1, 1, 0xffffff);
    check(3, 7, 0xffffff);
    check(1000, 3, 0);
    check(256, 300, 0xffffff); /* several chunks */
    check(256, 300, 0x0f0000);
}

Test(png_encode, lack_of_memory_is_heard)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 4, 4);
    for (int k = 0; k < 3; k++) { /* the part, the row, the file */
        tr_cairo_bytes file = {0};
        tr_alloc_fail_after(k);
        cr_expect_eq(tr_png_encode(surface, &file), CAIRO_STATUS_NO_MEMORY, "allocation %d", k);
        tr_alloc_fail_after(-1);
        tr_free(file.bytes);
    }
    cairo_surface_destroy(surface);
}
