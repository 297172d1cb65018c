/* idx.c -- reading one IDX file; see idx.h.
 *
 * The header is a claim. Memory grows with the bytes that really come out of the file, so twelve
 * bytes cannot ask for gigabytes; and the end of the file is read, too, since only there does gzip
 * compare its checksum.
 */
#include "idx.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "file.h"
#include "mem.h"

enum { FIRST_BYTES = 1 << 16, TYPE_U8 = 8, HEADER_MAX = 4 + 4 * TR_IDX_RANK };

struct reader {
    gzFile file; /* reads plain files, too */
    const char *path;
};

/* Reads up to n bytes; fewer only at the end of the file. */
static tr_status pull(const struct reader *reader, void *bytes, int64_t n, int64_t *got,
                      tr_error *err)
{
    *got = 0;
    while (*got < n) {
        const unsigned step = n - *got < 1 << 20 ? (unsigned)(n - *got) : 1u << 20;
        errno = 0;
        const int read = gzread(reader->file, (uint8_t *)bytes + *got, step);
        int code = Z_OK;
        const char *text = gzerror(reader->file, &code);
        if (code == Z_ERRNO)
            return tr_fail(err, TR_ERR_DATA, "%s: cannot be read: %s", reader->path,
                           strerror(errno));
        if (read < 0 || (code != Z_OK && code != Z_STREAM_END))
            return tr_fail(err, TR_ERR_DATA,
                           "%s: the gzip stream is damaged or cut short: %s; get the file again",
                           reader->path, text);
        if (read == 0)
            break;
        *got += read;
    }
    return TR_OK;
}

static int64_t big_endian(const uint8_t bytes[4])
{
    return (int64_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

/* Fills rank, dims and n_values. */
static tr_status read_header(tr_idx *idx, const struct reader *reader, int rank, tr_error *err)
{
    uint8_t h[HEADER_MAX] = {0};
    int64_t got = 0;
    const int64_t n_header = 4 + 4 * rank;
    TR_TRY(pull(reader, h, n_header, &got, err));
    if (got < 4)
        return tr_fail(err, TR_ERR_DATA, "%s: is %lld bytes long; expected an IDX file",
                       reader->path, (long long)got);
    if (h[0] != 0 || h[1] != 0 || h[2] != TYPE_U8 || h[3] != rank)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: starts with %02x %02x %02x %02x; expected 00 00 08 %02x, an IDX file "
                       "of uint8 in %d dimension%s",
                       reader->path, h[0], h[1], h[2], h[3], (unsigned)rank, rank,
                       rank == 1 ? "" : "s");
    if (got < n_header)
        return tr_fail(err, TR_ERR_DATA, "%s: ends inside its header", reader->path);
    *idx = (tr_idx){.rank = rank, .dims = {1, 1, 1}, .n_values = 1};
    bool overflow = false;
    for (int i = 0; i < rank; i++) {
        idx->dims[i] = big_endian(h + 4 + 4 * i);
        if (idx->dims[i] == 0)
            return tr_fail(err, TR_ERR_DATA, "%s: dimension %d of its header is 0: it is empty",
                           reader->path, i + 1);
        overflow |= __builtin_mul_overflow(idx->n_values, idx->dims[i], &idx->n_values);
    }
    if (overflow)
        return tr_fail(err, TR_ERR_DATA, "%s: its header says %lld x %lld x %lld bytes: damaged",
                       reader->path, (long long)idx->dims[0], (long long)idx->dims[1],
                       (long long)idx->dims[2]);
    return TR_OK;
}

/* Reads the values. idx->values may be allocated after a failure; the caller releases it. */
static tr_status read_values(tr_idx *idx, const struct reader *reader, tr_error *err)
{
    int64_t capacity = 0, used = 0, got = 0;
    while (used < idx->n_values) {
        const int64_t wanted = capacity == 0 ? FIRST_BYTES : 2 * capacity;
        const int64_t grown = wanted < idx->n_values ? wanted : idx->n_values;
        uint8_t *values = tr_realloc(idx->values, (size_t)capacity, (size_t)grown, 1);
        if (values == NULL)
            return tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory for %lld bytes", reader->path,
                           (long long)grown);
        idx->values = values;
        capacity = grown;
        TR_TRY(pull(reader, idx->values + used, capacity - used, &got, err));
        used += got;
        if (used < capacity)
            return tr_fail(err, TR_ERR_DATA,
                           "%s: is cut short: its header says %lld values, found %lld; get the "
                           "file again",
                           reader->path, (long long)idx->n_values, (long long)used);
    }
    uint8_t extra;
    TR_TRY(pull(reader, &extra, 1, &got, err));
    if (got > 0)
        return tr_fail(err, TR_ERR_DATA, "%s: goes on after the %lld values its header says",
                       reader->path, (long long)idx->n_values);
    return TR_OK;
}

tr_status tr_idx_read(tr_idx *out, const char *path, int rank, tr_error *err)
{
    tr_idx idx = {0};
    int fd = -1;
    TR_TRY(tr_file_open_input(&fd, path, err));
    errno = 0;
    const struct reader reader = {gzdopen(fd, "rb"), path};
    if (reader.file == NULL)
        close(fd);
    if (reader.file == NULL)
        return errno == 0
                   ? tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory to open it", path)
                   : tr_fail(err, TR_ERR_DATA, "%s: cannot be opened: %s", path, strerror(errno));
    tr_status status = read_header(&idx, &reader, rank, err);
    if (status != TR_OK)
        goto done;
    status = read_values(&idx, &reader, err);
done:
    gzclose_r(reader.file);
    if (status != TR_OK)
        tr_idx_release(&idx);
    else
        *out = idx;
    return status;
}

void tr_idx_release(tr_idx *idx)
{
    tr_free(idx->values);
    *idx = (tr_idx){0};
}
