/* h5_outside.c -- see h5_outside.h. */
#include "h5_outside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "mem.h"

bool tr_h5_beside(char path[TR_H5_PATH], const char *beside, const char *name)
{
    const char *slash = strrchr(beside, '/');
    const int folder = name[0] == '/' || slash == NULL ? 0 : (int)(slash - beside) + 1;
    return snprintf(path, TR_H5_PATH, "%.*s%s", folder, beside, name) < TR_H5_PATH;
}

/* ---- external storage: one array in raw files, end to end ---- */

static bool read_exactly(int fd, uint8_t *dst, size_t n, off_t offset)
{
    while (n > 0) {
        const ssize_t got = pread(fd, dst, n, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        dst += got;
        n -= (size_t)got;
        offset += got;
    }
    return true;
}

/* Bytes [offset, offset + n) of a plain file. */
static const char *read_raw(uint8_t *dst, const char *path, off_t offset, size_t n, char *text,
                            size_t text_size)
{
    tr_error reason;
    struct stat info;
    int fd = -1;
    if (tr_file_open_input(&fd, path, &reason) != TR_OK) {
        snprintf(text, text_size, "%.250s", reason.text);
        return text;
    }
    const char *fault = NULL;
    if (fstat(fd, &info) != 0 || offset < 0 || offset > info.st_size ||
        n > (uint64_t)(info.st_size - offset)) {
        snprintf(text, text_size,
                 "%.150s has %lld bytes, of which it wants those from %lld to %lld", path,
                 (long long)info.st_size, (long long)offset, (long long)offset + (long long)n);
        fault = text;
    } else if (!read_exactly(fd, dst, n, offset)) {
        snprintf(text, text_size, "%.150s cannot be read", path);
        fault = text;
    }
    close(fd);
    return fault;
}

static const char *read_pieces(uint8_t *values, size_t bytes, const tr_h5_array *array, hid_t plist,
                               char *text, size_t n)
{
    const int n_pieces = H5Pget_external_count(plist);
    size_t done = 0;
    for (int i = 0; i < n_pieces && done < bytes; i++) {
        char name[TR_H5_PATH] = "", path[TR_H5_PATH];
        off_t offset = 0;
        hsize_t size = 0;
        if (H5Pget_external(plist, (unsigned)i, sizeof name - 1, name, &offset, &size) < 0 ||
            !tr_h5_beside(path, array->file, name))
            return "the name of a file with its values cannot be read";
        const size_t some = size < bytes - done ? (size_t)size : bytes - done;
        const char *fault = read_raw(values + done, path, offset, some, text, n);
        if (fault != NULL)
            return fault;
        done += some;
    }
    return done == bytes ? NULL : "its files together are shorter than it is";
}

static const char *read_external(void *dst, const tr_h5_array *array, hid_t plist,
                                 hid_t memory_type, char *text, size_t n)
{
    const hid_t stored = tr_h5_stored_type(array->id);
    const size_t width = H5Tget_size(stored), memory_width = H5Tget_size(memory_type);
    const size_t count = (size_t)array->n_elements;
    uint8_t *values = tr_alloc(count, width > memory_width ? width : memory_width);
    const char *fault = values == NULL ? tr_h5_no_memory
                                       : read_pieces(values, count * width, array, plist, text, n);
    if (fault == NULL && H5Tconvert(stored, memory_type, count, values, NULL, H5P_DEFAULT) < 0)
        fault = "its values cannot be converted";
    if (fault == NULL)
        memcpy(dst, values, count * memory_width);
    tr_free(values);
    tr_h5_close(stored);
    return fault;
}

/* ---- virtual arrays: parts of other arrays ---- */

typedef struct virtual_reader {
    const tr_h5_array *array;
    hid_t plist, memory;
    size_t width; /* of an element in memory */
    uint8_t *dst, *covered;
    char *text;
    size_t text_size;
} virtual_reader;

/* The selection of `space`, in a space of these dims; takes `space` over. Negative: it is none of a
 * regular pattern, or leads out of them. The extent of `space` itself means nothing: HDF5 does not
 * keep that of a source. */
static hid_t select_in(hid_t space, int rank, const int64_t *dims)
{
    hsize_t size[TR_H5_RANK] = {0}, start[TR_H5_RANK], stride[TR_H5_RANK], count[TR_H5_RANK],
            block[TR_H5_RANK];
    const H5S_sel_type kind = space < 0 ? H5S_SEL_ERROR : H5Sget_select_type(space);
    bool fits = kind == H5S_SEL_ALL;
    for (int i = 0; i < rank; i++)
        size[i] = (hsize_t)dims[i];
    hid_t selected = H5Screate_simple(rank, size, NULL);
    if (kind == H5S_SEL_HYPERSLABS && H5Sget_simple_extent_ndims(space) == rank) {
        fits = H5Sis_regular_hyperslab(space) > 0 &&
               H5Sget_regular_hyperslab(space, start, stride, count, block) >= 0;
        for (int i = 0; fits && i < rank; i++)
            fits = count[i] > 0 && block[i] > 0 && block[i] <= size[i] && start[i] < size[i] &&
                   count[i] <= size[i] && (count[i] == 1 || stride[i] <= size[i]) &&
                   start[i] + (count[i] - 1) * stride[i] + block[i] <= size[i];
        fits =
            fits && H5Sselect_hyperslab(selected, H5S_SELECT_SET, start, stride, count, block) >= 0;
    }
    if (!fits) {
        tr_h5_close(selected);
        selected = H5I_INVALID_HID;
    }
    tr_h5_close(space);
    return selected;
}

/* H5Dscatter callback: all of it at once. */
typedef struct gathered {
    const void *values;
    size_t bytes;
} gathered;

static herr_t give(const void **values, size_t *bytes, void *user)
{
    const gathered *all = user;
    *values = all->values;
    *bytes = all->bytes;
    return 0;
}

/* The selected part of an open source into the selected part of dst. */
static const char *move(virtual_reader *self, const tr_h5_file *file, const tr_h5_array *source,
                        hid_t from, hid_t to)
{
    const hssize_t count = H5Sget_select_npoints(from);
    const uint8_t one = 1;
    if (count <= 0 || count != H5Sget_select_npoints(to))
        return "a part of it and what it is made of have different shapes";
    tr_error reason;
    gathered all = {.bytes = (size_t)count * self->width};
    uint8_t *values = tr_alloc((size_t)source->n_elements, self->width);
    uint8_t *some = tr_alloc((size_t)count, self->width);
    const char *fault = values == NULL || some == NULL ? tr_h5_no_memory : NULL;
    all.values = some;
    if (fault == NULL && tr_h5_array_read(values, file, source, self->memory, &reason) != TR_OK) {
        snprintf(self->text, self->text_size, "%.300s", reason.text);
        fault = self->text;
    }
    if (fault == NULL && (H5Dgather(from, values, self->memory, all.bytes, some, NULL, NULL) < 0 ||
                          H5Dscatter(give, &all, self->memory, to, self->dst) < 0 ||
                          H5Dfill(&one, H5T_NATIVE_UINT8, self->covered, H5T_NATIVE_UINT8, to) < 0))
        fault = "a part of it cannot be put in its place";
    tr_free(values);
    tr_free(some);
    return fault;
}

static const char *read_source(virtual_reader *self, size_t i, const char *path, const char *name)
{
    tr_h5_file file = {0};
    tr_h5_array source = {0};
    tr_error reason;
    const tr_h5_array *array = self->array;
    const hid_t to = select_in(H5Pget_virtual_vspace(self->plist, i), array->rank, array->dims);
    hid_t from = H5I_INVALID_HID;
    const char *fault = to < 0 ? "a part of it has a place that is no regular pattern in it" : NULL;
    if (fault == NULL &&
        (tr_h5_file_open(&file, path, TR_H5_DATASET_WITH_EXTERNAL, &reason) != TR_OK ||
         tr_h5_array_open_deeper(&source, &file, name, array->depth + 1, &reason) != TR_OK)) {
        snprintf(self->text, self->text_size, "%.300s", reason.text);
        fault = self->text;
    }
    if (fault == NULL) {
        from = select_in(H5Pget_virtual_srcspace(self->plist, i), source.rank, source.dims);
        snprintf(self->text, self->text_size,
                 "%.150s: %.60s is %.80s, which has not the part that is wanted of it", path, name,
                 source.text);
        fault = from < 0 ? self->text : move(self, &file, &source, from, to);
    }
    tr_h5_close(from);
    tr_h5_close(to);
    tr_h5_array_close(&source);
    tr_h5_file_close(&file);
    return fault;
}

static const char *read_sources(virtual_reader *self)
{
    size_t n_sources = 0;
    if (H5Pget_virtual_count(self->plist, &n_sources) < 0)
        return "what it is made of cannot be found";
    for (size_t i = 0; i < n_sources; i++) {
        char file[TR_H5_PATH] = "", name[TR_H5_PATH] = "", path[TR_H5_PATH];
        if (H5Pget_virtual_filename(self->plist, i, file, sizeof file) < 0 ||
            H5Pget_virtual_dsetname(self->plist, i, name, sizeof name) < 0 ||
            strlen(file) + 1 >= sizeof file || strlen(name) + 1 >= sizeof name)
            return "what it is made of cannot be found";
        if (strchr(file, '%') != NULL || strchr(name, '%') != NULL)
            return "it is made of files that are named by a pattern (%b), which trainer does not "
                   "read";
        const bool here = strcmp(file, ".") == 0;
        if (here && strcmp(name + strspn(name, "/"),
                           self->array->name + strspn(self->array->name, "/")) == 0)
            return "it is made of itself";
        if (here ? snprintf(path, sizeof path, "%s", self->array->file) >= (int)sizeof path
                 : !tr_h5_beside(path, self->array->file, file))
            return "the name of a file with its values is too long";
        const char *fault = read_source(self, i, path, name);
        if (fault != NULL)
            return fault;
    }
    const uint8_t *hole = memchr(self->covered, 0, (size_t)self->array->n_elements);
    if (hole == NULL)
        return NULL;
    const int64_t row = self->array->n_elements / self->array->dims[0];
    snprintf(self->text, self->text_size, "no file has its values at index %lld",
             (long long)((hole - self->covered) / row));
    return self->text;
}

static const char *read_virtual(void *dst, const tr_h5_array *array, hid_t plist, hid_t memory_type,
                                char *text, size_t n)
{
    virtual_reader self = {.array = array,
                           .plist = plist,
                           .memory = memory_type,
                           .width = H5Tget_size(memory_type),
                           .dst = dst,
                           .covered = tr_alloc((size_t)array->n_elements, 1),
                           .text = text,
                           .text_size = n};
    const char *fault = self.covered == NULL ? tr_h5_no_memory : read_sources(&self);
    tr_free(self.covered);
    return fault;
}

/* ---- either ---- */

const char *tr_h5_outside_read(void *dst, const tr_h5_array *array, hid_t memory_type, char *text,
                               size_t n)
{
    const hid_t plist = H5Dget_create_plist(array->id);
    const char *fault = NULL;
    if (array->rank == 0)
        fault = "it is one number in another file";
    else
        fault = H5Pget_layout(plist) == H5D_VIRTUAL
                    ? read_virtual(dst, array, plist, memory_type, text, n)
                    : read_external(dst, array, plist, memory_type, text, n);
    tr_h5_close(plist);
    return fault;
}
