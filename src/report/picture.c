/* picture.c -- from values to pixels, and from pixels to characters; see picture.h. */
#include "picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem.h"

/* ---- values to pixels ---- */

void tr_picture_range(const float *values, int64_t n, double *low, double *high)
{
    *low = *high = 0;
    bool any = false;
    for (int64_t i = 0; i < n; i++) {
        const double value = values[i];
        if (!isfinite(value))
            continue;
        *low = any && *low < value ? *low : value;
        *high = any && *high > value ? *high : value;
        any = true;
    }
}

static uint8_t pixel_of(double value, double low, double high)
{
    if (!(value > low)) /* NaN, and all of a range without extent */
        return 0;
    return value >= high ? 255 : (uint8_t)lround(255 * (value - low) / (high - low));
}

static bool image_new(tr_image *out, int64_t h, int64_t w, int64_t c)
{
    *out =
        (tr_image){.h = h, .w = w, .c = c, .pixels = tr_shared_alloc((size_t)(h * w), (size_t)c)};
    return out->pixels != NULL;
}

tr_status tr_picture_from_values(tr_image *out, const float *values, int64_t h, int64_t w,
                                 int64_t c, double low, double high, tr_error *err)
{
    tr_image image;
    if (!image_new(&image, h, w, c == 3 ? 3 : 1))
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory for a picture of %lld x %lld",
                       (long long)h, (long long)w);
    for (int64_t i = 0; i < h * w; i++)
        for (int64_t k = 0; k < image.c; k++)
            image.pixels[i * image.c + k] = pixel_of(values[i * c + k], low, high);
    *out = image;
    return TR_OK;
}

/* ---- smaller ---- */

/* The mean of the box of pixels that becomes pixel (y, x) of an h x w picture. */
static uint8_t box_mean(const tr_image *image, int64_t y, int64_t x, int64_t k, int64_t h,
                        int64_t w)
{
    const int64_t top = y * image->h / h, bottom = (y + 1) * image->h / h;
    const int64_t left = x * image->w / w, right = (x + 1) * image->w / w;
    const int64_t n = (bottom - top) * (right - left);
    int64_t sum = n / 2; /* rounds */
    for (int64_t i = top; i < bottom; i++)
        for (int64_t j = left; j < right; j++)
            sum += image->pixels[(i * image->w + j) * image->c + k];
    return (uint8_t)(sum / n);
}

/* A copy that is at most `most` pixels wide, in the same proportions; it never grows. */
static bool shrink(tr_image *out, const tr_image *image, int64_t most)
{
    const int64_t w = image->w < most ? image->w : most;
    int64_t h = (image->h * w + image->w / 2) / image->w;
    h = h < 1 ? 1 : h;
    if (!image_new(out, h, w, image->c))
        return false;
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++)
            for (int64_t k = 0; k < image->c; k++)
                out->pixels[(y * w + x) * image->c + k] = box_mean(image, y, x, k, h, w);
    return true;
}

/* ---- pixels to characters ---- */

typedef struct rgb {
    uint8_t r, g, b;
} rgb;

static rgb pixel_at(const tr_image *image, int64_t y, int64_t x)
{
    const uint8_t *at = image->pixels + (y * image->w + x) * image->c;
    return image->c == 3 ? (rgb){at[0], at[1], at[2]} : (rgb){at[0], at[0], at[0]};
}

/* Rec. 601 luma, in 256ths. */
static int brightness(rgb colour)
{
    return (77 * colour.r + 150 * colour.g + 29 * colour.b) >> 8;
}

static void draw_plain(FILE *out, const tr_image *image)
{
    static const char ramp[] = " .:-=+*#%@";
    const int n = (int)sizeof ramp - 1;
    for (int64_t y = 0; y < image->h; y++) {
        for (int64_t x = 0; x < image->w; x++) {
            const char c = ramp[brightness(pixel_at(image, y, x)) * n / 256];
            fputc(c, out);
            fputc(c, out);
        }
        fputc('\n', out);
    }
}

/* Upper half block U+2580: its own colour above, the background's below. */
static void draw_colour(FILE *out, const tr_image *image)
{
    for (int64_t y = 0; y < image->h; y += 2) {
        const bool has_below = y + 1 < image->h;
        for (int64_t x = 0; x < image->w; x++) {
            const rgb above = pixel_at(image, y, x);
            fprintf(out, "\033[38;2;%d;%d;%d", above.r, above.g, above.b);
            if (has_below) {
                const rgb below = pixel_at(image, y + 1, x);
                fprintf(out, ";48;2;%d;%d;%d", below.r, below.g, below.b);
            }
            fputs("m\xe2\x96\x80", out);
        }
        fputs("\033[0m\n", out);
    }
}

char *tr_picture_text(const tr_image *image, int columns, bool colour)
{
    tr_image small = {0};
    char *stream_text = NULL, *text = NULL;
    size_t n = 0;
    const int64_t most = colour ? columns : columns / 2;
    FILE *stream = open_memstream(&stream_text, &n);
    if (stream != NULL && shrink(&small, image, most < 1 ? 1 : most)) {
        if (colour)
            draw_colour(stream, &small);
        else
            draw_plain(stream, &small);
    }
    const bool ok = stream != NULL && small.pixels != NULL && !ferror(stream);
    if (stream != NULL && fclose(stream) == 0 && ok)
        text = tr_strdup(stream_text);
    tr_image_release(&small);
    free(stream_text); /* the C library's */
    return text;
}
