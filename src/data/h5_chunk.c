/* h5_chunk.c -- reading one chunk and undoing its filters; see h5_chunk.h.
 *
 * Formats of the filters: the HDF5 file format specification and, for fletcher32 (over big-endian
 * 16-bit words, an odd last byte padded with zero, stored little-endian behind the data),
 * Fletcher, IEEE Trans. Comm. 30 (1982).
 */
#include "h5_chunk.h"

#include <string.h>
#include <zlib.h>

#include "mem.h"

enum { CHECKSUM_BYTES = 4, CHECKSUM_FOLD = 360 /* words that 32 bits can add without overflow */ };

bool tr_h5_chunks_look(tr_h5_chunks *out, hid_t plist, int rank, tr_number number)
{
    tr_h5_chunks chunks = {.bytes = number.bytes, .item_bytes = number.bytes};
    if (H5Pget_chunk(plist, rank, chunks.dims) != rank)
        return false;
    for (int i = 0; i < rank; i++)
        if (__builtin_mul_overflow(chunks.bytes, chunks.dims[i], &chunks.bytes))
            chunks.bytes = UINT64_MAX; /* the caller refuses it, as it does 0 */
    const int n_filters = H5Pget_nfilters(plist);
    for (int i = 0; i < n_filters; i++) {
        unsigned flags, config;
        size_t n_values = 0;
        const H5Z_filter_t filter =
            H5Pget_filter2(plist, (unsigned)i, &flags, &n_values, NULL, 0, NULL, &config);
        if (filter == H5Z_FILTER_SHUFFLE && i == 0)
            chunks.shuffle = 1u << i;
        else if (filter == H5Z_FILTER_DEFLATE && (chunks.deflate | chunks.checksum) == 0)
            chunks.deflate = 1u << i;
        else if (filter == H5Z_FILTER_FLETCHER32 && chunks.checksum == 0)
            chunks.checksum = 1u << i;
        else
            return false;
    }
    *out = chunks;
    return n_filters >= 0;
}

bool tr_h5_chunks_allocate(tr_h5_chunks *chunks)
{
    chunks->stored_max = compressBound(chunks->bytes) + CHECKSUM_BYTES;
    chunks->stored = tr_alloc(chunks->stored_max, 1);
    chunks->plain = tr_alloc(chunks->bytes, 1);
    chunks->unshuffled = tr_alloc(chunks->shuffle ? chunks->bytes : 0, 1);
    return chunks->stored != NULL && chunks->plain != NULL && chunks->unshuffled != NULL;
}

void tr_h5_chunks_release(tr_h5_chunks *chunks)
{
    tr_free(chunks->stored);
    tr_free(chunks->plain);
    tr_free(chunks->unshuffled);
    *chunks = (tr_h5_chunks){0};
}

/* ---- the filters ---- */

static uint32_t fold(uint32_t sum)
{
    return (sum & 0xffff) + (sum >> 16);
}

static uint32_t fletcher32(const uint8_t *bytes, uint64_t n)
{
    uint32_t sum1 = 0, sum2 = 0;
    for (uint64_t i = 0; i < n; i += 2) {
        sum1 += (uint32_t)bytes[i] << 8 | (i + 1 < n ? bytes[i + 1] : 0u);
        sum2 += sum1;
        if (i / 2 % CHECKSUM_FOLD == CHECKSUM_FOLD - 1 || i + 2 >= n) {
            sum1 = fold(sum1);
            sum2 = fold(sum2);
        }
    }
    return fold(sum2) << 16 | fold(sum1);
}

/* Does stored[n] end in the checksum of what comes before? */
static bool checksum_fits(const uint8_t *stored, uint64_t n)
{
    if (n < CHECKSUM_BYTES)
        return false;
    const uint8_t *sum = stored + n - CHECKSUM_BYTES;
    const uint32_t expected =
        (uint32_t)sum[3] << 24 | (uint32_t)sum[2] << 16 | (uint32_t)sum[1] << 8 | sum[0];
    return fletcher32(stored, n - CHECKSUM_BYTES) == expected;
}

/* Inflates stored[n] to plain[n_plain]; false unless it is a whole stream of just that length. */
static bool inflate_to(uint8_t *plain, uint64_t n_plain, uint8_t *stored, uint64_t n)
{
    z_stream stream = {
        .next_in = stored, .avail_in = (uInt)n, .next_out = plain, .avail_out = (uInt)n_plain};
    if (inflateInit(&stream) != Z_OK)
        return false;
    const int code = inflate(&stream, Z_FINISH);
    const bool whole = code == Z_STREAM_END && stream.total_out == n_plain;
    inflateEnd(&stream);
    return whole;
}

/* Shuffled, all first bytes of the items come first, then all second bytes, and so on. */
static void unshuffle(uint8_t *dst, const uint8_t *src, uint64_t n, size_t item_bytes)
{
    const uint64_t n_items = n / item_bytes;
    for (size_t byte = 0; byte < item_bytes; byte++)
        for (uint64_t i = 0; i < n_items; i++)
            dst[i * item_bytes + byte] = src[byte * n_items + i];
}

/* ---- a chunk ---- */

uint8_t *tr_h5_chunk_read(tr_h5_chunks *chunks, hid_t dataset, const hsize_t *offset,
                          const char **reason)
{
    hsize_t n = 0;
    uint32_t skipped = 0; /* bits of filters that did not pay for this chunk */
    *reason = "one of its chunks cannot be read";
    if (H5Dget_chunk_storage_size(dataset, offset, &n) < 0)
        return NULL;
    if (n == 0)
        *reason = "a part of it was never written";
    if (n == 0 || n > chunks->stored_max ||
        H5Dread_chunk(dataset, H5P_DEFAULT, offset, &skipped, chunks->stored) < 0)
        return NULL;

    *reason = "one of its chunks does not fit its checksum";
    if (chunks->checksum & ~skipped) {
        if (!checksum_fits(chunks->stored, n))
            return NULL;
        n -= CHECKSUM_BYTES;
    }
    *reason = "one of its chunks is not as long as a chunk, or badly compressed";
    uint8_t *values = chunks->stored;
    if (chunks->deflate & ~skipped) {
        if (!inflate_to(chunks->plain, chunks->bytes, chunks->stored, n))
            return NULL;
        values = chunks->plain;
    } else if (n != chunks->bytes) {
        return NULL;
    }
    if (chunks->shuffle & ~skipped && chunks->item_bytes > 1) {
        unshuffle(chunks->unshuffled, values, chunks->bytes, chunks->item_bytes);
        values = chunks->unshuffled;
    }
    return values;
}
