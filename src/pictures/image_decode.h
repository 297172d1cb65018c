/* image_decode.h -- bytes of an image file to 8-bit pixels; called in a child process only.
 *
 * All functions trust nothing about the bytes. They return NULL, or what is wrong as the end of a
 * sentence ("it ends early").
 */
#ifndef TR_IMAGE_DECODE_H
#define TR_IMAGE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TR_IMAGE_SIDE = 16384,  /* pixels at most, on a side */
    TR_IMAGE_AREA = 1 << 26 /* and in all: 16 bits of 4 channels are half a gigabyte */
};

typedef struct tr_image_bytes {
    const uint8_t *bytes;
    size_t n;
} tr_image_bytes;

/* PNG, JPEG, BMP, by stb_image: height and width from the header; pixels into dst[h,w,channels],
 * channels 1 or 3. What is transparent is composed on white, and *transparent says so (a drawing
 * may be in the alpha channel alone); 16 bits lose the lower eight, grey and RGB become each other
 * (0.30 r + 0.59 g + 0.11 b). */
const char *tr_stb_size(tr_image_bytes file, int64_t *h, int64_t *w);
const char *tr_stb_decode(uint8_t *dst, tr_image_bytes file, int64_t h, int64_t w, int channels,
                          bool *transparent);

/* PGM and PPM, plain (P2, P3) and raw (P5, P6), of 8 or 16 bits, scaled from 0..maximum to 0..255.
 * They have no alpha. */
const char *tr_pnm_size(tr_image_bytes file, int64_t *h, int64_t *w);
const char *tr_pnm_decode(uint8_t *dst, tr_image_bytes file, int64_t h, int64_t w, int channels,
                          bool *transparent);

#endif
