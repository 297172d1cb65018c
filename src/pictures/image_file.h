/* image_file.h -- a picture from a file that somebody else made. */
#ifndef TR_IMAGE_FILE_H
#define TR_IMAGE_FILE_H

#include "image.h"
#include "trainer/status.h"

/* Reads a PNG, JPEG, BMP, PGM or PPM file (told by its first bytes, not its name) as `channels`
 * channels of 8 bits, 1 or 3; how others become those: image_decode.h. Everything that believes
 * the file runs in child processes. TR_ERR_DATA names the file, what was found and what was
 * expected. Release with tr_image_release(). */
tr_status tr_image_file_read(tr_image *out, const char *path, int channels, tr_error *err);

#endif
