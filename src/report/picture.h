/* picture.h -- an array as a picture: on the terminal, or as a PNG file. */
#ifndef TR_PICTURE_H
#define TR_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "image.h"
#include "trainer/status.h"

/* values[h,w,c] -> 8-bit pixels: low becomes 0, high 255, what is beyond them too; NaN is 0. Of 3
 * channels an RGB picture, of any other number a grey one of the first channel. Release the result
 * with tr_image_release(). */
tr_status tr_picture_from_values(tr_image *out, const float *values, int64_t h, int64_t w,
                                 int64_t c, double low, double high, tr_error *err);

/* The smallest and largest finite value; both 0 when there is none. */
void tr_picture_range(const float *values, int64_t n, double *low, double *high);

/* Lines of text no wider than `columns` characters; a larger picture is averaged down in boxes.
 * colour: half blocks in 24-bit colour, two pixels a character; otherwise two characters a pixel,
 * the denser the brighter. Release with tr_free(); NULL: out of memory. */
char *tr_picture_text(const tr_image *image, int columns, bool colour);

/* A PNG of 8 bits, grey or RGB, each pixel as zoom x zoom; whole or not written. TR_ERR_IO; and
 * TR_ERR_DATA for a picture that is larger than a PNG by cairo can be. */
tr_status tr_picture_write_png(const tr_image *image, const char *path, int zoom, tr_error *err);

#endif
