/* cairo_bytes.h -- a file that cairo writes into memory, so that base/file.h can put it in place.
 */
#ifndef TR_CAIRO_BYTES_H
#define TR_CAIRO_BYTES_H

#include <cairo.h>
#include <stddef.h>

/* Zero-initialise; tr_free(bytes) when done. */
typedef struct tr_cairo_bytes {
    unsigned char *bytes;
    size_t n, capacity;
} tr_cairo_bytes;

/* A cairo_write_func_t whose closure is a tr_cairo_bytes. */
cairo_status_t tr_cairo_append(void *closure, const unsigned char *data, unsigned length);

#endif
