/* h5_chunk.h -- one chunk of a dataset at a time, its filters undone, its length sure. */
#ifndef TR_H5_CHUNK_H
#define TR_H5_CHUNK_H

#include "h5_number.h"

enum { TR_H5_CHUNK_RANK = 8 };

typedef struct tr_h5_chunks {
    hsize_t dims[TR_H5_CHUNK_RANK];      /* of one chunk */
    uint64_t bytes;                      /* of one chunk, filters undone */
    size_t item_bytes;                   /* of one value */
    unsigned shuffle, deflate, checksum; /* bits of the filters in the pipeline, 0: not used */
    uint8_t *stored;                     /* [stored_max] a chunk as it is in the file */
    uint64_t stored_max;
    uint8_t *plain, *unshuffled; /* [bytes] */
} tr_h5_chunks;

/* Fills *out from a dataset's creation property list. False for filters, or an order of filters,
 * that this cannot undo: it knows shuffle, deflate, fletcher32 in this order, each optional. */
bool tr_h5_chunks_look(tr_h5_chunks *out, hid_t plist, int rank, tr_number number);

bool tr_h5_chunks_allocate(tr_h5_chunks *chunks); /* false: out of memory */
void tr_h5_chunks_release(tr_h5_chunks *chunks);  /* also after a failure */

/* The values of the chunk at `offset` ([chunks->bytes]; borrowed until the next call; may be
 * changed in place), or NULL and *reason. */
uint8_t *tr_h5_chunk_read(tr_h5_chunks *chunks, hid_t dataset, const hsize_t *offset,
                          const char **reason);

#endif
