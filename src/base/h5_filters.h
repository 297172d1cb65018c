/* h5_filters.h -- the filters of a chunked array, known by name and undone to exact sizes. */
#ifndef TR_H5_FILTERS_H
#define TR_H5_FILTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "h5.h"

enum { TR_H5_FILTERS = 8 };

typedef struct tr_h5_filters {
    int n;
    bool ours;                       /* each can be undone here; else HDF5 reads the chunks */
    H5Z_filter_t ids[TR_H5_FILTERS]; /* in the order in which they were applied */
    unsigned widths[TR_H5_FILTERS];  /* of shuffle: bytes of an element */
} tr_h5_filters;

/* NULL, or in text[n] which filter cannot be read, and what to do about it. */
const char *tr_h5_filters_read(tr_h5_filters *filters, hid_t plist, char *text, size_t n);

/* Unpacks packed[n_packed], of which it takes possession of the contents, into dst[n] exactly.
 * `skipped`: bit i: filter i was not applied to this chunk. NULL, or what is wrong in text. */
const char *tr_h5_filters_undo(uint8_t *dst, size_t n, const tr_h5_filters *filters,
                               uint8_t *packed, size_t n_packed, uint32_t skipped, char *text,
                               size_t text_size);

/* "gzip", "lzf", ..., or "number 32099" in text[n]. */
const char *tr_h5_filter_name(H5Z_filter_t filter, char *text, size_t n);

#endif
