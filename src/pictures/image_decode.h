/* image_decode.h -- bytes of an image file to rows of 8-bit pixels; called in a child process only.
 *
 * All decoders trust nothing about the bytes. They begin a sink (row_sink.h), put the rows into it
 * and return NULL, or what is wrong as the end of a sentence ("it ends early"), among it what the
 * sink says. 16 bits lose the lower eight; fewer are scaled to eight.
 */
#ifndef TR_IMAGE_DECODE_H
#define TR_IMAGE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "row_sink.h"

typedef struct tr_image_bytes {
    const uint8_t *bytes;
    size_t n;
} tr_image_bytes;

typedef const char *tr_image_decoder(tr_image_bytes file, tr_row_sink *sink);

/* By libjpeg-turbo, at full size, with its exact transform; CMYK and YCCK as Adobe writes them
 * (inverted), as PIL does it. What is damaged is refused, not patched. */
tr_image_decoder tr_jpeg_decode;

/* By libpng: grey, palettes, colours and alpha of any depth, interlaced ones too. */
tr_image_decoder tr_png_decode;

/* BMP and GIF (its first picture), by stb_image. */
tr_image_decoder tr_stb_decode;

/* PGM and PPM, plain (P2, P3) and raw (P5, P6), of 8 or 16 bits, scaled from 0..maximum to 0..255.
 */
tr_image_decoder tr_pnm_decode;

/* The orientation (1 to 8) that EXIF data say, which begin with "II" or "MM"; 1 where they do not
 * say. */
int tr_exif_orientation(const uint8_t *bytes, size_t n);

#endif
