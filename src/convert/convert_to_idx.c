/* convert_to_idx.c -- an HDF5 dataset as IDX files, the format of MNIST; see idx.h.
 *
 * All files are made and checked in memory, then written beside their places, then renamed: a full
 * disk leaves no mixture of old and new files.
 */
#include <math.h>
#include <string.h>

#include "arrays.h"
#include "file.h"
#include "mem.h"
#include "trainer/convert.h"

enum { TYPE_U8 = 8, MOST_RANK = 3 };

static const char *const file_names[TR_N_ARRAYS] = {
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte",      "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",  "validation-images-idx3-ubyte", "validation-labels-idx1-ubyte"};

typedef struct idx_file {
    uint8_t *bytes; /* NULL: no such part */
    size_t n;
    tr_new_file made;
} idx_file;

/* ---- one array ---- */

/* Images are [n, h, w], labels [n]; a last dimension of 1 says nothing. */
static tr_status check_shape(const tr_arrays *arrays, int i, const char *path, tr_error *err)
{
    const tr_array *array = &arrays->items[i], *partner = &arrays->items[i ^ 1];
    const bool images = i % 2 == 0;
    const int rank = images ? 3 : 1;
    if (array->rank != rank && !(array->rank == rank + 1 && array->dims[rank] == 1))
        return tr_fail(err, TR_ERR_DATA, "%s: %s has %d dimensions; IDX files of this kind hold %s",
                       path, tr_array_names[i], array->rank,
                       images ? "images [n, height, width] of one channel" : "labels [n]");
    for (int k = 0; k < rank; k++)
        if (array->dims[k] > UINT32_MAX)
            return tr_fail(err, TR_ERR_DATA, "%s: %s is too large for an IDX file", path,
                           tr_array_names[i]);
    if (array->dims[0] != partner->dims[0])
        return tr_fail(err, TR_ERR_DATA, "%s: %s has %lld samples but %s has %lld", path,
                       tr_array_names[i], (long long)array->dims[0], tr_array_names[i ^ 1],
                       (long long)partner->dims[0]);
    return TR_OK;
}

/* The reader gives uint8, or float64. */
static tr_status put_values(uint8_t *bytes, const tr_array *array, int i, const char *path,
                            tr_error *err)
{
    if (array->type == TR_NUMBER_U8) {
        memcpy(bytes, array->values, (size_t)array->n);
        return TR_OK;
    }
    const double *values = array->values;
    for (int64_t k = 0; k < array->n; k++) {
        if (!(values[k] >= 0 && values[k] <= 255) || values[k] != floor(values[k]))
            return tr_fail(err, TR_ERR_DATA,
                           "%s: %s, element %lld is %.9g; IDX files hold whole numbers from 0 to "
                           "255 (are the pixels scaled?)",
                           path, tr_array_names[i], (long long)k, values[k]);
        bytes[k] = (uint8_t)values[k];
    }
    return TR_OK;
}

static tr_status make_file(idx_file *file, const tr_arrays *arrays, int i, const char *path,
                           tr_error *err)
{
    const tr_array *array = &arrays->items[i];
    const int rank = i % 2 == 0 ? 3 : 1;
    const size_t n_header = 4 + 4 * (size_t)rank;
    TR_TRY(check_shape(arrays, i, path, err));
    file->n = n_header + (size_t)array->n;
    file->bytes = tr_alloc(file->n, 1);
    if (file->bytes == NULL)
        return tr_out_of_memory(err, NULL);
    file->bytes[2] = TYPE_U8;
    file->bytes[3] = (uint8_t)rank;
    for (int k = 0; k < rank; k++)
        for (int b = 0; b < 4; b++)
            file->bytes[4 + 4 * k + b] = (uint8_t)(array->dims[k] >> (24 - 8 * b));
    return put_values(file->bytes + n_header, array, i, path, err);
}

/* ---- all files ---- */

static tr_status write_file(idx_file *file, const char *folder, const char *name, tr_error *err)
{
    char *path = tr_path_join(folder, name);
    if (path == NULL)
        return tr_out_of_memory(err, NULL);
    const tr_status status = tr_new_file_write(&file->made, path, file->bytes, file->n, err);
    tr_free(path);
    return status;
}

/* All of them, or none where one cannot be written. */
static tr_status write_files(idx_file files[TR_N_ARRAYS], const char *folder, tr_error *err)
{
    tr_status status = TR_OK;
    int n = 0;
    for (; status == TR_OK && n < TR_N_ARRAYS; n++)
        if (files[n].bytes != NULL)
            status = write_file(&files[n], folder, file_names[n], err);
    for (int i = 0; i < n; i++) {
        if (files[i].bytes == NULL)
            continue;
        if (status == TR_OK)
            status = tr_new_file_put(&files[i].made, err);
        else
            tr_new_file_discard(&files[i].made);
    }
    return status;
}

tr_status tr_convert_to_idx(const char *path, const char *folder, tr_error *err)
{
    tr_arrays arrays = {0};
    idx_file files[TR_N_ARRAYS] = {{0}};
    TR_TRY(tr_arrays_read_h5(&arrays, path, false, err));
    tr_status status = TR_OK;
    for (int i = 0; i < TR_N_ARRAYS; i++)
        files[i].made = (tr_new_file){.folder = -1, .fd = -1};
    for (int i = 0; status == TR_OK && i < TR_N_ARRAYS; i++)
        if (arrays.items[i].n > 0)
            status = make_file(&files[i], &arrays, i, path, err);
    if (status == TR_OK)
        status = tr_folder_prepare(folder, err);
    if (status == TR_OK)
        status = write_files(files, folder, err);
    for (int i = 0; i < TR_N_ARRAYS; i++)
        tr_free(files[i].bytes);
    tr_arrays_release(&arrays);
    return status;
}
