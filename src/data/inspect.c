/* inspect.c -- the walk over a file; see inspect.h. */
#include "inspect.h"

#include <stdio.h>
#include <string.h>

#include "child.h"
#include "h5_filters.h"
#include "mem.h"

typedef struct file_walk {
    const char *path;
    tr_inspection *found;
    tr_h5_policy policy;
} file_walk;

/* ---- one dataset ---- */

/* "gzip 6, chunks [32, 28, 28]" */
static void describe_packing(tr_inspect_item *item, hid_t dataset)
{
    char *text = item->packing;
    const size_t n = sizeof item->packing;
    size_t used = 0;
    hsize_t chunk[TR_H5_RANK] = {0};
    const hid_t plist = H5Dget_create_plist(dataset);
    if (plist >= 0 && H5Pget_layout(plist) == H5D_CHUNKED) {
        const int n_filters = H5Pget_nfilters(plist);
        for (int i = 0; i < n_filters && used < n; i++) {
            unsigned flags, values[8] = {0};
            size_t n_values = 8;
            const H5Z_filter_t filter =
                H5Pget_filter2(plist, (unsigned)i, &flags, &n_values, values, 0, NULL, NULL);
            char name[32];
            used += (size_t)snprintf(text + used, n - used, "%s",
                                     tr_h5_filter_name(filter, name, sizeof name));
            if (filter == H5Z_FILTER_DEFLATE && n_values > 0 && used < n)
                used += (size_t)snprintf(text + used, n - used, " %u", values[0]);
            if (used < n)
                used += (size_t)snprintf(text + used, n - used, ", ");
        }
        const int rank = H5Pget_chunk(plist, TR_H5_RANK, chunk);
        for (int i = 0; i < rank && i < TR_H5_RANK && used < n; i++)
            used += (size_t)snprintf(text + used, n - used, "%s%llu", i == 0 ? "chunks [" : ", ",
                                     (unsigned long long)chunk[i]);
        if (used < n)
            snprintf(text + used, n - used, "]");
    }
    tr_h5_close(plist);
}

/* Shape and number of elements; false where the shape is none that can be read. */
static bool describe_shape(tr_inspect_item *item, hid_t dataset)
{
    hsize_t dims[H5S_MAX_RANK] = {0};
    const hid_t space = H5Dget_space(dataset);
    const H5S_class_t class = space < 0 ? H5S_NO_CLASS : H5Sget_simple_extent_type(space);
    const int rank = class == H5S_SIMPLE ? H5Sget_simple_extent_dims(space, dims, NULL) : 0;
    tr_h5_close(space);
    if (class == H5S_NO_CLASS || rank < 0 || rank > TR_H5_RANK) {
        snprintf(item->fault, sizeof item->fault, "it has %d dimensions; at most %d are read", rank,
                 TR_H5_RANK);
        return false;
    }
    item->rank = rank;
    item->n = class != H5S_NULL;
    for (int i = 0; i < rank; i++) {
        item->dims[i] = (int64_t)dims[i];
        if (dims[i] > INT64_MAX || __builtin_mul_overflow(item->n, item->dims[i], &item->n)) {
            item->n = 0;
            snprintf(item->fault, sizeof item->fault, "no file can hold that many elements");
            return false;
        }
    }
    return true;
}

static void look(tr_inspect_item *item, tr_inspection *found, tr_h5_array *array)
{
    const hid_t dataset = array->id, type = H5Dget_type(dataset);
    const H5T_class_t class = H5Tget_class(type);
    tr_h5_type_text(type, item->type, sizeof item->type);
    /* No number has its bits elsewhere, and HDF5 crashes on some that claim it. */
    const bool sound =
        H5Tget_size(type) <= 16 && H5Tget_offset(type) >= 0 &&
        (size_t)H5Tget_offset(type) + H5Tget_precision(type) <= 8 * H5Tget_size(type);
    const bool is_number = class == H5T_INTEGER || class == H5T_FLOAT || tr_h5_type_is_bool(type);
    item->is_float = class == H5T_FLOAT;
    tr_h5_close(type);
    const bool shaped = describe_shape(item, dataset);
    if (shaped && item->packing[0] == '\0')
        describe_packing(item, dataset);
    if (!shaped || !is_number || item->n == 0)
        return;
    if (!sound) {
        snprintf(item->fault, sizeof item->fault, "its bits are where no number has them");
        return;
    }
    item->has_number = true;
    if (!array->outside && tr_h5_array_outside(dataset, item->fault, sizeof item->fault) != NULL)
        return;
    array->rank = item->rank;
    array->n_elements = item->n;
    memcpy(array->dims, item->dims, sizeof array->dims);
    snprintf(item->fault, sizeof item->fault, "HDF5 crashed"); /* it stays, if that happens */
    if (tr_inspect_values(item, found, array))
        item->fault[0] = '\0';
}

/* ---- the walk ---- */

/* The next item of the list; NULL: it is full. */
static tr_inspect_item *add_item(tr_inspection *found, const char *name)
{
    if (found->n_items == TR_INSPECT_ITEMS) {
        found->n_unlisted++;
        return NULL;
    }
    tr_inspect_item *item = &found->items[found->n_items++];
    *item = (tr_inspect_item){0};
    snprintf(item->path, sizeof item->path, "%s", name);
    return item;
}

/* Follows a link where tr_h5_array_open() does; else it is only told. */
static void look_behind(tr_inspect_item *item, tr_inspection *found, const tr_h5_file *file,
                        const char *name, const H5L_info_t *info)
{
    tr_h5_array array;
    tr_error ignored;
    tr_h5_link_text(file->id, name, info, item->packing, sizeof item->packing);
    if (tr_h5_array_open(&array, file, name, &ignored) == TR_OK)
        look(item, found, &array);
    else
        snprintf(item->type, sizeof item->type, "link");
    tr_h5_array_close(&array);
}

/* What cannot be opened is told like a dataset whose values cannot be read. */
static bool visit(void *user, const tr_h5_file *file, const char *name, const H5L_info_t *info)
{
    tr_inspection *found = ((file_walk *)user)->found;
    char text[TR_H5_TEXT];
    tr_h5_array array = {.id = H5I_INVALID_HID, .name = name};
    const bool link = info->type != H5L_TYPE_HARD;
    if (!link)
        array.id = H5Oopen(file->id, name, H5P_DEFAULT);
    tr_inspect_item *item = NULL;
    if (link || array.id < 0 || H5Iget_type(array.id) == H5I_DATASET)
        item = add_item(found, name);
    if (item != NULL && link) {
        look_behind(item, found, file, name, info);
    } else if (item != NULL && array.id < 0) {
        tr_h5_cause(item->fault, sizeof item->fault);
    } else if (item != NULL) {
        snprintf(array.file, sizeof array.file, "%s", file->path);
        array.outside = file->policy == TR_H5_DATASET_WITH_EXTERNAL &&
                        tr_h5_array_outside(array.id, text, sizeof text) != NULL;
        look(item, found, &array);
    }
    tr_h5_close(array.id);
    return true;
}

static tr_status walk(const file_walk *job, const tr_h5_file *file, tr_error *err)
{
    tr_inspection *found = job->found;
    TR_TRY(tr_h5_file_has(file, "model_weights", &found->is_checkpoint, err));
    tr_inspect_attributes(found, file->id, "");
    tr_inspect_attributes(found, file->id, "trainer");
    const char *fault;
    if (!tr_h5_file_visit(file, visit, (void *)job, &fault))
        return tr_fail(err, TR_ERR_DATA, "%s: %s; the file is damaged", job->path, fault);
    for (int64_t i = 0; i < found->n_items; i++)
        if (found->items[i].fault[0] != '\0')
            return tr_fail(err, TR_ERR_DATA, "%s: the values of %s cannot be read: %s", job->path,
                           found->items[i].path, found->items[i].fault);
    return TR_OK;
}

/* In the child. */
static tr_status walk_file(void *user, tr_error *err)
{
    const file_walk *job = user;
    tr_h5_file file;
    TR_TRY(tr_h5_file_open(&file, job->path, job->policy, err));
    const tr_status status = walk(job, &file, err);
    tr_h5_file_close(&file);
    return status;
}

/* A child that crashed on a damaged file may have left any bytes. */
static void make_safe(tr_inspection *found)
{
    if (found->n_items < 0 || found->n_items > TR_INSPECT_ITEMS || found->n_attributes < 0 ||
        found->n_attributes > TR_INSPECT_ATTRIBUTES)
        found->n_items = found->n_attributes = 0;
    for (int64_t i = 0; i < found->n_attributes; i++) {
        tr_inspect_attribute *attribute = &found->attributes[i];
        attribute->group[sizeof attribute->group - 1] = '\0';
        attribute->name[sizeof attribute->name - 1] = '\0';
        attribute->value[sizeof attribute->value - 1] = '\0';
    }
    for (int64_t i = 0; i < found->n_items; i++) {
        tr_inspect_item *item = &found->items[i];
        item->path[sizeof item->path - 1] = '\0';
        item->type[sizeof item->type - 1] = '\0';
        item->packing[sizeof item->packing - 1] = '\0';
        item->fault[sizeof item->fault - 1] = '\0';
        if (item->rank < 0 || item->rank > TR_H5_RANK)
            item->rank = 0;
        if (item->first_class < 0 || item->n_classes < 0 ||
            item->n_classes > TR_INSPECT_CLASS_POOL ||
            item->first_class > TR_INSPECT_CLASS_POOL - item->n_classes)
            item->first_class = item->n_classes = 0;
    }
}

tr_status tr_inspect(tr_inspection **out, const char *path, tr_h5_policy policy, tr_error *err)
{
    *out = NULL;
    tr_inspection *found = tr_shared_alloc(1, sizeof *found);
    if (found == NULL)
        return tr_out_of_memory(err, path);
    file_walk job = {path, found, policy};
    const tr_status status = tr_in_child_reaching(
        policy == TR_H5_DATASET_WITH_EXTERNAL ? NULL : path, walk_file, &job, path, err);
    make_safe(found);
    if (status != TR_OK && found->n_items == 0)
        tr_inspection_free(found);
    else
        *out = found;
    return status;
}

void tr_inspection_free(tr_inspection *inspection)
{
    tr_shared_free(inspection);
}
