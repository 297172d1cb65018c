/* cairo_bytes.c -- see cairo_bytes.h. */
#include "cairo_bytes.h"

#include <string.h>

#include "mem.h"

cairo_status_t tr_cairo_append(void *closure, const unsigned char *data, unsigned length)
{
    tr_cairo_bytes *file = closure;
    if (length > file->capacity - file->n) {
        const size_t capacity = 2 * (file->n + length);
        unsigned char *grown = tr_realloc(file->bytes, file->capacity, capacity, 1);
        if (grown == NULL)
            return CAIRO_STATUS_NO_MEMORY;
        file->bytes = grown;
        file->capacity = capacity;
    }
    memcpy(file->bytes + file->n, data, length);
    file->n += length;
    return CAIRO_STATUS_SUCCESS;
}
