/* inspect_digest.c -- digests of datasets; see inspect.h.
 *
 * Over the elements in row-major order, each with its type and byte order in the file, so that a
 * digest depends neither on the machine nor on how the dataset is chunked and compressed.
 */
#include <stdio.h>

#include "child.h"
#include "digest.h"
#include "h5.h"
#include "inspect.h"
#include "mem.h"

enum { SLAB_BYTES = 1 << 22 };

/* ---- one dataset ---- */

/* Rows [first, first + n) of the dataset, as they are. */
static bool read_rows(void *bytes, hid_t dataset, hid_t type, const tr_inspect_item *item,
                      int64_t first, int64_t n)
{
    hsize_t start[TR_H5_RANK] = {0}, count[TR_H5_RANK];
    for (int i = 0; i < item->rank; i++)
        count[i] = (hsize_t)item->dims[i];
    start[0] = (hsize_t)first;
    count[0] = (hsize_t)n;
    const hid_t space = H5Dget_space(dataset), memory = H5Screate_simple(item->rank, count, NULL);
    const bool ok = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                    H5Dread(dataset, type, memory, space, H5P_DEFAULT, bytes) >= 0;
    tr_h5_close(memory);
    tr_h5_close(space);
    return ok;
}

static bool add_rows(tr_digest *digest, hid_t dataset, hid_t type, const tr_inspect_item *item)
{
    const size_t size = H5Tget_size(type);
    if (item->rank == 0) {
        char value[64];
        if (size > sizeof value || H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0)
            return false;
        tr_digest_add(digest, value, size);
        return true;
    }
    const size_t row = (size_t)(item->n / item->dims[0]) * size;
    const int64_t slab = row < SLAB_BYTES ? (int64_t)(SLAB_BYTES / row) : 1;
    void *bytes = tr_alloc((size_t)slab, row);
    bool ok = bytes != NULL;
    for (int64_t first = 0; ok && first < item->dims[0]; first += slab) {
        const int64_t n = item->dims[0] - first < slab ? item->dims[0] - first : slab;
        ok = read_rows(bytes, dataset, type, item, first, n);
        if (ok)
            tr_digest_add(digest, bytes, (size_t)n * row);
    }
    tr_free(bytes);
    return ok;
}

static bool digest_item(tr_inspect_item *item, hid_t file)
{
    const hid_t dataset = H5Dopen2(file, item->path, H5P_DEFAULT);
    const hid_t type = dataset < 0 ? H5I_INVALID_HID : H5Dget_type(dataset);
    tr_digest *digest = tr_digest_new();
    const bool ok = digest != NULL && type >= 0 && add_rows(digest, dataset, type, item);
    if (ok)
        tr_digest_text(digest, item->digest);
    tr_digest_free(digest);
    tr_h5_close(type);
    tr_h5_close(dataset);
    return ok;
}

/* ---- all ---- */

typedef struct digest_job {
    tr_inspection *found;
    const char *path;
} digest_job;

/* In the child. Strings and the like have their values elsewhere: no digest. */
static tr_status digest_all(void *user, tr_error *err)
{
    const digest_job *job = user;
    tr_h5_file file;
    TR_TRY(tr_h5_file_open(&file, job->path, TR_H5_DATASET, err));
    tr_status status = TR_OK;
    for (int64_t i = 0; status == TR_OK && i < job->found->n_items; i++) {
        tr_inspect_item *item = &job->found->items[i];
        if (item->n > 0 && item->has_number && !digest_item(item, file.id))
            status = tr_fail(err, TR_ERR_DATA, "%s: the values of %s cannot be read", job->path,
                             item->path);
    }
    tr_h5_file_close(&file);
    return status;
}

tr_status tr_inspect_digests(tr_inspection *found, const char *path, tr_error *err)
{
    digest_job job = {found, path};
    const tr_status status = tr_in_child(digest_all, &job, path, err);
    for (int64_t i = 0; i < found->n_items; i++) /* of a child that crashed */
        found->items[i].digest[sizeof found->items[i].digest - 1] = '\0';
    return status;
}
