/* idx.h -- one file of the IDX format, the one MNIST comes in; plain or gzipped.
 *
 *     00 00 08 RR | RR sizes, 4 bytes each, big-endian | uint8 values, row-major
 *
 * RR is the number of dimensions: 3 for images [n, h, w], 1 for labels [n]. Type 08 is uint8; the
 * other types of the format are refused.
 */
#ifndef TR_IDX_H
#define TR_IDX_H

#include <stdint.h>

#include "trainer/status.h"

enum { TR_IDX_RANK = 3 };

typedef struct tr_idx {
    int rank;
    int64_t dims[TR_IDX_RANK]; /* beyond rank: 1 */
    int64_t n_values;
    uint8_t *values; /* [n_values] */
} tr_idx;

/* Reads `path`, which must have `rank` (1 to 3) dimensions, none of them 0, and exactly the bytes
 * its header promises. Errors are TR_ERR_DATA (or TR_ERR_INTERNAL: out of memory) and name the
 * file. Release with tr_idx_release(); on failure there is nothing to release. */
tr_status tr_idx_read(tr_idx *out, const char *path, int rank, tr_error *err);
void tr_idx_release(tr_idx *idx); /* a zeroed one is fine */

#endif
