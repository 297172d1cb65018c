/* row_sink.h -- where decoders put the rows of a picture: made grey or coloured, composed on white,
 * resized and turned on the way, so that no picture need be in memory whole.
 */
#ifndef TR_ROW_SINK_H
#define TR_ROW_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "picture_fit.h"
#include "resize.h"

enum {
    TR_IMAGE_SIDE = 65500,        /* pixels at most, on a side: a JPEG's */
    TR_IMAGE_AREA = 1 << 28,      /* and in all */
    TR_IMAGE_WHOLE_AREA = 1 << 26 /* where all of it has to be in memory at once */
};

typedef struct tr_row_sink {
    const tr_picture_rules *rules;
    uint8_t *dst; /* [rules->h, rules->w, rules->channels], zeroed; NULL: the size is asked for */
    int64_t h, w; /* told by tr_rows_begin(): of the picture as it is to be seen */
    bool transparent; /* told by the rows: some pixel is not opaque */
    int64_t stored_h, stored_w;
    int channels; /* of the rows */
    int64_t n_rows;
    uint8_t *line;
    tr_resize *resize;
} tr_row_sink;

/* What decoders hand on as their fault: nothing is wrong, the size was asked for and is known. */
extern const char tr_rows_size_known[];

/* Rows of w pixels follow, h of them, the file's uppermost first: grey (1 channel), grey and alpha
 * (2), red green blue (3), and alpha (4). `orientation`: EXIF's, 1 to 8; others are taken for 1.
 * `whole`: the decoder will have all of the picture in memory. NULL, or what is wrong as
 * image_decode.h says. */
const char *tr_rows_begin(tr_row_sink *sink, int64_t h, int64_t w, int channels, int orientation,
                          bool whole);
void tr_rows_put(tr_row_sink *sink, uint8_t *row); /* what is in row may be lost */
void tr_rows_end(tr_row_sink *sink);               /* in any case */

/* PIL's grey of red, green and blue. */
static inline uint8_t tr_grey_of(const uint8_t rgb[3])
{
    return (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 0x8000u) >> 16);
}

#endif
