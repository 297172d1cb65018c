/* h5_read.c -- reading one numeric array of an HDF5 file; see h5_array.h.
 *
 * The file is not trusted: shapes are multiplied with overflow checks and held against the
 * physical memory before anything is allocated, and dataset names come from the file only as text
 * of an error message.
 */
#include "h5_array.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "h5_path.h"

/* Adds to text[n] behind its present end; what does not fit is cut. */
static void append(char *text, size_t n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(char *text, size_t n, const char *format, ...)
{
    const size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, n - used, format, args);
    va_end(args);
}

/* ---- what is there ---- */

void tr_h5_type_text(hid_t type, char *text, size_t n)
{
    text[0] = '\0';
    const size_t bits = 8 * H5Tget_size(type);
    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
        append(text, n, "%sint%zu", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", bits);
        break;
    case H5T_FLOAT:
        append(text, n, "float%zu", bits);
        break;
    case H5T_STRING:
        append(text, n, "string");
        break;
    case H5T_COMPOUND:
        append(text, n, "compound");
        break;
    case H5T_ENUM: /* h5py stores NumPy's bool so */
        append(text, n, "enumeration");
        break;
    default:
        append(text, n, "non-numeric");
        break;
    }
}

static void describe_shape(const int64_t *dims, int rank, char *text, size_t n)
{
    append(text, n, " [");
    for (int i = 0; i < rank; i++)
        append(text, n, "%s%lld", i > 0 ? ", " : "", (long long)dims[i]);
    append(text, n, "]");
}

/* Fills dims, rank and text; false when HDF5 cannot say, or the rank is beyond TR_H5_RANK. */
static bool describe(tr_h5_array *array, hid_t type)
{
    const hid_t space = H5Dget_space(array->id);
    hsize_t dims[H5S_MAX_RANK] = {0};
    const bool simple = H5Sget_simple_extent_type(space) == H5S_SIMPLE;
    const bool scalar = H5Sget_simple_extent_type(space) == H5S_SCALAR;
    array->rank = simple ? H5Sget_simple_extent_dims(space, dims, NULL) : 0;
    tr_h5_close(space);
    tr_h5_type_text(type, array->text, sizeof array->text);
    if (array->rank < 0 || array->rank > TR_H5_RANK) {
        append(array->text, sizeof array->text, " of %d dimensions", array->rank);
        return false;
    }
    bool fits = true;
    for (int i = 0; i < array->rank; i++) {
        fits = fits && dims[i] <= INT64_MAX;
        array->dims[i] = (int64_t)dims[i];
    }
    describe_shape(array->dims, array->rank, array->text, sizeof array->text);
    return space >= 0 && fits && (simple || scalar);
}

struct listing {
    char *text;
    size_t n;
};

/* H5Lvisit visitor: adds a dataset's name, type and shape. Links that lead out of the file are not
 * followed; what cannot be opened is passed over. */
static herr_t list_one(hid_t group, const char *name, const H5L_info_t *info, void *user)
{
    struct listing *listing = user;
    if (info->type != H5L_TYPE_HARD)
        return 0;
    tr_h5_array array = {.id = H5Oopen(group, name, H5P_DEFAULT)};
    if (array.id >= 0 && H5Iget_type(array.id) == H5I_DATASET) {
        const hid_t type = H5Dget_type(array.id);
        describe(&array, type);
        append(listing->text, listing->n, "%s%.60s %s", listing->text[0] == '\0' ? "" : ", ", name,
               array.text);
        tr_h5_close(type);
    }
    tr_h5_close(array.id);
    return strlen(listing->text) + 1 < listing->n ? 0 : 1; /* 1: full, stop */
}

void tr_h5_file_list(const tr_h5_file *file, char *text, size_t n)
{
    text[0] = '\0';
    struct listing listing = {text, n};
    H5Lvisit(file->id, H5_INDEX_NAME, H5_ITER_INC, list_one, &listing);
    if (text[0] == '\0')
        append(text, n, "no datasets");
    else if (strlen(text) + 1 >= n && n > 4)
        memcpy(text + n - 4, "...", 4);
}

/* ---- the array ---- */

static tr_status fail_to_find(const tr_h5_file *file, const char *name, tr_error *err)
{
    char list[1024];
    tr_h5_file_list(file, list, sizeof list);
    return tr_fail(err, TR_ERR_DATA, "%s: has no dataset \"%s\"; it has %s%s", file->path, name,
                   list,
                   file->policy == TR_H5_MODEL
                       ? ""
                       : "; the keys x_train, y_train, x_test, y_test in [data] name the datasets");
}

static tr_status fail_to_open(const tr_h5_file *file, const char *name, tr_error *err)
{
    char cause[TR_H5_TEXT];
    tr_h5_cause(cause, sizeof cause);
    return tr_fail(err, TR_ERR_DATA, "%s: %s cannot be opened: %s; is the file damaged?",
                   file->path, name, cause);
}

/* The type and shape checks of an open dataset. */
static tr_status examine(tr_h5_array *array, const tr_h5_file *file, hid_t type, tr_error *err)
{
    const bool plain = describe(array, type);
    const H5T_class_t class = H5Tget_class(type);
    if (class != H5T_INTEGER && class != H5T_FLOAT)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s; expected integers or floats of any width; store it as uint8 "
                       "or float32",
                       file->path, array->name, array->text);
    const bool model = file->policy == TR_H5_MODEL;
    if (!plain || (array->rank == 0 && !model))
        return tr_fail(err, TR_ERR_DATA, "%s: %s is %s; expected an array of 1 to %d dimensions",
                       file->path, array->name, array->text, TR_H5_RANK);
    const size_t bytes = H5Tget_size(type);
    if (bytes > 16 || H5Tget_offset(type) < 0 ||
        (size_t)H5Tget_offset(type) + H5Tget_precision(type) > 8 * bytes)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s with its bits where no number has them; is the file damaged?",
                       file->path, array->name, array->text);
    array->is_float = class == H5T_FLOAT;
    array->is_uint8 = class == H5T_INTEGER && bytes == 1 && H5Tget_precision(type) == 8 &&
                      H5Tget_sign(type) == H5T_SGN_NONE;
    array->n_elements = 1;
    for (int i = 0; i < array->rank; i++) {
        if (array->dims[i] == 0 && !model)
            return tr_fail(err, TR_ERR_DATA, "%s: %s is %s: it is empty", file->path, array->name,
                           array->text);
        if (__builtin_mul_overflow(array->n_elements, array->dims[i], &array->n_elements))
            return tr_fail(err, TR_ERR_DATA,
                           "%s: %s is %s: no memory can hold that; is the file "
                           "damaged?",
                           file->path, array->name, array->text);
    }
    return TR_OK;
}

tr_status tr_h5_array_open(tr_h5_array *out, const tr_h5_file *file, const char *name,
                           tr_error *err)
{
    char resolved[TR_H5_PATH];
    tr_error reason;
    *out = (tr_h5_array){.id = H5I_INVALID_HID, .name = name};
    const tr_h5_way way = tr_h5_path_resolve(file, name, resolved, &reason);
    if (way == TR_H5_WAY_NOWHERE)
        return fail_to_find(file, name, err);
    if (way != TR_H5_WAY_INSIDE)
        return tr_fail(err, TR_ERR_DATA, "%s", reason.text);
    out->id = H5Oopen(file->id, resolved, H5P_DEFAULT);
    if (out->id < 0)
        return fail_to_open(file, name, err);
    if (H5Iget_type(out->id) != H5I_DATASET) {
        char list[1024];
        tr_h5_file_list(file, list, sizeof list);
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is a group or a type; expected a dataset; the file has %s",
                       file->path, name, list);
    }
    const hid_t type = H5Dget_type(out->id);
    const tr_status status = examine(out, file, type, err);
    tr_h5_close(type);
    return status;
}

void tr_h5_array_close(tr_h5_array *array)
{
    if (array->name != NULL)
        tr_h5_close(array->id);
    *array = (tr_h5_array){0};
}

tr_status tr_h5_array_reserve(tr_h5_file *file, const tr_h5_array *array, size_t item_bytes,
                              tr_error *err)
{
    uint64_t bytes;
    if (__builtin_mul_overflow((uint64_t)array->n_elements, item_bytes, &bytes))
        bytes = UINT64_MAX;
    if (bytes > file->bytes_left)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s: needs %.1f GiB of memory, but only %.1f GiB of this "
                       "machine's are left for it",
                       file->path, array->name, array->text, (double)bytes * 0x1p-30,
                       (double)file->bytes_left * 0x1p-30);
    file->bytes_left -= bytes;
    return TR_OK;
}

/* ---- its values ---- */

/* What is wrong with the chunks of a chunked dataset, or NULL. */
static const char *chunks_fault(const tr_h5_array *array, hid_t plist)
{
    hsize_t chunk[TR_H5_RANK] = {0}, most[TR_H5_RANK] = {0}, n_expected = 1, n_chunks = 0;
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
        if (chunk[i] == 0 || chunk[i] > most[i])
            return "its chunks have an impossible shape";
        n_expected *= ((hsize_t)array->dims[i] - 1) / chunk[i] + 1;
    }
    return n_chunks < n_expected ? "a part of it was never written" : NULL;
}

const char *tr_h5_array_fault(const tr_h5_array *array)
{
    const hid_t plist = H5Dget_create_plist(array->id), type = H5Dget_type(array->id);
    const uint64_t bytes = (uint64_t)array->n_elements * H5Tget_size(type);
    const H5D_layout_t layout = H5Pget_layout(plist);
    const bool external = H5Pget_external_count(plist) > 0;
    H5D_space_status_t space = H5D_SPACE_STATUS_ERROR;
    const char *fault = NULL;
    if (H5Dget_space_status(array->id, &space) < 0)
        fault = "its place in the file cannot be found";
    else if (space == H5D_SPACE_STATUS_NOT_ALLOCATED)
        fault = "it was never written";
    else if (layout == H5D_CHUNKED)
        fault = chunks_fault(array, plist);
    else if ((layout == H5D_COMPACT || (layout == H5D_CONTIGUOUS && !external)) &&
             H5Dget_storage_size(array->id) != bytes)
        fault = "its place in the file has another size";
    tr_h5_close(type);
    tr_h5_close(plist);
    return fault;
}

tr_status tr_h5_array_read(void *dst, const tr_h5_file *file, const tr_h5_array *array,
                           hid_t memory_type, tr_error *err)
{
    const int64_t start[TR_H5_RANK] = {0};
    return tr_h5_array_read_box(dst, file, array, memory_type, start, array->dims, err);
}

/* HDF5's read of the box, without the checks. */
static bool read_box(void *dst, const tr_h5_array *array, hid_t memory_type,
                     const int64_t start[TR_H5_RANK], const int64_t count[TR_H5_RANK])
{
    if (array->rank == 0)
        return H5Dread(array->id, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, dst) >= 0;
    hsize_t from[TR_H5_RANK], size[TR_H5_RANK];
    for (int i = 0; i < array->rank; i++) {
        from[i] = (hsize_t)start[i];
        size[i] = (hsize_t)count[i];
    }
    const hid_t space = H5Dget_space(array->id), memory = H5Screate_simple(array->rank, size, NULL);
    const bool ok = space >= 0 && memory >= 0 &&
                    H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, size, NULL) >= 0 &&
                    H5Dread(array->id, memory_type, memory, space, H5P_DEFAULT, dst) >= 0;
    tr_h5_close(memory);
    tr_h5_close(space);
    return ok;
}

tr_status tr_h5_array_read_box(void *dst, const tr_h5_file *file, const tr_h5_array *array,
                               hid_t memory_type, const int64_t start[TR_H5_RANK],
                               const int64_t count[TR_H5_RANK], tr_error *err)
{
    if (array->n_elements == 0)
        return TR_OK;
    const char *fault = tr_h5_array_fault(array);
    if (fault != NULL)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s, but %s; the file is damaged or its writer was interrupted",
                       file->path, array->name, array->text, fault);
    if (read_box(dst, array, memory_type, start, count))
        return TR_OK;
    char cause[TR_H5_TEXT];
    tr_h5_cause(cause, sizeof cause);
    return tr_fail(err, TR_ERR_DATA,
                   "%s: %s is %s, but HDF5 cannot read it: %s; the file is damaged, or packed with "
                   "a filter that this machine lacks: write it with gzip",
                   file->path, array->name, array->text, cause);
}
