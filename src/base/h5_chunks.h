/* h5_chunks.h -- the values of a chunked array, unpacked here and not by HDF5.
 *
 * HDF5 does not ask how much a filter gave back: of a chunk that inflates to less than it should,
 * it takes whatever lies behind in memory for values, and of one that is packed many times over it
 * inflates every layer. So chunks are taken as they lie in the file, and gzip, shuffle and
 * fletcher32 (what h5py, MATLAB and trainer write) are undone here, to exactly the bytes that a
 * chunk has. The rare nbit, scaleoffset and szip are left to HDF5.
 */
#ifndef TR_H5_CHUNKS_H
#define TR_H5_CHUNKS_H

#include "h5_array.h"

/* Can the chunks of `array` be read? Filters by name, shape, all there. NULL, or what is wrong in
 * text[n]. */
const char *tr_h5_chunks_fault(const tr_h5_array *array, char *text, size_t n);

/* Chunked, and by none but the filters that are undone here. */
bool tr_h5_chunks_are_ours(const tr_h5_array *array);

/* The box of tr_h5_array_read_box(), of an array without fault. NULL, or what is wrong. */
const char *tr_h5_chunks_read(void *dst, const tr_h5_array *array, hid_t memory_type,
                              const int64_t start[TR_H5_RANK], const int64_t count[TR_H5_RANK],
                              char *text, size_t n);

/* Copies what the box of dst and the block src[shape], which lies at `at`, have in common, which
 * must not be nothing. */
void tr_h5_box_copy(void *dst, const int64_t start[TR_H5_RANK], const int64_t count[TR_H5_RANK],
                    const void *src, const hsize_t at[TR_H5_RANK], const hsize_t shape[TR_H5_RANK],
                    int rank, size_t width);

#endif
