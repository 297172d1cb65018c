/* picture_read.h -- a picture from a file that somebody else made, at its size or at a wanted one.
 */
#ifndef TR_PICTURE_READ_H
#define TR_PICTURE_READ_H

#include <stddef.h>

#include "image.h"
#include "picture_fit.h"
#include "trainer/status.h"

/* Reads a JPEG, PNG, GIF (its first picture), BMP, PGM or PPM file (told by its first bytes, not
 * its name) as the rules want it: turned as its camera says (EXIF), what is transparent on white,
 * grey as PIL computes it, then resized by area (resize.h). How other pixels become 8 bits of 1 or
 * 3 channels: image_decode.h. Everything that believes the file runs in child processes.
 * TR_ERR_DATA names the file, what was found and what was expected. Release with
 * tr_image_release(). */
tr_status tr_picture_read(tr_image *out, const char *path, const tr_picture_rules *rules,
                          tr_error *err);

/* ---- for work in a child process (base/child.h) ---- */

/* What a visit to the file at `path` tells: h and w of the picture as it is to be seen, and with
 * `pixels` (zeroed, [rules->h, rules->w, rules->channels]) its pixels. */
typedef struct tr_picture_visit {
    const char *path;
    tr_picture_rules rules;
    uint8_t *pixels; /* NULL: the size is asked for */
    int64_t h, w;
    bool transparent;
} tr_picture_visit;

tr_status tr_picture_visit_file(tr_picture_visit *visit, tr_error *err);
/* The same of a file in memory; visit->path is for messages. */
tr_status tr_picture_visit_bytes(tr_picture_visit *visit, const uint8_t *bytes, size_t n,
                                 tr_error *err);

#endif
