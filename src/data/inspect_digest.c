/* inspect_digest.c -- digests of datasets; see inspect.h.
 *
 * Over the elements in row-major order, each with its type and byte order in the file, so that a
 * digest depends neither on the machine nor on how the dataset is chunked and compressed.
 */
#include <string.h>

#include "child.h"
#include "digest.h"
#include "h5.h"
#include "inspect.h"
#include "mem.h"

enum { SLAB_BYTES = 1 << 22 };

/* ---- one dataset ---- */

static const char *add_rows(tr_digest *digest, const tr_h5_array *array, hid_t type, char *text,
                            size_t n)
{
    const size_t size = H5Tget_size(type);
    const int64_t rows = array->rank == 0 ? 1 : array->dims[0];
    const size_t row = (size_t)(array->n_elements / rows) * size;
    const int64_t slab = row < SLAB_BYTES ? (int64_t)(SLAB_BYTES / row) : 1;
    void *bytes = tr_alloc((size_t)slab, row);
    const char *fault = bytes == NULL ? "out of memory" : NULL;
    for (int64_t first = 0; fault == NULL && first < rows; first += slab) {
        int64_t start[TR_H5_RANK] = {first}, count[TR_H5_RANK];
        memcpy(count, array->dims, sizeof count);
        count[0] = rows - first < slab ? rows - first : slab;
        fault = tr_h5_array_try_box(bytes, array, type, start, count, text, n);
        if (fault == NULL)
            tr_digest_add(digest, bytes, (size_t)count[0] * row);
    }
    tr_free(bytes);
    return fault;
}

static tr_status digest_item(tr_inspect_item *item, const tr_h5_file *file, tr_error *err)
{
    char text[2 * TR_H5_TEXT];
    tr_h5_array array;
    tr_status status = tr_h5_array_open(&array, file, item->path, err);
    if (status != TR_OK) {
        tr_h5_array_close(&array);
        return status;
    }
    const char *fault = tr_h5_no_memory;
    const hid_t type = tr_h5_stored_type(array.id);
    tr_digest *digest = tr_digest_new();
    if (digest != NULL)
        fault =
            type < 0 ? "HDF5 cannot open it" : add_rows(digest, &array, type, text, sizeof text);
    if (fault == NULL)
        tr_digest_text(digest, item->digest);
    tr_digest_free(digest);
    tr_h5_close(type);
    tr_h5_array_close(&array);
    return fault == NULL ? TR_OK
                         : tr_fail(err, TR_ERR_DATA, "%s: the values of %s cannot be read: %s",
                                   file->path, item->path, fault);
}

/* ---- all ---- */

typedef struct digest_job {
    tr_inspection *found;
    const char *path;
    tr_h5_policy policy;
} digest_job;

/* In the child. Strings and the like have their values elsewhere: no digest. */
static tr_status digest_all(void *user, tr_error *err)
{
    const digest_job *job = user;
    tr_h5_file file;
    TR_TRY(tr_h5_file_open(&file, job->path, job->policy, err));
    tr_status status = TR_OK;
    for (int64_t i = 0; status == TR_OK && i < job->found->n_items; i++) {
        tr_inspect_item *item = &job->found->items[i];
        if (item->n > 0 && item->has_number)
            status = digest_item(item, &file, err);
    }
    tr_h5_file_close(&file);
    return status;
}

tr_status tr_inspect_digests(tr_inspection *found, const char *path, tr_h5_policy policy,
                             tr_error *err)
{
    digest_job job = {found, path, policy};
    const tr_status status = tr_in_child_reaching(
        policy == TR_H5_DATASET_WITH_EXTERNAL ? NULL : path, digest_all, &job, path, err);
    for (int64_t i = 0; i < found->n_items; i++) /* of a child that crashed */
        found->items[i].digest[sizeof found->items[i].digest - 1] = '\0';
    return status;
}
