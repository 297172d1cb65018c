/* jpeg_decode.c -- JPEG by libjpeg-turbo; see image_decode.h.
 *
 * Its exact transform and its smooth upsampling of colours are what everybody else decodes with, to
 * the same bit on any CPU. Its scaled decoding (an eighth of the sides, in the transform) would be
 * faster for large photos, and off by a few levels where edges are: not worth other pixels than PIL
 * has.
 */
#include <setjmp.h>
#include <stdio.h> /* jpeglib.h wants it */
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "image_decode.h"
#include "mem.h"

typedef struct decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf stop;
    char text[JMSG_LENGTH_MAX];
    const char *fault;
    uint8_t *row;
} decoder;

static decoder *decoder_of(j_common_ptr jpeg)
{
    return jpeg->client_data;
}

/* It must not return. */
static void on_error(j_common_ptr jpeg)
{
    decoder *self = decoder_of(jpeg);
    jpeg->err->format_message(jpeg, self->text);
    self->fault = self->text;
    longjmp(self->stop, 1);
}

/* Warnings (level -1): it would go on with pixels that it made up. Others say where a writer was
 * careless, and lose nothing. */
static void on_message(j_common_ptr jpeg, int level)
{
    decoder *self = decoder_of(jpeg);
    if (level >= 0)
        return;
    switch (jpeg->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_ICC:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_TOO_MUCH_DATA:
        return;
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
        self->fault = "it ends early";
        longjmp(self->stop, 1);
    default:
        on_error(jpeg);
    }
}

static void no_output(j_common_ptr jpeg)
{
    (void)jpeg;
}

static int find_orientation(const struct jpeg_decompress_struct *jpeg)
{
    static const char head[6] = "Exif\0";
    for (const struct jpeg_marker_struct *marker = jpeg->marker_list; marker != NULL;
         marker = marker->next)
        if (marker->marker == JPEG_APP0 + 1 && marker->data_length > sizeof head &&
            memcmp(marker->data, head, sizeof head) == 0)
            return tr_exif_orientation(marker->data + sizeof head,
                                       marker->data_length - sizeof head);
    return TR_UPRIGHT;
}

/* Inverted cyan, magenta, yellow and black to red, green and blue, in place. */
static void from_cmyk(uint8_t *row, int64_t n)
{
    const uint8_t *from = row;
    for (int64_t i = 0; i < n; i++, from += 4)
        for (int k = 0; k < 3; k++) {
            /* PIL: 255 - black, less a share of the ink; the share is rounded as its MULDIV255. */
            const int black = 255 - from[3], ink = 255 - from[k];
            const int product = ink * (255 - black) + 128;
            const int value = 255 - black - (((product >> 8) + product) >> 8);
            *row++ = (uint8_t)(value < 0 ? 0 : value);
        }
}

static void decode(decoder *self, tr_image_bytes file, tr_row_sink *sink)
{
    struct jpeg_decompress_struct *jpeg = &self->jpeg;
    jpeg_create_decompress(jpeg);
    jpeg_mem_src(jpeg, file.bytes, file.n);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(jpeg, TRUE);
    const bool inks = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
    jpeg->out_color_space = inks ? JCS_CMYK : jpeg->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    const int64_t w = jpeg->image_width;
    self->fault = tr_rows_begin(sink, jpeg->image_height, w, jpeg->num_components == 1 ? 1 : 3,
                                find_orientation(jpeg), jpeg_has_multiple_scans(jpeg) != 0);
    if (self->fault != NULL)
        return;
    self->row = tr_alloc((size_t)w, 4);
    if (self->row == NULL) {
        self->fault = "out of memory";
        return;
    }
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = self->row;
        if (jpeg_read_scanlines(jpeg, &row, 1) != 1)
            break;
        if (inks)
            from_cmyk(self->row, w);
        tr_rows_put(sink, self->row);
    }
    jpeg_finish_decompress(jpeg);
}

const char *tr_jpeg_decode(tr_image_bytes file, tr_row_sink *sink)
{
    static char text[JMSG_LENGTH_MAX]; /* outlives `self`; one decoder a process */
    decoder *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return "out of memory";
    self->jpeg.err = jpeg_std_error(&self->errors);
    self->jpeg.client_data = self;
    self->errors.error_exit = on_error;
    self->errors.emit_message = on_message;
    self->errors.output_message = no_output;
    if (setjmp(self->stop) == 0)
        decode(self, file, sink);
    const char *fault = self->fault;
    if (fault == self->text)
        fault = memcpy(text, self->text, sizeof text);
    jpeg_destroy_decompress(&self->jpeg);
    tr_free(self->row);
    tr_free(self);
    return fault;
}
