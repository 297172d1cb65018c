/* sheet.h -- images before and after the layers that change them at random, as one picture. */
#ifndef TR_SHEET_H
#define TR_SHEET_H

#include "image.h"
#include "trainer/augmented.h"

/* A row for each image: itself, then as each epoch sees it. The lowest and the highest pixel of all
 * that comes in are black and white; likewise of all that the layers make of it. Release with
 * tr_image_release(). */
tr_status tr_sheet_draw(tr_image *out, const tr_augmented *augmented, tr_error *err);

#endif
