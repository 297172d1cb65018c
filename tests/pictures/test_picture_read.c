/* test_picture_read.c -- pictures of every format, and files that only look like one. */
#include "data_fixture.h"

#include <cairo.h>
#include <math.h>

#include "picture_read.h"

TestSuite(picture_read, .init = make_folder, .fini = remove_folder);

static tr_status read_as_it_is(tr_image *out, const char *path, int channels, tr_error *err)
{
    return tr_picture_read(out, path, &(tr_picture_rules){.channels = channels}, err);
}

/* ---- making files ---- */

/* RGB of pixel (y, x); no two are alike, and no channel is constant. */
static void colour_at(int y, int x, uint8_t rgb[3])
{
    rgb[0] = (uint8_t)(40 * y + x);
    rgb[1] = (uint8_t)(200 - 9 * x);
    rgb[2] = (uint8_t)(7 * y * x + 1);
}

static uint8_t luma(const uint8_t rgb[3])
{
    return (uint8_t)((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16);
}

static const char *put_png(cairo_format_t format, int h, int w)
{
    const char *path = in_folder("picture.png");
    cairo_surface_t *surface = cairo_image_surface_create(format, w, h);
    uint8_t *rows = cairo_image_surface_get_data(surface);
    const int stride = cairo_image_surface_get_stride(surface);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint8_t rgb[3];
            colour_at(y, x, rgb);
            if (format == CAIRO_FORMAT_A8)
                rows[y * stride + x] = rgb[0];
            else
                ((uint32_t *)(void *)(rows + y * stride))[x] =
                    0xff000000u | (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
        }
    cairo_surface_mark_dirty(surface);
    cr_assert_eq(cairo_surface_write_to_png(surface, path), CAIRO_STATUS_SUCCESS);
    cairo_surface_destroy(surface);
    return path;
}

static void put_word(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* 24-bit BMP: rows from below, blue green red, padded to four bytes. */
static const char *put_bmp(int h, int w)
{
    const char *path = in_folder("picture.bmp");
    const int stride = (3 * w + 3) / 4 * 4;
    uint8_t bytes[4096] = "BM";
    put_word(bytes + 2, (uint32_t)(54 + stride * h));
    put_word(bytes + 10, 54);
    put_word(bytes + 14, 40);
    put_word(bytes + 18, (uint32_t)w);
    put_word(bytes + 22, (uint32_t)h);
    bytes[26] = 1;
    bytes[28] = 24;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint8_t rgb[3], *at = bytes + 54 + (h - 1 - y) * stride + 3 * x;
            colour_at(y, x, rgb);
            at[0] = rgb[2], at[1] = rgb[1], at[2] = rgb[0];
        }
    write_bytes(path, bytes, (size_t)(54 + stride * h));
    return path;
}

static const char *put_string(const char *name, const char *text)
{
    const char *path = in_folder(name);
    write_bytes(path, text, strlen(text));
    return path;
}

/* A grey JPEG of 8 x 8: one block whose every pixel is 128 + 8 * dc / 8 (its only coefficient). */
static size_t grey_jpeg(uint8_t bytes[1024])
{
    static const uint8_t head[] = {0xff, 0xd8, 0xff, 0xdb, 0, 67, 0};
    static const uint8_t frame[] = {0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0};
    /* DC: codes 00 of size 0 and 01 of size 6; AC: 00 is the end of the block. */
    static const uint8_t dc[] = {0xff, 0xc4, 0, 21, 0x00, 0, 2, 0, 0, 0, 0, 0,
                                 0,    0,    0, 0,  0,    0, 0, 0, 0, 0, 6};
    static const uint8_t ac[] = {0xff, 0xc4, 0, 20, 0x10, 0, 1, 0, 0, 0, 0,
                                 0,    0,    0, 0,  0,    0, 0, 0, 0, 0, 0};
    static const uint8_t scan[] = {0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0};
    /* 01 101000 (40 in six bits), 00, filled with ones: every pixel is 128 + 40 * 8 / 8. */
    static const uint8_t data[] = {0x68, 0x3f, 0xff, 0xd9};
    size_t n = 0;
    memcpy(bytes, head, sizeof head), n += sizeof head;
    memset(bytes + n, 8, 64), n += 64;
    memcpy(bytes + n, frame, sizeof frame), n += sizeof frame;
    memcpy(bytes + n, dc, sizeof dc), n += sizeof dc;
    memcpy(bytes + n, ac, sizeof ac), n += sizeof ac;
    memcpy(bytes + n, scan, sizeof scan), n += sizeof scan;
    memcpy(bytes + n, data, sizeof data), n += sizeof data;
    return n;
}

/* Black ink on nothing, as drawing programs save it: the drawing is in the alpha channel alone.
 * One pixel is red, half seen. */
static const char *put_transparent_png(void)
{
    static const uint32_t rows[4] = {0x00000000u, 0xff000000u, 0x33000000u, 0x80800000u};
    const char *path = in_folder("alpha.png");
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, 4, 1);
    memcpy(cairo_image_surface_get_data(surface), rows, sizeof rows);
    cairo_surface_mark_dirty(surface);
    cr_assert_eq(cairo_surface_write_to_png(surface, path), CAIRO_STATUS_SUCCESS);
    cairo_surface_destroy(surface);
    return path;
}

/* ---- reading them ---- */

static tr_image read_image(const char *path, int channels)
{
    tr_image image = {0};
    tr_error err = {0};
    cr_assert_eq(read_as_it_is(&image, path, channels, &err), TR_OK, "%s", err.text);
    cr_expect_eq(image.c, channels);
    return image;
}

/* The picture of colour_at(), in colour and in grey. */
static void expect_colours(const char *path, int h, int w)
{
    for (int channels = 1; channels <= 3; channels += 2) {
        tr_image image = read_image(path, channels);
        cr_assert(image.h == h && image.w == w);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                uint8_t rgb[3];
                colour_at(y, x, rgb);
                const uint8_t *at = image.pixels + (y * w + x) * channels;
                for (int k = 0; k < channels; k++)
                    cr_expect_eq(at[k], channels == 1 ? luma(rgb) : rgb[k],
                                 "%s, %d channels, [%d, %d, %d]", path, channels, y, x, k);
            }
        tr_image_release(&image);
    }
}

static void expect_pixels(const char *path, int channels, int h, int w, const uint8_t *pixels)
{
    tr_image image = read_image(path, channels);
    cr_assert(image.h == h && image.w == w);
    for (int i = 0; i < h * w * channels; i++)
        cr_expect_eq(image.pixels[i], pixels[i], "%s: value %d is %d", path, i, image.pixels[i]);
    tr_image_release(&image);
}

static void expect_refused(const char *path, const char *text)
{
    tr_image image = {0};
    tr_error err = {0};
    cr_expect_eq(read_as_it_is(&image, path, 1, &err), TR_ERR_DATA, "%s", path);
    expect_texts(&err, path, text, NULL);
    cr_expect_null(image.pixels);
}

/* Under the sanitizers: what is too large is not computed with. */
Test(picture_read, values_above_the_maximum_are_refused_first)
{
    expect_refused(put_string("a.pgm", "P2\n2 1\n255\n999999999 999999999\n"),
                   "a value is above its maximum");
    expect_refused(put_string("a.ppm", "P3\n1 1\n255\n1 999999999 999999999\n"),
                   "a value is above its maximum");
}

/* (value alpha + 255 (255 - alpha)) / 255 by hand; the red of stb_image's grey is 77/256. */
Test(picture_read, what_is_transparent_is_white)
{
    static const uint8_t colour[] = {255, 255, 255, 0, 0, 0, 204, 204, 204, 255, 127, 127};
    static const uint8_t grey[] = {255, 0, 204, 165};
    const char *path = put_transparent_png();
    expect_pixels(path, 3, 1, 4, colour);
    expect_pixels(path, 1, 1, 4, grey);
    tr_image seen = read_image(path, 1), opaque = read_image(put_bmp(2, 3), 1);
    cr_expect(seen.transparent);
    cr_expect_not(opaque.transparent);
    tr_image_release(&seen);
    tr_image_release(&opaque);
}

Test(picture_read, png_and_bmp_in_colour_and_grey)
{
    expect_colours(put_png(CAIRO_FORMAT_RGB24, 5, 3), 5, 3);
    expect_colours(put_png(CAIRO_FORMAT_ARGB32, 2, 7), 2, 7); /* all opaque */
    expect_colours(put_bmp(4, 5), 4, 5);
    const uint8_t grey[4] = {0, 1, 40, 41}, rgb[12] = {0, 0, 0, 1, 1, 1, 40, 40, 40, 41, 41, 41};
    expect_pixels(put_png(CAIRO_FORMAT_A8, 2, 2), 1, 2, 2, grey);
    expect_pixels(put_png(CAIRO_FORMAT_A8, 2, 2), 3, 2, 2, rgb);
    expect_no_leak();
}

/* 1 x 2 pixels, 0x1234 and 0xff01, grey of 16 bits: as Python's zlib wrote it, by hand. */
Test(picture_read, png_of_16_bits_keeps_the_upper_eight)
{
    static const uint8_t bytes[] = {
        0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
        0x44, 0x52, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x01, 0x10, 0x00, 0x00, 0x00,
        0x00, 0x81, 0xd9, 0xfc, 0x15, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x44, 0x41, 0x54, 0x78,
        0x9c, 0x63, 0x10, 0x32, 0xf9, 0xcf, 0x08, 0x00, 0x02, 0xe8, 0x01, 0x47, 0xef, 0xf3,
        0x79, 0x84, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};
    const char *path = in_folder("deep.png");
    write_bytes(path, bytes, sizeof bytes);
    expect_pixels(path, 1, 1, 2, (const uint8_t[]){0x12, 0xff});
}

Test(picture_read, jpeg)
{
    uint8_t bytes[1024], expected[64];
    const size_t n = grey_jpeg(bytes);
    memset(expected, 128 + 40, sizeof expected);
    write_bytes(in_folder("grey.jpg"), bytes, n);
    expect_pixels(in_folder("grey.jpg"), 1, 8, 8, expected);
}

Test(picture_read, pgm_and_ppm_plain_and_raw)
{
    const uint8_t scaled[6] = {0, 17, 255, 34, 51, 0};
    expect_pixels(put_string("a.pgm", "P2\n# made by hand\n3 2 # wide\n15\n0 1 15\n2 3 0"), 1, 2, 3,
                  scaled);
    const uint8_t same[3] = {65, 66, 255};
    expect_pixels(put_string("b.pgm", "P5 3 1 255\nAB\xff"), 1, 1, 3, same);
    const uint8_t deep[2] = {255, 65}; /* 0x40c1 of 65535 is 64.502 of 255 */
    expect_pixels(put_string("c.pgm", "P5 2 1 65535\n\xff\xff@\xc1"), 1, 1, 2, deep);
    const uint8_t rgb[6] = {255, 0, 0, 1, 2, 3}, grey[2] = {76, 2};
    expect_pixels(put_string("d.ppm", "P3 2 1 255 255 0 0 1 2 3"), 3, 1, 2, rgb);
    expect_pixels(put_string("d.ppm", "P3 2 1 255 255 0 0 1 2 3"), 1, 1, 2, grey);
    expect_pixels(put_string("e.ppm", "P6\n1 1\n255\nABC"), 3, 1, 1, (const uint8_t *)"ABC");
}

Test(picture_read, what_is_no_picture_is_named)
{
    expect_refused(in_folder("missing.png"), "no such file; expected a JPEG, PNG");
    expect_refused(folder, "is a folder");
    expect_refused(put_string("empty.png", ""), "is empty (0 bytes)");
    expect_refused(put_string("text.png", "hello"),
                   "begins with the bytes 68 65 6c 6c 6f; expected");
    expect_refused(put_string("icon.ico", "\1\1icon"), "01 01 69 63");
    expect_refused(put_string("gif.gif", "GIF89a"), "begins like a GIF");
    expect_refused(put_string("bits.pbm", "P1 1 1 1"), "50 31");
    expect_refused(put_string("short.png", "\x89PNG\r\n\x1a\n"), "begins like a PNG");
    expect_refused(put_string("zero.pgm", "P2 0 5 255"), "it is empty");
    expect_refused(put_string("huge.pgm", "P5 65535 65535 255\n"),
                   "65535 x 65535 pixels, but cannot be read: at most 65500");
    expect_refused(put_string("digits.pgm", "P5 99999999999 1 255\n"), "too large");
    expect_refused(put_string("area.pgm", "P5 16384 16385 255\n"), "268435456 in all are read");
    expect_refused(put_string("whole.pgm", "P5 8192 8193 255\n"), "give a smaller size");
    expect_refused(put_string("side.pgm", "P5 65501 1 255\n"), "at most 65500 pixels on a side");
    expect_refused(put_string("high.pgm", "P5 1 65501 255\n"), "at most 65500 pixels on a side");
    expect_refused(put_string("cut.pgm", "P5 2 2 255\nabc"), "it ends early");
    expect_refused(put_string("cut2.pgm", "P2 2 2 255 1 2 3"), "it ends early");
    expect_refused(put_string("word.pgm", "P2 2 2 255 1 2 x 4"), "something else");
    expect_refused(put_string("above.pgm", "P2 2 1 7 1 8"), "above its maximum");
    expect_refused(put_string("max.pgm", "P2 2 1 0 1 8"), "its maximum");
    expect_no_leak();
}

Test(picture_read, headers_of_impossible_sizes_are_refused)
{
    size_t n;
    uint8_t *bytes = read_bytes(put_png(CAIRO_FORMAT_RGB24, 5, 3), &n);
    const char *path = in_folder("claims.png");
    static const uint8_t sizes[][8] = {{0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff},
                                       {0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff},
                                       {0, 0, 0, 0, 0, 0, 0, 5},
                                       {0, 0, 0x40, 0, 0, 0, 0x40, 0}};
    for (int i = 0; i < 4; i++) {
        memcpy(bytes + 16, sizes[i], 8);
        write_bytes(path, bytes, n);
        expect_refused(path, "PNG picture");
    }
    tr_free(bytes);
    put_bmp(4, 5);
    bytes = read_bytes(in_folder("picture.bmp"), &n);
    put_word(bytes + 18, 65535);
    put_word(bytes + 22, 0x80000000u);
    write_bytes(in_folder("claims.bmp"), bytes, n);
    expect_refused(in_folder("claims.bmp"), "BMP picture");
    tr_free(bytes);
    uint8_t jpeg[1024];
    n = grey_jpeg(jpeg);
    memset(jpeg + 76, 0xff, 4);
    write_bytes(in_folder("claims.jpg"), jpeg, n);
    expect_refused(in_folder("claims.jpg"), "JPEG picture");
}

Test(picture_read, other_channel_counts_are_refused)
{
    tr_image image = {0};
    tr_error err = {0};
    cr_expect_eq(read_as_it_is(&image, put_bmp(2, 2), 2, &err), TR_ERR_DATA);
    expect_texts(&err, "picture.bmp", "not 2", NULL);
}

/* ---- damage ---- */

/* Our process allocates what it shares with its children and nothing for the file's bytes. */
Test(picture_read, is_read_in_child_processes)
{
    tr_image image;
    const char *path = put_bmp(4, 5);
    const uint64_t before = tr_alloc_count();
    cr_assert_eq(read_as_it_is(&image, path, 3, NULL), TR_OK);
    cr_expect_eq(tr_alloc_count() - before, 4); /* the size, the pixels, a report of each child */
    tr_image_release(&image);
}

/* `count` variants of the file, cut or with bits turned: each an error that names it, or a picture.
 * Returns how many were errors. */
static int damage(uint8_t *bytes, size_t n, int count)
{
    const char *path = in_folder("damaged");
    int n_refused = 0;
    uint32_t random = 12345;
    for (int i = 0; i < count; i++) {
        tr_image image = {0};
        tr_error err = {0};
        random = random * 1664525u + 1013904223u;
        const size_t at = (size_t)i * n / (size_t)count;
        const uint8_t before = bytes[at];
        bytes[at] ^= (uint8_t)(i % 3 == 0 ? 1u << (random >> 29) : random >> 24);
        write_bytes(path, bytes, i % 3 == 2 ? at : n);
        bytes[at] = before;
        const tr_status status = read_as_it_is(&image, path, i % 2 ? 3 : 1, &err);
        cr_assert(status == TR_OK || status == TR_ERR_DATA, "variant %d: %s", i, err.text);
        cr_expect_eq(status == TR_OK, image.pixels != NULL);
        cr_expect(status == TR_OK || strstr(err.text, path) != NULL, "%s", err.text);
        n_refused += status != TR_OK;
        tr_image_release(&image);
    }
    return n_refused;
}

Test(picture_read, no_damage_crashes_us)
{
    size_t n;
    uint8_t jpeg[1024], *bytes = read_bytes(put_png(CAIRO_FORMAT_RGB24, 9, 7), &n);
    cr_expect_gt(damage(bytes, n, 180), 40);
    tr_free(bytes);
    n = grey_jpeg(jpeg);
    cr_expect_gt(damage(jpeg, n, 140), 20);
    bytes = read_bytes(put_bmp(4, 5), &n);
    cr_expect_gt(damage(bytes, n, 90), 10);
    tr_free(bytes);
    bytes = read_bytes(put_string("p.pgm", "P2 # c\n4 2\n255 1 2 3 4 5 6 7 8"), &n);
    cr_expect_gt(damage(bytes, n, 45), 10);
    tr_free(bytes);
    bytes = read_bytes(put_string("p.ppm", "P6 4 1 255\nabcdefghijkl"), &n);
    cr_expect_gt(damage(bytes, n, 45), 10);
    tr_free(bytes);
    expect_no_leak();
}

Test(picture_read, survives_any_failed_allocation)
{
    const char *path = put_bmp(4, 5);
    tr_status status = TR_ERR_INTERNAL;
    int64_t k = 0;
    for (; status != TR_OK && k < 100; k++) {
        tr_image image = {0};
        tr_error err = {0};
        tr_alloc_fail_after(k);
        status = read_as_it_is(&image, path, 3, &err);
        tr_alloc_fail_after(-1);
        cr_expect_eq(image.pixels != NULL, status == TR_OK);
        tr_image_release(&image);
    }
    cr_expect_geq(k, 5);
    expect_no_leak();
}
