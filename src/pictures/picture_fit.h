/* picture_fit.h -- how a picture becomes one of a wanted size: which part of it is taken, and where
 * in the result it stands.
 */
#ifndef TR_PICTURE_FIT_H
#define TR_PICTURE_FIT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum tr_fit {
    TR_FIT_CROP,    /* fills the size, what is beside its middle is cut off: PIL's ImageOps.fit() */
    TR_FIT_PAD,     /* all of it in the middle, black beside it: PIL's ImageOps.pad() */
    TR_FIT_STRETCH, /* all of it, its sides scaled apart: PIL's resize() */
    TR_FITS
} tr_fit;

extern const char *const tr_fit_names[TR_FITS]; /* "crop", ... */

/* False: no name of a fit. */
bool tr_fit_parse(tr_fit *out, const char *name);

/* What a reader makes of pictures of any size. */
typedef struct tr_picture_rules {
    int64_t h, w; /* of the result; 0 and 0: the picture's own */
    int channels; /* 1 grey, 3 red green blue */
    tr_fit fit;
} tr_picture_rules;

/* The part from (y0, x0) to (y1, x1) of a picture, in pixels, becomes h x w pixels, whose first one
 * stands at (top, left) of the result. */
typedef struct tr_place {
    float y0, x0, y1, x1;
    int64_t h, w, top, left;
} tr_place;

/* Of a picture of h x w pixels; all sides are 1 or more. */
tr_place tr_place_picture(const tr_picture_rules *rules, int64_t h, int64_t w);

#endif
