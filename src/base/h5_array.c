/* h5_array.c -- see h5_array.h.
 *
 * The file is not trusted: shapes are multiplied with overflow checks and held against the
 * physical memory before anything is allocated, and dataset names come from the file only as text
 * of an error message.
 */
#include "h5_array.h"

#include <stdio.h>
#include <string.h>

#include "h5_chunks.h"
#include "h5_outside.h"
#include "h5_path.h"
#include "mem.h"

/* From one to the next, by links and virtual arrays: nobody needs more. */
enum { MOST_FILES = 4 };

/* ---- what is there ---- */

bool tr_h5_array_describe(tr_h5_array *array, hid_t type)
{
    const hid_t space = H5Dget_space(array->id);
    hsize_t dims[H5S_MAX_RANK] = {0};
    const bool simple = H5Sget_simple_extent_type(space) == H5S_SIMPLE;
    const bool scalar = H5Sget_simple_extent_type(space) == H5S_SCALAR;
    array->rank = simple ? H5Sget_simple_extent_dims(space, dims, NULL) : 0;
    tr_h5_close(space);
    tr_h5_type_text(type, array->text, sizeof array->text);
    if (array->rank < 0 || array->rank > TR_H5_RANK) {
        tr_text_append(array->text, sizeof array->text, " of %d dimensions", array->rank);
        return false;
    }
    bool fits = true;
    for (int i = 0; i < array->rank; i++) {
        fits = fits && dims[i] <= INT64_MAX;
        array->dims[i] = (int64_t)dims[i];
    }
    tr_text_append(array->text, sizeof array->text, " [");
    for (int i = 0; i < array->rank; i++)
        tr_text_append(array->text, sizeof array->text, "%s%lld", i > 0 ? ", " : "",
                       (long long)array->dims[i]);
    tr_text_append(array->text, sizeof array->text, "]");
    return space >= 0 && fits && (simple || scalar);
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

/* Counts the elements. */
static tr_status examine_shape(tr_h5_array *array, const tr_h5_file *file, tr_error *err)
{
    const bool model = file->policy == TR_H5_MODEL;
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

/* The type and shape checks of an open dataset. */
static tr_status examine(tr_h5_array *array, const tr_h5_file *file, hid_t type, bool texts_too,
                         tr_error *err)
{
    const bool plain = tr_h5_array_describe(array, type);
    const bool is_bool = tr_h5_type_is_bool(type);
    const H5T_class_t class = is_bool ? H5T_INTEGER : H5Tget_class(type);
    array->is_text = class == H5T_STRING && texts_too;
    if (!array->is_text && class != H5T_INTEGER && class != H5T_FLOAT)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s; expected integers or floats of any width, or bool; store it "
                       "as uint8 or float32",
                       file->path, array->name, array->text);
    if (!plain)
        return tr_fail(err, TR_ERR_DATA, "%s: %s is %s; expected an array of at most %d dimensions",
                       file->path, array->name, array->text, TR_H5_RANK);
    const size_t bytes = H5Tget_size(type);
    array->is_bool = is_bool;
    if (is_bool || array->is_text) {
        array->is_uint8 = is_bool;
        return examine_shape(array, file, err);
    }
    if (bytes > 16 || H5Tget_offset(type) < 0 ||
        (size_t)H5Tget_offset(type) + H5Tget_precision(type) > 8 * bytes)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s with its bits where no number has them; is the file damaged?",
                       file->path, array->name, array->text);
    array->is_float = class == H5T_FLOAT;
    array->is_uint8 = class == H5T_INTEGER && bytes == 1 && H5Tget_precision(type) == 8 &&
                      H5Tget_sign(type) == H5T_SGN_NONE;
    return examine_shape(array, file, err);
}

const char *tr_h5_array_outside(hid_t dataset, char *text, size_t n)
{
    char name[TR_H5_TEXT] = "";
    off_t offset;
    hsize_t size;
    const char *what = NULL;
    const hid_t plist = H5Dget_create_plist(dataset);
    if (H5Pget_external_count(plist) > 0) {
        H5Pget_external(plist, 0, sizeof name - 1, name, &offset, &size);
        snprintf(text, n, "its values are in the file %s", name);
        what = text;
    } else if (H5Pget_layout(plist) == H5D_VIRTUAL) {
        H5Pget_virtual_filename(plist, 0, name, sizeof name);
        snprintf(text, n, "it is virtual: its values are in the file %s", name);
        what = text;
    }
    tr_h5_close(plist);
    return what;
}

/* The values lie in the file, or may lie elsewhere. */
static tr_status check_inside(tr_h5_array *array, const tr_h5_file *file, tr_error *err)
{
    char text[2 * TR_H5_TEXT];
    const char *outside = tr_h5_array_outside(array->id, text, sizeof text);
    array->outside = outside != NULL && file->policy == TR_H5_DATASET_WITH_EXTERNAL;
    if (outside == NULL || array->outside)
        return TR_OK;
    return tr_fail(err, TR_ERR_DATA, "%s: %s: %s, which is not opened; %s", file->path, array->name,
                   outside, tr_h5_advice(file->policy));
}

/* On the other side of an external link that the user allowed. */
static tr_status follow(tr_h5_array *out, const tr_h5_file *file, const char *name,
                        const tr_h5_target *target, int depth, tr_error *err)
{
    char path[TR_H5_PATH];
    tr_h5_file other = {0};
    tr_error reason;
    if (!tr_h5_beside(path, file->path, target->file))
        return tr_fail(err, TR_ERR_DATA, "%s: %s: the name of the file that has it is too long",
                       file->path, name);
    tr_status status = tr_h5_file_open(&other, path, file->policy, &reason);
    if (status == TR_OK)
        status = tr_h5_array_open_deeper(out, &other, target->object, depth + 1, &reason);
    tr_h5_file_close(&other); /* HDF5 keeps it open as long as the dataset */
    out->name = name;
    return status == TR_OK ? TR_OK
                           : tr_fail(err, status, "%s: %s is a link to another file: %s",
                                     file->path, name, reason.text);
}

static tr_status open_array(tr_h5_array *out, const tr_h5_file *file, const char *name, int depth,
                            bool texts_too, tr_error *err)
{
    char resolved[TR_H5_PATH];
    tr_h5_target target;
    tr_error reason;
    *out = (tr_h5_array){.id = H5I_INVALID_HID, .name = name, .depth = depth};
    if (depth > MOST_FILES || snprintf(out->file, sizeof out->file, "%s", file->path) >= TR_H5_PATH)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s: it leads from file to file, more than %d, perhaps in a circle",
                       file->path, name, MOST_FILES);
    const tr_h5_way way = tr_h5_path_resolve(file, name, resolved, &target, &reason);
    if (way == TR_H5_WAY_NOWHERE)
        return fail_to_find(file, name, err);
    if (way == TR_H5_WAY_OUTSIDE && file->policy == TR_H5_DATASET_WITH_EXTERNAL)
        return follow(out, file, name, &target, depth, err);
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
    TR_TRY(check_inside(out, file, err));
    const hid_t type = H5Dget_type(out->id);
    const tr_status status = examine(out, file, type, texts_too, err);
    tr_h5_close(type);
    return status;
}

tr_status tr_h5_array_open(tr_h5_array *out, const tr_h5_file *file, const char *name,
                           tr_error *err)
{
    return open_array(out, file, name, 0, false, err);
}

tr_status tr_h5_array_open_any(tr_h5_array *out, const tr_h5_file *file, const char *name,
                               tr_error *err)
{
    return open_array(out, file, name, 0, true, err);
}

tr_status tr_h5_array_open_deeper(tr_h5_array *out, const tr_h5_file *file, const char *name,
                                  int depth, tr_error *err)
{
    return open_array(out, file, name, depth, false, err);
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
                       "%s: %s is %s: needs %.1f GiB of memory, but only %.1f GiB are left for it",
                       file->path, array->name, array->text, (double)bytes * 0x1p-30,
                       (double)file->bytes_left * 0x1p-30);
    file->bytes_left -= bytes;
    return TR_OK;
}

/* ---- its values ---- */

/* Of an array that lies in one piece. */
static const char *piece_fault(const tr_h5_array *array)
{
    const hid_t type = H5Dget_type(array->id);
    const uint64_t bytes = (uint64_t)array->n_elements * H5Tget_size(type);
    H5D_space_status_t space = H5D_SPACE_STATUS_ERROR;
    const char *fault = NULL;
    if (H5Dget_space_status(array->id, &space) < 0)
        fault = "its place in the file cannot be found";
    else if (space == H5D_SPACE_STATUS_NOT_ALLOCATED)
        fault = "it was never written";
    else if (H5Tis_variable_str(type) <= 0 && H5Dget_storage_size(array->id) != bytes)
        fault = "its place in the file has another size";
    tr_h5_close(type);
    return fault;
}

const char *tr_h5_array_fault(const tr_h5_array *array, char *text, size_t n)
{
    const hid_t plist = H5Dget_create_plist(array->id);
    const H5D_layout_t layout = H5Pget_layout(plist);
    tr_h5_close(plist);
    return layout == H5D_CHUNKED ? tr_h5_chunks_fault(array, text, n) : piece_fault(array);
}

tr_status tr_h5_array_read(void *dst, const tr_h5_file *file, const tr_h5_array *array,
                           hid_t memory_type, tr_error *err)
{
    const int64_t start[TR_H5_RANK] = {0};
    return tr_h5_array_read_box(dst, file, array, memory_type, start, array->dims, err);
}

/* HDF5's read of the box. */
static const char *read_box(void *dst, const tr_h5_array *array, hid_t memory_type,
                            const int64_t start[TR_H5_RANK], const int64_t count[TR_H5_RANK],
                            char *text, size_t n)
{
    hsize_t from[TR_H5_RANK], size[TR_H5_RANK];
    for (int i = 0; i < array->rank; i++) {
        from[i] = (hsize_t)start[i];
        size[i] = (hsize_t)count[i];
    }
    const bool scalar = array->rank == 0;
    const hid_t space = scalar ? H5S_ALL : H5Dget_space(array->id);
    const hid_t memory = scalar ? H5S_ALL : H5Screate_simple(array->rank, size, NULL);
    const bool ok =
        space >= 0 && memory >= 0 &&
        (scalar || H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, size, NULL) >= 0) &&
        H5Dread(array->id, memory_type, memory, space, H5P_DEFAULT, dst) >= 0;
    if (!ok) {
        char cause[TR_H5_TEXT];
        tr_h5_cause(cause, sizeof cause);
        snprintf(text, n, "HDF5 cannot read it: %s", cause);
    }
    if (!scalar) {
        tr_h5_close(memory);
        tr_h5_close(space);
    }
    return ok ? NULL : text;
}

/* All of it is read for a part: such an array is checked as a whole. */
static const char *read_outside(void *dst, const tr_h5_array *array, hid_t memory_type,
                                const int64_t start[TR_H5_RANK], const int64_t count[TR_H5_RANK],
                                char *text, size_t n)
{
    const size_t width = H5Tget_size(memory_type);
    int64_t wanted = 1;
    for (int i = 0; i < array->rank; i++)
        wanted *= count[i];
    if (wanted == array->n_elements)
        return tr_h5_outside_read(dst, array, memory_type, text, n);
    void *all = tr_alloc((size_t)array->n_elements, width);
    const char *fault =
        all == NULL ? tr_h5_no_memory : tr_h5_outside_read(all, array, memory_type, text, n);
    hsize_t at[TR_H5_RANK] = {0}, shape[TR_H5_RANK];
    for (int i = 0; i < array->rank; i++)
        shape[i] = (hsize_t)array->dims[i];
    if (fault == NULL)
        tr_h5_box_copy(dst, start, count, all, at, shape, array->rank, width);
    tr_free(all);
    return fault;
}

const char *tr_h5_array_try_box(void *dst, const tr_h5_array *array, hid_t memory_type,
                                const int64_t start[TR_H5_RANK], const int64_t count[TR_H5_RANK],
                                char *text, size_t n)
{
    if (array->n_elements == 0)
        return NULL;
    if (array->outside)
        return read_outside(dst, array, memory_type, start, count, text, n);
    const char *fault = tr_h5_array_outside(array->id, text, n);
    if (fault == NULL)
        fault = tr_h5_array_fault(array, text, n);
    if (fault != NULL)
        return fault;
    return tr_h5_chunks_are_ours(array) && H5Tis_variable_str(memory_type) <= 0
               ? tr_h5_chunks_read(dst, array, memory_type, start, count, text, n)
               : read_box(dst, array, memory_type, start, count, text, n);
}

tr_status tr_h5_array_read_box(void *dst, const tr_h5_file *file, const tr_h5_array *array,
                               hid_t memory_type, const int64_t start[TR_H5_RANK],
                               const int64_t count[TR_H5_RANK], tr_error *err)
{
    char text[2 * TR_H5_TEXT];
    const char *fault =
        tr_h5_array_try_box(dst, array, memory_type, start, count, text, sizeof text);
    return fault == NULL ? TR_OK : tr_h5_array_fail(file, array, fault, err);
}

tr_status tr_h5_array_fail(const tr_h5_file *file, const tr_h5_array *array, const char *fault,
                           tr_error *err)
{
    if (fault == tr_h5_no_memory)
        return tr_fail(err, TR_ERR_INTERNAL, "%s: %s is %s: out of memory", file->path, array->name,
                       array->text);
    return tr_fail(err, TR_ERR_DATA, "%s: %s is %s, but %s%s", file->path, array->name, array->text,
                   fault,
                   array->outside || strstr(fault, "filter") != NULL
                       ? ""
                       : "; the file is damaged or its writer was interrupted");
}
