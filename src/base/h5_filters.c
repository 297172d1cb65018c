/* h5_filters.c -- see h5_filters.h. */
#include "h5_filters.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "mem.h"

enum { LZF = 32000, CHECKSUM_BYTES = 4 };

/* ---- names ---- */

const char *tr_h5_filter_name(H5Z_filter_t filter, char *text, size_t n)
{
    /* Numbers above 256 are those that The HDF Group has registered. */
    static const struct {
        H5Z_filter_t filter;
        const char *name;
    } names[] = {{H5Z_FILTER_DEFLATE, "gzip"},
                 {H5Z_FILTER_SHUFFLE, "shuffle"},
                 {H5Z_FILTER_FLETCHER32, "fletcher32"},
                 {H5Z_FILTER_SZIP, "szip"},
                 {H5Z_FILTER_NBIT, "nbit"},
                 {H5Z_FILTER_SCALEOFFSET, "scaleoffset"},
                 {LZF, "lzf"},
                 {305, "lzo"},
                 {307, "bzip2"},
                 {32001, "blosc"},
                 {32004, "lz4"},
                 {32008, "bitshuffle"},
                 {32013, "zfp"},
                 {32015, "zstd"},
                 {32026, "blosc2"}};
    snprintf(text, n, "number %d", (int)filter);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].filter == filter)
            snprintf(text, n, "%s", names[i].name);
    return text;
}

/* ---- which they are ---- */

static bool is_ours(H5Z_filter_t filter)
{
    return filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE ||
           filter == H5Z_FILTER_FLETCHER32;
}

/* Of HDF5's own only those that stand alone: behind another their sizes cannot be checked. */
static bool is_hdf5s(H5Z_filter_t filter)
{
    return (filter == H5Z_FILTER_NBIT || filter == H5Z_FILTER_SCALEOFFSET ||
            filter == H5Z_FILTER_SZIP) &&
           H5Zfilter_avail(filter) > 0;
}

const char *tr_h5_filters_read(tr_h5_filters *filters, hid_t plist, char *text, size_t n)
{
    const int count = H5Pget_nfilters(plist);
    int n_deflate = 0;
    char name[32];
    *filters = (tr_h5_filters){.n = count, .ours = true};
    if (count < 0 || count > TR_H5_FILTERS)
        return "it is packed by more filters than any writer uses";
    for (int i = 0; i < count; i++) {
        unsigned flags, values[8] = {0};
        size_t n_values = 8;
        const H5Z_filter_t filter =
            H5Pget_filter2(plist, (unsigned)i, &flags, &n_values, values, 0, NULL, NULL);
        filters->ids[i] = filter;
        filters->widths[i] = values[0];
        n_deflate += filter == H5Z_FILTER_DEFLATE;
        if (is_ours(filter))
            continue;
        if (count > 1 || !is_hdf5s(filter)) {
            snprintf(
                text, n,
                "it is packed with the filter %s, which trainer does not read%s; write it with "
                "gzip (h5py: compression=\"gzip\")",
                tr_h5_filter_name(filter, name, sizeof name),
                is_hdf5s(filter) ? " together with others" : "");
            return text;
        }
        filters->ours = false;
    }
    return n_deflate > 1 ? "it is packed with gzip several times over" : NULL;
}

/* ---- undoing them ---- */

/* All of packed[] into exactly dst[n]. */
static const char *inflate_exactly(uint8_t *dst, size_t n, uint8_t *packed, size_t n_packed,
                                   char *text, size_t text_size)
{
    z_stream stream = {0};
    if (n > UINT32_MAX || n_packed > UINT32_MAX || inflateInit(&stream) != Z_OK)
        return "cannot be inflated";
    stream.next_in = packed;
    stream.avail_in = (uInt)n_packed;
    stream.next_out = dst;
    stream.avail_out = (uInt)n;
    const int end = inflate(&stream, Z_FINISH);
    const size_t done = stream.total_out;
    inflateEnd(&stream);
    if (end == Z_STREAM_END && done == n)
        return NULL;
    if (end == Z_STREAM_END)
        snprintf(text, text_size, "inflates to %zu bytes, not to the %zu of a chunk", done, n);
    else
        snprintf(text, text_size, "%s",
                 done == n ? "inflates to more bytes than a chunk has" : "cannot be inflated");
    return text;
}

static void unshuffle(uint8_t *dst, const uint8_t *src, size_t n, size_t width)
{
    const size_t count = width > 0 ? n / width : 0;
    if (width <= 1 || count <= 1) {
        memcpy(dst, src, n);
        return;
    }
    for (size_t byte = 0; byte < width; byte++)
        for (size_t i = 0; i < count; i++)
            dst[i * width + byte] = src[byte * count + i];
    memcpy(dst + count * width, src + count * width, n - count * width);
}

/* Fletcher's checksum over big-endian 16-bit words, as HDF5 computes it. */
static uint32_t fletcher32(const uint8_t *bytes, size_t n)
{
    uint32_t low = 0, high = 0;
    for (size_t words = n / 2; words > 0;) {
        size_t some = words > 360 ? 360 : words; /* no sum overflows before it is folded */
        words -= some;
        for (; some > 0; some--, bytes += 2) {
            low += (uint32_t)bytes[0] << 8 | bytes[1];
            high += low;
        }
        low = (low & 0xffff) + (low >> 16);
        high = (high & 0xffff) + (high >> 16);
    }
    if (n % 2 == 1) {
        low += (uint32_t)bytes[0] << 8;
        high += low;
        low = (low & 0xffff) + (low >> 16);
        high = (high & 0xffff) + (high >> 16);
    }
    low = (low & 0xffff) + (low >> 16);
    high = (high & 0xffff) + (high >> 16);
    return high << 16 | low;
}

/* The checksum lies behind the n bytes, low byte first; HDF5 before 1.6.3 swapped its halves'. */
static bool checksum_is_right(const uint8_t *bytes, size_t n)
{
    const uint8_t *at = bytes + n;
    const uint32_t sum = fletcher32(bytes, n);
    const uint32_t stored =
        (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
    const uint32_t swapped = (sum & 0x00ff00ff) << 8 | (sum >> 8 & 0x00ff00ff);
    return stored == sum || stored == swapped;
}

/* Bytes that a chunk has before filter i is applied. */
static size_t bytes_before(const tr_h5_filters *filters, int i, uint32_t skipped, size_t n)
{
    for (int k = 0; k < i; k++)
        if (filters->ids[k] == H5Z_FILTER_FLETCHER32 && !(skipped >> k & 1))
            n += CHECKSUM_BYTES;
    return n;
}

static const char *fail_size(size_t found, size_t wanted, char *text, size_t n)
{
    snprintf(text, n, "has %zu bytes, not %zu", found, wanted);
    return text;
}

const char *tr_h5_filters_undo(uint8_t *dst, size_t n, const tr_h5_filters *filters,
                               uint8_t *packed, size_t n_packed, uint32_t skipped, char *text,
                               size_t text_size)
{
    const size_t most = n + (size_t)CHECKSUM_BYTES * TR_H5_FILTERS;
    uint8_t *room = tr_alloc(2, most), *now = packed;
    const char *fault = room == NULL ? tr_h5_no_memory : NULL;
    for (int i = filters->n - 1; i >= 0 && fault == NULL; i--) {
        if (skipped >> i & 1)
            continue;
        uint8_t *next = now == room ? room + most : room;
        if (filters->ids[i] == H5Z_FILTER_DEFLATE) {
            const size_t wanted = bytes_before(filters, i, skipped, n);
            fault = inflate_exactly(next, wanted, now, n_packed, text, text_size);
            n_packed = wanted;
        } else if (filters->ids[i] == H5Z_FILTER_SHUFFLE) {
            if (n_packed > most)
                fault = fail_size(n_packed, n, text, text_size);
            else
                unshuffle(next, now, n_packed, filters->widths[i]);
        } else {
            next = now;
            n_packed = n_packed < CHECKSUM_BYTES ? 0 : n_packed - CHECKSUM_BYTES;
            if (!checksum_is_right(now, n_packed))
                fault = "does not agree with its checksum";
        }
        now = next;
    }
    if (fault == NULL && n_packed != n)
        fault = fail_size(n_packed, n, text, text_size);
    if (fault == NULL)
        memcpy(dst, now, n);
    tr_free(room);
    return fault;
}
