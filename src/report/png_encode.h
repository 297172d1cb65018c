/* png_encode.h -- an RGB PNG of a cairo image surface, faster than cairo's own encoder, which tries
 * every filter on every row; drawings are flat, and one is written after each epoch. */
#ifndef TR_PNG_ENCODE_H
#define TR_PNG_ENCODE_H

#include "cairo_bytes.h"

/* Appends the file to *out. The surface is a flushed CAIRO_FORMAT_RGB24. NO_MEMORY is the only
 * failure. */
cairo_status_t tr_png_encode(cairo_surface_t *surface, tr_cairo_bytes *out);

#endif
