/* picture_input.h -- how a picture becomes an image of a network. */
#ifndef TR_PICTURE_INPUT_H
#define TR_PICTURE_INPUT_H

#include <stddef.h>

#include "picture_read.h"
#include "trainer/model.h"

typedef struct tr_picture_input {
    tr_picture_rules rules; /* h 0: there are none, see tr_picture_input_read_vector() */
    bool fit_assumed;       /* nobody said how pictures come to their size */
    size_t bytes;           /* of an image */
} tr_picture_input;

/* Of a network of images their size, of one of vectors that of the pictures that its dataset was
 * made of, if it says. `fit`: how they come to it; NULL: as those did, or cropped. */
tr_status tr_picture_input_choose(tr_picture_input *out, const tr_model *model, const char *fit,
                                  tr_error *err);

/* For a network that takes vectors, of which nobody said what pictures they were: the pixels in
 * their order, grey, or red, green and blue of each, whichever makes the length. */
tr_status tr_picture_input_read_vector(uint8_t *pixels, const tr_picture_input *input,
                                       const char *path, bool *transparent, tr_error *err);

#endif
