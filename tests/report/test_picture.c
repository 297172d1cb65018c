/* test_picture.c -- pixels from values, characters from pixels, and a PNG that reads back. */
#include "picture.h"

#include <cairo.h>
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

static tr_image image_of(int64_t h, int64_t w, int64_t c, const float *values, double low,
                         double high)
{
    tr_image image = {0};
    tr_error err = {0};
    cr_assert_eq(tr_picture_from_values(&image, values, h, w, c, low, high, &err), TR_OK, "%s",
                 err.text);
    return image;
}

static void expect_text(tr_image image, int columns, bool colour, const char *expected)
{
    char *text = tr_picture_text(&image, columns, colour);
    cr_assert_not_null(text);
    cr_expect_str_eq(text, expected, "got:\n%s", text);
    tr_free(text);
    tr_image_release(&image);
}

Test(picture, values_are_scaled_between_low_and_high)
{
    const float values[6] = {-1, 0, 1, 3, NAN, 2};
    const uint8_t expected[6] = {0, 0, 128, 255, 0, 255};
    tr_image image = image_of(2, 3, 1, values, 0, 2);
    cr_expect_arr_eq(image.pixels, expected, sizeof expected);
    tr_image_release(&image);
    image = image_of(2, 3, 1, values, 5, 5); /* no extent */
    cr_expect_eq(image.pixels[5], 0);
    tr_image_release(&image);
}

Test(picture, range_is_of_finite_values)
{
    const float values[4] = {NAN, -INFINITY, 3, -2};
    double low, high;
    tr_picture_range(values, 4, &low, &high);
    cr_expect(low == -2 && high == 3);
    tr_picture_range(values, 2, &low, &high);
    cr_expect(low == 0 && high == 0);
}

Test(picture, three_channels_are_colours_and_others_their_first)
{
    const float values[6] = {10, 20, 30, 40, 50, 60};
    const uint8_t rgb[6] = {10, 20, 30, 40, 50, 60}, first[3] = {10, 30, 50};
    tr_image image = image_of(1, 2, 3, values, 0, 255);
    cr_expect(image.c == 3);
    cr_expect_arr_eq(image.pixels, rgb, sizeof rgb);
    tr_image_release(&image);
    image = image_of(1, 3, 2, values, 0, 255);
    cr_expect(image.c == 1);
    cr_expect_arr_eq(image.pixels, first, sizeof first);
    tr_image_release(&image);
}

Test(picture, plain_characters_grow_denser)
{
    const float ten[10] = {0, 27, 53, 78, 104, 130, 155, 181, 206, 255};
    expect_text(image_of(1, 10, 1, ten, 0, 255), 80, false, "  ..::--==++**##%%@@\n");
    const float colours[6] = {255, 255, 255, 0, 255, 0}; /* white, green */
    expect_text(image_of(1, 2, 3, colours, 0, 255), 80, false, "@@++\n");
}

Test(picture, half_blocks_hold_two_rows)
{
    const float values[3] = {1, 2, 3};
    expect_text(image_of(3, 1, 1, values, 0, 255), 80, true,
                "\033[38;2;1;1;1;48;2;2;2;2m\xe2\x96\x80\033[0m\n"
                "\033[38;2;3;3;3m\xe2\x96\x80\033[0m\n");
}

/* 4 x 4 in four columns are 2 x 2 boxes, in one character 1 x 1; never enlarged. */
Test(picture, a_wide_picture_is_averaged_to_fit)
{
    const float values[16] = {0,   0,   255, 255, 0, 0, 255, 255, //
                              255, 255, 255, 0,   0, 0, 255, 0};
    expect_text(image_of(4, 4, 1, values, 0, 255), 4, false, "  @@\n++++\n");
    expect_text(image_of(4, 4, 1, values, 0, 255), 2, true,
                "\033[38;2;0;0;0;48;2;128;128;128m\xe2\x96\x80"
                "\033[38;2;255;255;255;48;2;128;128;128m\xe2\x96\x80\033[0m\n");
    expect_text(image_of(1, 1, 1, values + 2, 0, 255), 1, false, "@@\n");
    static const float wide[3 * 1000];
    expect_text(image_of(3, 1000, 1, wide, 0, 255), 10, false, "          \n"); /* one row stays */
}

/* ---- PNG ---- */

static const char *png_path(void)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/trainer-test-%d.png", (int)getpid());
    return path;
}

/* The picture in the file, as cairo reads it: 0xAARRGGBB, or alpha only. */
static cairo_surface_t *read_png(cairo_format_t format, int h, int w)
{
    cairo_surface_t *surface = cairo_image_surface_create_from_png(png_path());
    cr_assert_eq(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
    cr_expect_eq(cairo_image_surface_get_format(surface), format);
    cr_expect_eq(cairo_image_surface_get_height(surface), h);
    cr_expect_eq(cairo_image_surface_get_width(surface), w);
    return surface;
}

static uint32_t word_at(cairo_surface_t *surface, int y, int x)
{
    uint32_t word;
    memcpy(&word,
           cairo_image_surface_get_data(surface) + y * cairo_image_surface_get_stride(surface) +
               4 * x,
           4);
    return word & 0xffffff;
}

/* Byte 25 of a PNG is its colour type: 0 grey, 2 RGB. */
static int colour_type(void)
{
    unsigned char head[26] = {0};
    FILE *file = fopen(png_path(), "rb");
    cr_assert(file != NULL && fread(head, 1, 26, file) == 26);
    fclose(file);
    return head[25];
}

Test(picture, png_reads_back)
{
    const float rgb[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 250, 251, 252};
    tr_error err = {0};
    tr_image image = image_of(2, 2, 3, rgb, 0, 255);
    cr_assert_eq(tr_picture_write_png(&image, png_path(), 1, &err), TR_OK, "%s", err.text);
    tr_image_release(&image);
    cr_expect_eq(colour_type(), 2);
    cairo_surface_t *surface = read_png(CAIRO_FORMAT_RGB24, 2, 2);
    cr_expect_eq(word_at(surface, 0, 1), 0x040506);
    cr_expect_eq(word_at(surface, 1, 1), 0xfafbfc);
    cairo_surface_destroy(surface);

    const float grey[6] = {10, 20, 30, 40, 50, 60};
    image = image_of(2, 3, 1, grey, 0, 255);
    cr_assert_eq(tr_picture_write_png(&image, png_path(), 3, &err), TR_OK, "%s", err.text);
    tr_image_release(&image);
    cr_expect_eq(colour_type(), 0);
    surface = read_png(CAIRO_FORMAT_RGB24, 6, 9); /* on reading, cairo makes grey RGB */
    cr_expect_eq(word_at(surface, 2, 2), 0x0a0a0a);
    cr_expect_eq(word_at(surface, 3, 2), 0x282828);
    cr_expect_eq(word_at(surface, 2, 3), 0x141414);
    cr_expect_eq(word_at(surface, 5, 8), 0x3c3c3c);
    cairo_surface_destroy(surface);
    remove(png_path());
}

Test(picture, png_that_cannot_be_is_refused)
{
    const float values[2] = {0, 1};
    tr_error err = {0};
    tr_image image = image_of(1, 2, 1, values, 0, 1);
    cr_expect_eq(tr_picture_write_png(&image, "/nowhere/at/all.png", 1, &err), TR_ERR_IO);
    cr_expect_not_null(strstr(err.text, "/nowhere/at/all.png"), "%s", err.text);
    cr_expect_eq(tr_picture_write_png(&image, png_path(), 20000, &err), TR_ERR_DATA);
    cr_expect_neq(access(png_path(), F_OK), 0);
    tr_image_release(&image);
}
