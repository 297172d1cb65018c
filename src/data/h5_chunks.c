/* h5_chunks.c -- checking the chunks of a dataset before HDF5 reads them; see h5_chunks.h.
 *
 * HDF5 1.10 decompresses a chunk and uses the result without asking how long it is: one flipped
 * bit in the chunk's shape or filter mask, and H5Dread copies from beyond the end of a heap block:
 * a crash, or silently somebody else's bytes as pixels. So each chunk is inflated once more here
 * and its length compared. That costs 0.2 s for MNIST, once per run. A chunk that was never
 * written, which HDF5 reads as zeros, is found on the way.
 */
#include "h5_chunks.h"

#include <zlib.h>

#include "h5.h"
#include "mem.h"

enum { SCRATCH_BYTES = 1 << 16, CHECKSUM_BYTES = 4 };

struct chunks {
    hsize_t dims[TR_H5_RANK]; /* of one chunk */
    uint64_t bytes;           /* of one chunk, unfiltered */
    unsigned deflate;         /* bit of that filter in the pipeline, 0: none */
    unsigned checksums;       /* bits of the fletcher32 filters */
    bool foreign;             /* has filters that this file cannot undo */
    uint8_t *stored;          /* [stored_max] one chunk as it is in the file */
    uint64_t stored_max;
    uint8_t *scratch; /* [SCRATCH_BYTES] where inflated bytes go to be counted */
};

static void look_at_filters(struct chunks *chunks, hid_t plist)
{
    const int n_filters = H5Pget_nfilters(plist);
    chunks->foreign = n_filters < 0 || n_filters > H5Z_MAX_NFILTERS;
    for (int i = 0; !chunks->foreign && i < n_filters; i++) {
        unsigned flags, config;
        size_t n_values = 0;
        const H5Z_filter_t filter =
            H5Pget_filter2(plist, (unsigned)i, &flags, &n_values, NULL, 0, NULL, &config);
        if (filter == H5Z_FILTER_DEFLATE && chunks->deflate == 0)
            chunks->deflate = 1u << i;
        else if (filter == H5Z_FILTER_FLETCHER32)
            chunks->checksums |= 1u << i;
        else if (filter != H5Z_FILTER_SHUFFLE) /* that one keeps the length */
            chunks->foreign = true;
    }
}

/* Fills *chunks; false when the dataset is not chunked or its chunks cannot be judged here. */
static bool look(struct chunks *chunks, const tr_h5_array *array)
{
    const hid_t plist = H5Dget_create_plist(array->id), type = H5Dget_type(array->id);
    bool chunked = plist >= 0 && H5Pget_layout(plist) == H5D_CHUNKED;
    if (chunked) {
        chunked = H5Pget_chunk(plist, array->rank, chunks->dims) == array->rank;
        look_at_filters(chunks, plist);
        chunks->bytes = H5Tget_size(type);
        for (int i = 0; chunked && i < array->rank; i++)
            if (__builtin_mul_overflow(chunks->bytes, chunks->dims[i], &chunks->bytes))
                chunks->bytes = UINT64_MAX;
    }
    tr_h5_close(type);
    tr_h5_close(plist);
    return chunked && !chunks->foreign;
}

/* The length of the zlib stream at the start of stored[n] once inflated, stopping beyond `limit`;
 * 0 when it is not whole. */
static uint64_t inflated_bytes(uint8_t *scratch, const uint8_t *stored, uint64_t n, uint64_t limit)
{
    z_stream stream = {.next_in = (Bytef *)stored, .avail_in = (uInt)n};
    if (inflateInit(&stream) != Z_OK)
        return 0;
    int code = Z_OK;
    while (code == Z_OK && stream.total_out <= limit) {
        stream.next_out = scratch;
        stream.avail_out = SCRATCH_BYTES;
        code = inflate(&stream, Z_NO_FLUSH);
    }
    const uint64_t total = code == Z_OK || code == Z_STREAM_END ? stream.total_out : 0;
    inflateEnd(&stream);
    return total;
}

/* Why the chunk at `offset` may not be read, or NULL. */
static const char *fault(struct chunks *chunks, const tr_h5_array *array, const hsize_t *offset)
{
    hsize_t n_stored = 0;
    uint32_t skipped = 0; /* filters that did not pay for this chunk */
    if (H5Dget_chunk_storage_size(array->id, offset, &n_stored) < 0)
        return "a chunk cannot be found";
    if (n_stored == 0)
        return "a part of it was never written";
    if (n_stored > chunks->stored_max)
        return "a chunk is too long";
    if (H5Dread_chunk(array->id, H5P_DEFAULT, offset, &skipped, chunks->stored) < 0)
        return "a chunk cannot be read";
    /* What was written behind the compressed stream is not part of what comes out of it. */
    const unsigned deflate = chunks->deflate & ~skipped;
    const unsigned checksums = chunks->checksums & ~skipped & (deflate ? deflate - 1 : ~0u);
    const uint64_t expected =
        chunks->bytes + (uint64_t)(CHECKSUM_BYTES * __builtin_popcount(checksums));
    const uint64_t found =
        deflate ? inflated_bytes(chunks->scratch, chunks->stored, n_stored, expected) : n_stored;
    return found == expected ? NULL : "a chunk does not have the length of a chunk";
}

/* The next chunk's offset, last dimension fastest; false after the last. */
static bool advance(hsize_t *offset, const struct chunks *chunks, const tr_h5_array *array)
{
    for (int i = array->rank - 1; i >= 0; i--) {
        offset[i] += chunks->dims[i];
        if (offset[i] < (hsize_t)array->dims[i])
            return true;
        offset[i] = 0;
    }
    return false;
}

static tr_status fail(const tr_h5_file *file, const tr_h5_array *array, const char *reason,
                      tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA,
                   "%s: %s is %s, but %s; the file is damaged or its writer was interrupted",
                   file->path, array->name, array->text, reason);
}

tr_status tr_h5_chunks_check(const tr_h5_file *file, const tr_h5_array *array, tr_error *err)
{
    struct chunks chunks = {0};
    if (!look(&chunks, array))
        return TR_OK;
    /* HDF5's own limit is 4 GiB. */
    if (chunks.bytes == 0 || chunks.bytes > UINT32_MAX || chunks.bytes > file->bytes_left)
        return fail(file, array, "its chunks have an impossible size", err);
    chunks.stored_max = compressBound(chunks.bytes) + CHECKSUM_BYTES * H5Z_MAX_NFILTERS;
    chunks.stored = tr_alloc(chunks.stored_max, 1);
    chunks.scratch = tr_alloc(SCRATCH_BYTES, 1);
    tr_status status = TR_OK;
    if (chunks.stored == NULL || chunks.scratch == NULL) {
        status = tr_fail(err, TR_ERR_INTERNAL, "%s: %s is %s: out of memory for one of its chunks",
                         file->path, array->name, array->text);
        goto done;
    }
    hsize_t offset[TR_H5_RANK] = {0};
    const char *reason = NULL;
    do
        reason = fault(&chunks, array, offset);
    while (reason == NULL && advance(offset, &chunks, array));
    if (reason != NULL)
        status = fail(file, array, reason, err);
done:
    tr_free(chunks.stored);
    tr_free(chunks.scratch);
    return status;
}
