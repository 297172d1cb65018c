/* png_decode.c -- PNG by libpng; see image_decode.h. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <png.h>

#include "image_decode.h"
#include "mem.h"

enum { TEXT = 128 };

typedef struct decoder {
    png_structp png;
    png_infop info;
    tr_image_bytes file;
    size_t at;
    char text[TEXT];
    const char *fault;
    uint8_t *rows; /* one, or, of an interlaced picture, all */
} decoder;

/* It must not return. */
_Noreturn static void on_error(png_structp png, png_const_charp message)
{
    decoder *self = png_get_error_ptr(png);
    if (self->fault == NULL) {
        snprintf(self->text, sizeof self->text, "%s", message);
        self->fault = self->text;
    }
    png_longjmp(png, 1);
}

/* A wrong colour profile and the like: the pixels are what they are. */
static void on_warning(png_structp png, png_const_charp message)
{
    (void)png, (void)message;
}

static void read_bytes(png_structp png, png_bytep to, size_t n)
{
    decoder *self = png_get_io_ptr(png);
    if (self->file.n - self->at < n) {
        self->fault = "it ends early";
        png_error(png, self->fault);
    }
    memcpy(to, self->file.bytes + self->at, n);
    self->at += n;
}

/* To grey or colours of 8 bits, with alpha where there is any kind of transparency. */
static void ask_for_8_bits(png_structp png, png_infop info)
{
    png_set_strip_16(png);
    png_set_expand(png); /* palettes, few bits, a transparent colour */
    (void)info;
}

static int find_orientation(png_structp png, png_infop info)
{
    png_uint_32 n = 0;
    png_bytep bytes = NULL;
    return png_get_eXIf_1(png, info, &n, &bytes) == 0 ? TR_UPRIGHT : tr_exif_orientation(bytes, n);
}

static void put_rows(decoder *self, tr_row_sink *sink, int64_t h, int n_passes)
{
    const size_t row = png_get_rowbytes(self->png, self->info);
    self->rows = tr_alloc(n_passes == 1 ? 1 : (size_t)h, row);
    if (self->rows == NULL) {
        self->fault = "out of memory";
        return;
    }
    for (int pass = 0; pass < n_passes; pass++)
        for (int64_t y = 0; y < h; y++) {
            uint8_t *at = self->rows + (n_passes == 1 ? 0 : (size_t)y * row);
            png_read_row(self->png, at, NULL);
            if (pass + 1 == n_passes)
                tr_rows_put(sink, at);
        }
    png_read_end(self->png, NULL);
}

static void decode(decoder *self, tr_row_sink *sink)
{
    png_structp png = self->png;
    png_set_read_fn(png, self, read_bytes);
    png_set_user_limits(png, TR_IMAGE_SIDE, TR_IMAGE_SIDE);
    png_read_info(png, self->info);
    const int64_t h = png_get_image_height(png, self->info);
    const int64_t w = png_get_image_width(png, self->info);
    ask_for_8_bits(png, self->info);
    const int n_passes = png_set_interlace_handling(png);
    png_read_update_info(png, self->info);
    self->fault = tr_rows_begin(sink, h, w, png_get_channels(png, self->info),
                                find_orientation(png, self->info), n_passes > 1);
    if (self->fault == NULL)
        put_rows(self, sink, h, n_passes);
}

const char *tr_png_decode(tr_image_bytes file, tr_row_sink *sink)
{
    static char text[TEXT]; /* outlives `self`; one decoder a process */
    decoder *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return "out of memory";
    self->file = file;
    self->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, self, on_error, on_warning);
    self->info = self->png == NULL ? NULL : png_create_info_struct(self->png);
    if (self->info == NULL)
        self->fault = "out of memory";
    else if (setjmp(png_jmpbuf(self->png)) == 0)
        decode(self, sink);
    const char *fault = self->fault;
    if (fault == self->text)
        fault = memcpy(text, self->text, sizeof text);
    png_destroy_read_struct(&self->png, &self->info, NULL);
    tr_free(self->rows);
    tr_free(self);
    return fault;
}
