/* h5_chunks.c -- see h5_chunks.h. */
#include "h5_chunks.h"

#include <stdio.h>
#include <string.h>

#include "h5_filters.h"
#include "mem.h"

/* A chunk larger than its array, and than this, is no array's. */
static const hsize_t largest_chunk = (hsize_t)64 << 20;

/* One read of a box. */
typedef struct chunk_reader {
    const tr_h5_array *array;
    hid_t stored, memory; /* types of an element */
    size_t stored_size, memory_size;
    hsize_t shape[TR_H5_RANK], n; /* of a chunk, in elements */
    tr_h5_filters filters;
    uint8_t *packed, *values;
    hsize_t packed_room;
    char *text; /* what is wrong */
    size_t text_size;
} chunk_reader;

/* ---- what is wrong with them ---- */

/* The shape of the chunks and how many of them there are. */
static const char *shape_fault(const tr_h5_array *array, hid_t plist, size_t element)
{
    hsize_t chunk[TR_H5_RANK] = {0}, most[TR_H5_RANK] = {0};
    hsize_t n_expected = 1, n_chunks = 0, bytes = element;
    /* 1.10 counts chunks in a dataspace, not in H5S_ALL. */
    const hid_t space = H5Dget_space(array->id);
    const bool known = H5Pget_chunk(plist, array->rank, chunk) == array->rank &&
                       H5Sget_simple_extent_dims(space, NULL, most) == array->rank &&
                       H5Dget_num_chunks(array->id, space, &n_chunks) >= 0;
    tr_h5_close(space);
    if (!known)
        return "its chunks cannot be found";
    for (int i = 0; i < array->rank; i++) {
        /* No writer makes such a one (the largest `most` is H5S_UNLIMITED), and HDF5 would take
         * whatever lies behind the shorter one that there is for values. */
        if (chunk[i] == 0 || chunk[i] > most[i] || __builtin_mul_overflow(bytes, chunk[i], &bytes))
            return "its chunks have an impossible shape";
        n_expected *= ((hsize_t)array->dims[i] - 1) / chunk[i] + 1;
    }
    if (bytes > largest_chunk && bytes > (hsize_t)array->n_elements * element)
        return "its chunks have an impossible shape";
    return n_chunks < n_expected ? "a part of it was never written" : NULL;
}

const char *tr_h5_chunks_fault(const tr_h5_array *array, char *text, size_t n)
{
    const hid_t plist = H5Dget_create_plist(array->id), type = H5Dget_type(array->id);
    tr_h5_filters filters;
    const char *fault = tr_h5_filters_read(&filters, plist, text, n);
    if (fault == NULL)
        fault = shape_fault(array, plist, H5Tget_size(type));
    tr_h5_close(type);
    tr_h5_close(plist);
    return fault;
}

bool tr_h5_chunks_are_ours(const tr_h5_array *array)
{
    char ignored[8];
    tr_h5_filters filters = {0};
    const hid_t plist = H5Dget_create_plist(array->id);
    const bool ours = H5Pget_layout(plist) == H5D_CHUNKED &&
                      tr_h5_filters_read(&filters, plist, ignored, sizeof ignored) == NULL &&
                      filters.ours;
    tr_h5_close(plist);
    return ours;
}

/* ---- one chunk ---- */

static const char *fail_chunk(chunk_reader *self, const hsize_t at[TR_H5_RANK], const char *what)
{
    int used = snprintf(self->text, self->text_size, "the chunk at [");
    for (int i = 0; i < self->array->rank && used < (int)self->text_size; i++)
        used += snprintf(self->text + used, self->text_size - (size_t)used, "%s%llu",
                         i > 0 ? ", " : "", (unsigned long long)at[i]);
    if (used < (int)self->text_size)
        snprintf(self->text + used, self->text_size - (size_t)used, "] %s", what);
    return self->text;
}

/* The chunk at `at` into values[n], converted. */
static const char *read_chunk(chunk_reader *self, const hsize_t at[TR_H5_RANK])
{
    hsize_t bytes = 0, file_bytes = 0;
    uint32_t skipped = 0;
    char what[96];
    if (H5Dget_chunk_storage_size(self->array->id, at, &bytes) < 0 || bytes == 0)
        return fail_chunk(self, at, "was never written");
    const hid_t file = H5Iget_file_id(self->array->id);
    const bool fits = file >= 0 && H5Fget_filesize(file, &file_bytes) >= 0 && bytes <= file_bytes;
    tr_h5_close(file);
    if (!fits)
        return fail_chunk(self, at, "is larger than the file");
    if (bytes > self->packed_room) {
        tr_free(self->packed);
        self->packed_room = bytes;
        self->packed = tr_alloc((size_t)bytes, 1);
    }
    if (self->packed == NULL)
        return tr_h5_no_memory;
    if (H5Dread_chunk(self->array->id, H5P_DEFAULT, at, &skipped, self->packed) < 0)
        return fail_chunk(self, at, "cannot be read");
    const char *fault =
        tr_h5_filters_undo(self->values, (size_t)self->n * self->stored_size, &self->filters,
                           self->packed, (size_t)bytes, skipped, what, sizeof what);
    if (fault != NULL)
        return fault == tr_h5_no_memory ? fault : fail_chunk(self, at, fault);
    if (H5Tconvert(self->stored, self->memory, (size_t)self->n, self->values, NULL, H5P_DEFAULT) <
        0)
        return fail_chunk(self, at, "cannot be converted");
    return NULL;
}

void tr_h5_box_copy(void *dst, const int64_t start[TR_H5_RANK], const int64_t count[TR_H5_RANK],
                    const void *src, const hsize_t at[TR_H5_RANK], const hsize_t shape[TR_H5_RANK],
                    int rank, size_t width)
{
    const int last = rank - 1;
    int64_t from[TR_H5_RANK], to[TR_H5_RANK], i[TR_H5_RANK];
    for (int d = 0; d < rank; d++) {
        const int64_t first = (int64_t)at[d], end = start[d] + count[d];
        from[d] = i[d] = first > start[d] ? first : start[d];
        to[d] = first + (int64_t)shape[d] < end ? first + (int64_t)shape[d] : end;
    }
    const size_t row = (size_t)(to[last] - from[last]) * width;
    for (;;) {
        size_t out = 0, in = 0;
        for (int d = 0; d < rank; d++) {
            out = out * (size_t)count[d] + (size_t)(i[d] - start[d]);
            in = in * (size_t)shape[d] + (size_t)(i[d] - (int64_t)at[d]);
        }
        memcpy((uint8_t *)dst + out * width, (const uint8_t *)src + in * width, row);
        int d = last - 1;
        while (d >= 0 && ++i[d] == to[d]) {
            i[d] = from[d];
            d--;
        }
        if (d < 0)
            return;
    }
}

/* ---- the box ---- */

static const char *read_box(chunk_reader *self, uint8_t *dst, const int64_t start[TR_H5_RANK],
                            const int64_t count[TR_H5_RANK])
{
    const int rank = self->array->rank;
    hsize_t first[TR_H5_RANK], at[TR_H5_RANK];
    for (int d = 0; d < rank; d++)
        first[d] = at[d] = (hsize_t)start[d] / self->shape[d] * self->shape[d];
    for (;;) {
        const char *fault = read_chunk(self, at);
        if (fault != NULL)
            return fault;
        tr_h5_box_copy(dst, start, count, self->values, at, self->shape, rank, self->memory_size);
        int d = rank - 1;
        while (d >= 0 && (at[d] += self->shape[d]) >= (hsize_t)(start[d] + count[d])) {
            at[d] = first[d];
            d--;
        }
        if (d < 0)
            return NULL;
    }
}

const char *tr_h5_chunks_read(void *dst, const tr_h5_array *array, hid_t memory_type,
                              const int64_t start[TR_H5_RANK], const int64_t count[TR_H5_RANK],
                              char *text, size_t n)
{
    chunk_reader self = {.array = array,
                         .stored = tr_h5_stored_type(array->id),
                         .memory = memory_type,
                         .memory_size = H5Tget_size(memory_type),
                         .n = 1,
                         .text = text,
                         .text_size = n};
    const hid_t plist = H5Dget_create_plist(array->id);
    const char *fault = tr_h5_filters_read(&self.filters, plist, text, n);
    self.stored_size = H5Tget_size(self.stored);
    if (fault == NULL && H5Pget_chunk(plist, array->rank, self.shape) != array->rank)
        fault = "its chunks cannot be found";
    for (int i = 0; i < array->rank; i++)
        self.n *= self.shape[i];
    if (fault == NULL) {
        const size_t widest =
            self.stored_size > self.memory_size ? self.stored_size : self.memory_size;
        self.values = tr_alloc((size_t)self.n, widest);
        fault = self.values == NULL ? tr_h5_no_memory : read_box(&self, dst, start, count);
    }
    tr_free(self.packed);
    tr_free(self.values);
    tr_h5_close(self.stored);
    tr_h5_close(plist);
    return fault;
}
