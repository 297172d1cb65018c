/* image.h -- a picture of 8-bit pixels: what comes from an image file and what is drawn. */
#ifndef TR_IMAGE_H
#define TR_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct tr_image {
    int64_t h, w, c;  /* c: 1 grey, 3 red green blue */
    uint8_t *pixels;  /* [h,w,c], of tr_shared_alloc(), so that a child process can fill it */
    bool transparent; /* the file has transparent parts, which are white here */
} tr_image;

void tr_image_release(tr_image *image); /* NULL, and a zeroed one, are fine */

#endif
