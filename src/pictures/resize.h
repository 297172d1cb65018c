/* resize.h -- a picture of another size, row by row as it is decoded: PIL's resize() with
 * Resampling.BILINEAR, to the bit.
 *
 * Each pixel of the result is a mean of the pixels of the source around its place, with weights of
 * a triangle that is as wide as the scale, at least 1 on either side: nothing is skipped when a
 * large picture becomes small, and nothing rings. First along x, rounded to 8 bits, then along y;
 * weights are whole numbers of 2^-22, sums are int32: bits do not depend on the CPU. Rows come from
 * the file's top, turned or mirrored as the result may be, and only those are in memory that the
 * next rows of the result still need.
 */
#ifndef TR_RESIZE_H
#define TR_RESIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "picture_fit.h"

/* EXIF's numbers: where row 0 and column 0 of a stored picture are in the seen one. */
enum { TR_UPRIGHT = 1, TR_ORIENTATIONS = 8 };

/* Rows and columns change places in the seen picture. */
static inline bool tr_is_turned(int orientation)
{
    return orientation >= 5;
}

typedef struct tr_resize tr_resize;

/* From rows [w,channels], h of them, of a picture stored in that orientation, to the place of the
 * seen one in dst, whose rows are `stride` pixels. NULL: out of memory. */
tr_resize *tr_resize_new(int64_t h, int64_t w, int channels, int orientation, const tr_place *place,
                         uint8_t *dst, int64_t stride);
void tr_resize_row(tr_resize *self, const uint8_t *row); /* at most h times */
void tr_resize_free(tr_resize *self);                    /* NULL is fine */

#endif
