/* h5_chunks.h -- is each chunk of a dataset as long as the dataset says? */
#ifndef TR_H5_CHUNKS_H
#define TR_H5_CHUNKS_H

#include "h5_read.h"

/* TR_OK for a dataset that is not chunked, whose chunks are all there and have the right length
 * after decompression, or whose filters this cannot undo (other than deflate, shuffle and
 * fletcher32). Otherwise TR_ERR_DATA. */
tr_status tr_h5_chunks_check(const tr_h5_file *file, const tr_h5_array *array, tr_error *err);

#endif
