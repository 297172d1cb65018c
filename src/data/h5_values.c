/* h5_values.c -- reading the values of a dataset; see h5_values.h.
 *
 * HDF5 1.10 believes its files: one flipped bit in the shape, the filter mask or the type of a
 * dataset, and H5Dread copies from beyond the end of a block: a crash, or silently somebody else's
 * bytes as pixels. So HDF5 only tells where things are, and the two common layouts are read here,
 * every length checked before it is used:
 *     contiguous     pread() at the dataset's offset
 *     chunked        H5Dread_chunk() and our own undoing of fletcher32, deflate, shuffle
 * The rest (compact, external, virtual, other filters) goes through H5Dread, unconverted.
 * What is left to trust is HDF5's parsing of headers: 1.10.8 divides by zero when it opens a
 * dataset whose chunk shape was damaged to 0, before anyone can look.
 */
#include "h5_values.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "h5.h"
#include "h5_chunk.h"
#include "mem.h"

enum { PIECE_BYTES = 1 << 20, LARGE_CHUNK_BYTES = 1 << 26 };

static tr_status fail(const tr_h5_file *file, const tr_h5_array *array, const char *reason,
                      tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA,
                   "%s: %s is %s, but %s; the file is damaged or its writer was interrupted",
                   file->path, array->name, array->text, reason);
}

static tr_status fail_memory(const tr_h5_file *file, const tr_h5_array *array, tr_error *err)
{
    return tr_fail(err, TR_ERR_INTERNAL, "%s: %s is %s: out of memory while reading it", file->path,
                   array->name, array->text);
}

static size_t target_bytes(tr_number_kind target)
{
    return target == TR_NUMBER_U8 ? 1 : target == TR_NUMBER_F32 ? 4 : 8;
}

/* ---- contiguous ---- */

/* The n bytes at `offset`, all of them, or the reason why not. */
static const char *read_at(int fd, uint8_t *bytes, size_t n, uint64_t offset)
{
    for (size_t done = 0; done < n;) {
        const ssize_t got = pread(fd, bytes + done, n - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? strerror(errno) : "the file ends before it does";
        done += (size_t)got;
    }
    return NULL;
}

static tr_status read_contiguous(void *dst, tr_number_kind target, const tr_h5_file *file,
                                 const tr_h5_array *array, tr_error *err)
{
    const haddr_t start = H5Dget_offset(array->id);
    const size_t item = array->number.bytes, n_elements = (size_t)array->n_elements;
    if (start == HADDR_UNDEF)
        return fail(file, array, "it was never written", err);
    if (H5Dget_storage_size(array->id) != n_elements * item || start > INT64_MAX / 2)
        return fail(file, array, "its place in the file has another size", err);
    const char *reason = NULL;
    uint8_t *piece = tr_alloc(PIECE_BYTES, 1);
    if (piece == NULL)
        return fail_memory(file, array, err);
    const int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        reason = strerror(errno);
    const size_t step = PIECE_BYTES / item;
    for (size_t done = 0; reason == NULL && done < n_elements; done += step) {
        const size_t n = n_elements - done < step ? n_elements - done : step;
        reason = read_at(fd, piece, n * item, start + done * item);
        if (reason == NULL)
            tr_number_convert((uint8_t *)dst + done * target_bytes(target), target, piece,
                              array->number, n);
    }
    if (fd >= 0)
        close(fd);
    tr_free(piece);
    return reason == NULL ? TR_OK : fail(file, array, reason, err);
}

/* ---- chunked ---- */

/* The next chunk's offset, last dimension fastest; false after the last. */
static bool advance(hsize_t *offset, const hsize_t *chunk, const tr_h5_array *array)
{
    for (int i = array->rank - 1; i >= 0; i--) {
        offset[i] += chunk[i];
        if (offset[i] < (hsize_t)array->dims[i])
            return true;
        offset[i] = 0;
    }
    return false;
}

/* Converts a chunk's values, bytes[chunk dims], to their places in dst[array dims]. Whole rows of
 * the last dimension at a time; trailing dimensions that a chunk spans entirely count as one. What
 * sticks out over the edge of the array is left out. */
static void scatter(uint8_t *dst, tr_number_kind target, uint8_t *bytes, const hsize_t *offset,
                    const hsize_t *chunk, const tr_h5_array *array)
{
    int last = array->rank - 1;
    uint64_t span = 1; /* elements of the trailing dimensions that are whole */
    while (last > 0 && chunk[last] == (hsize_t)array->dims[last])
        span *= chunk[last--];
    const uint64_t room = (uint64_t)array->dims[last] - offset[last];
    const uint64_t n = (chunk[last] < room ? chunk[last] : room) * span;
    uint64_t n_rows = 1;
    for (int i = 0; i < last; i++)
        n_rows *= chunk[i];
    for (uint64_t row = 0; row < n_rows; row++) {
        bool inside = true;
        uint64_t rest = row, place = offset[last] * span;
        uint64_t stride = (uint64_t)array->dims[last] * span;
        for (int i = last - 1; i >= 0; i--) {
            const uint64_t at = offset[i] + rest % chunk[i];
            rest /= chunk[i];
            inside = inside && at < (uint64_t)array->dims[i];
            place += at * stride;
            stride *= (uint64_t)array->dims[i];
        }
        if (inside)
            tr_number_convert(dst + place * target_bytes(target), target,
                              bytes + row * chunk[last] * span * array->number.bytes, array->number,
                              n);
    }
}

static tr_status read_chunked(void *dst, tr_number_kind target, const tr_h5_file *file,
                              const tr_h5_array *array, tr_h5_chunks *chunks, tr_error *err)
{
    /* A chunk may stick out over a small array that is to grow, but not by gigabytes, which would
     * be allocated and cleared for nothing. HDF5's own limit is 4 GiB. */
    const uint64_t array_bytes = (uint64_t)array->n_elements * array->number.bytes;
    if (chunks->bytes == 0 || chunks->bytes > UINT32_MAX || chunks->bytes > file->bytes_left ||
        (chunks->bytes > LARGE_CHUNK_BYTES && chunks->bytes > array_bytes))
        return fail(file, array, "its chunks have an impossible size", err);
    if (!tr_h5_chunks_allocate(chunks))
        return fail_memory(file, array, err);
    hsize_t offset[TR_H5_RANK] = {0};
    do {
        const char *reason = NULL;
        uint8_t *bytes = tr_h5_chunk_read(chunks, array->id, offset, &reason);
        if (bytes == NULL)
            return fail(file, array, reason, err);
        scatter(dst, target, bytes, offset, chunks->dims, array);
    } while (advance(offset, chunks->dims, array));
    return TR_OK;
}

/* ---- the rest ---- */

static tr_status read_by_hdf5(void *dst, tr_number_kind target, const tr_h5_file *file,
                              const tr_h5_array *array, tr_error *err)
{
    const size_t n = (size_t)array->n_elements;
    uint8_t *bytes = n > file->bytes_left / 8 ? NULL : tr_alloc(n, array->number.bytes);
    if (bytes == NULL)
        return fail_memory(file, array, err);
    const hid_t type = H5Dget_type(array->id);
    tr_status status = TR_OK;
    if (H5Dread(array->id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) < 0) {
        char cause[TR_H5_TEXT];
        tr_h5_cause(cause, sizeof cause);
        status = tr_fail(err, TR_ERR_DATA,
                         "%s: %s is %s, but HDF5 cannot read it: %s; the file is damaged, or "
                         "packed with a filter that this machine lacks: write it with gzip",
                         file->path, array->name, array->text, cause);
    } else {
        tr_number_convert(dst, target, bytes, array->number, n);
    }
    tr_h5_close(type);
    tr_free(bytes);
    return status;
}

tr_status tr_h5_values_read(void *dst, tr_number_kind target, const tr_h5_file *file,
                            const tr_h5_array *array, tr_error *err)
{
    const hid_t plist = H5Dget_create_plist(array->id);
    const H5D_layout_t layout = H5Pget_layout(plist);
    const bool external = H5Pget_external_count(plist) != 0;
    tr_h5_chunks chunks = {0};
    const bool chunked =
        layout == H5D_CHUNKED && tr_h5_chunks_look(&chunks, plist, array->rank, array->number);
    tr_h5_close(plist);
    if (layout == H5D_CONTIGUOUS && !external)
        return read_contiguous(dst, target, file, array, err);
    if (layout == H5D_COMPACT &&
        H5Dget_storage_size(array->id) != (uint64_t)array->n_elements * array->number.bytes)
        return fail(file, array, "its header has room for another size", err);
    if (!chunked)
        return read_by_hdf5(dst, target, file, array, err);
    const tr_status status = read_chunked(dst, target, file, array, &chunks, err);
    tr_h5_chunks_release(&chunks);
    return status;
}
