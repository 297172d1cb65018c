/* arrays_h5.c -- the four arrays from and to an HDF5 file; see arrays.h. */
#include <string.h>

#include "arrays.h"
#include "h5.h"
#include "h5_write.h"

enum { CHUNK_BYTES = 1 << 18, DEFLATE_LEVEL = 6 };

/* ---- reading, in a child ---- */

/* The type to read the dataset as. */
static tr_status choose_type(tr_number *out, const tr_h5_array *array, const tr_arrays_visit *job,
                             tr_error *err)
{
    *out = array->is_uint8 ? TR_NUMBER_U8 : TR_NUMBER_F64;
    if (!job->as_is || array->is_uint8)
        return TR_OK;
    const hid_t type = H5Dget_type(array->id);
    int found = -1;
    for (int i = 0; i < TR_NUMBERS; i++) {
        const hid_t stored = tr_number_stored((tr_number)i);
        const bool is_float = i == TR_NUMBER_F32 || i == TR_NUMBER_F64;
        if (H5Tget_size(type) == H5Tget_size(stored) && array->is_float == is_float &&
            (is_float || H5Tget_sign(type) == H5Tget_sign(stored)))
            found = i;
    }
    tr_h5_close(type);
    if (found < 0)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s; only whole numbers, float32 and float64 go into that format",
                       job->path, array->name, array->text);
    *out = (tr_number)found;
    return TR_OK;
}

static tr_status look(tr_array *array, tr_h5_file *file, const tr_h5_array *found,
                      const tr_arrays_visit *job, tr_error *err)
{
    TR_TRY(choose_type(&array->type, found, job, err));
    array->rank = found->rank;
    memcpy(array->dims, found->dims, sizeof array->dims);
    array->n = found->n_elements;
    return tr_h5_array_reserve(file, found, tr_number_bytes(array->type), err);
}

static tr_status visit_one(tr_arrays_visit *job, tr_h5_file *file, int i, tr_error *err)
{
    tr_array *array = &job->arrays.items[i];
    tr_h5_array found = {0};
    tr_status status = tr_h5_array_open(&found, file, tr_array_names[i], err);
    if (status == TR_OK && !job->reading)
        status = look(array, file, &found, job, err);
    else if (status == TR_OK && found.n_elements != array->n)
        status = tr_fail(err, TR_ERR_DATA, "%s: changed while it was read", job->path);
    else if (status == TR_OK)
        status = tr_h5_array_read(array->values, file, &found, tr_number_native(array->type), err);
    tr_h5_array_close(&found);
    return status;
}

static tr_status visit_all(tr_arrays_visit *job, tr_h5_file *file, tr_error *err)
{
    bool found[TR_N_ARRAYS];
    for (int i = 0; i < TR_N_ARRAYS; i++)
        TR_TRY(tr_h5_file_has(file, tr_array_names[i], &found[i], err));
    TR_TRY(tr_arrays_check_found(found, job->path, err));
    for (int i = 0; i < TR_N_ARRAYS; i++)
        if (found[i])
            TR_TRY(visit_one(job, file, i, err));
    return TR_OK;
}

static tr_status visit_file(void *user, tr_error *err)
{
    tr_arrays_visit *job = user;
    tr_h5_file file;
    TR_TRY(tr_h5_file_open(&file, job->path, TR_H5_DATASET, err));
    const tr_status status = visit_all(job, &file, err);
    tr_h5_file_close(&file);
    return status;
}

tr_status tr_arrays_read_h5(tr_arrays *out, const char *path, bool as_is, tr_error *err)
{
    return tr_arrays_fetch(out, &(tr_arrays_visit){.path = path, .as_is = as_is}, visit_file, err);
}

/* ---- writing ---- */

/* A fixed-length text. */
static bool put_text(hid_t object, const char *name, const char *text)
{
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5I_INVALID_HID;
    bool fine = H5Tset_size(type, strlen(text) + 1) >= 0;
    if (fine)
        attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    fine = fine && attribute >= 0 && H5Awrite(attribute, type, text) >= 0;
    tr_h5_close(attribute);
    tr_h5_close(space);
    tr_h5_close(type);
    return fine;
}

/* Chunks of about CHUNK_BYTES along the first dimension. */
static hid_t storage(const tr_array *array, const hsize_t *dims)
{
    const int64_t row = array->n / array->dims[0] * (int64_t)tr_number_bytes(array->type);
    const int64_t rows = row < CHUNK_BYTES ? CHUNK_BYTES / row : 1;
    hsize_t chunk[TR_H5_RANK];
    memcpy(chunk, dims, sizeof chunk);
    if (chunk[0] > (hsize_t)rows)
        chunk[0] = (hsize_t)rows;
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    if (H5Pset_chunk(plist, array->rank, chunk) < 0 || H5Pset_deflate(plist, DEFLATE_LEVEL) < 0 ||
        H5Pset_obj_track_times(plist, 0) < 0) {
        tr_h5_close(plist);
        return H5I_INVALID_HID;
    }
    return plist;
}

static bool put_array(hid_t file, const char *name, const tr_array *array, const char *source)
{
    hsize_t dims[TR_H5_RANK] = {0};
    for (int i = 0; i < array->rank; i++)
        dims[i] = (hsize_t)array->dims[i];
    const hid_t space = H5Screate_simple(array->rank, dims, NULL), plist = storage(array, dims);
    hid_t dataset = H5I_INVALID_HID;
    if (space >= 0 && plist >= 0)
        dataset = H5Dcreate2(file, name, tr_number_stored(array->type), space, H5P_DEFAULT, plist,
                             H5P_DEFAULT);
    const bool fine = dataset >= 0 &&
                      H5Dwrite(dataset, tr_number_native(array->type), H5S_ALL, H5S_ALL,
                               H5P_DEFAULT, array->values) >= 0 &&
                      (source == NULL || put_text(dataset, "source", source));
    tr_h5_close(dataset);
    tr_h5_close(plist);
    tr_h5_close(space);
    return fine;
}

typedef struct contents {
    const tr_arrays *arrays;
    const tr_arrays_origin *origin;
} contents;

static tr_status fill(const void *user, hid_t file, tr_error *err)
{
    const contents *what = user;
    for (int i = 0; i < TR_N_ARRAYS; i++)
        if (what->arrays->items[i].n > 0 &&
            !put_array(file, tr_array_names[i], &what->arrays->items[i], what->origin->sources[i]))
            return tr_h5_write_failed(err, tr_array_names[i]);
    if (what->origin->n_class_names > 0)
        TR_TRY(tr_h5_write_texts(file, "class_names", what->origin->class_names,
                                 what->origin->n_class_names, err));
    return put_text(file, "source", what->origin->source) &&
                   put_text(file, "creator", what->origin->creator)
               ? TR_OK
               : tr_h5_write_failed(err, "the attributes");
}

tr_status tr_arrays_write_h5(const tr_arrays *arrays, const tr_arrays_origin *origin,
                             const char *path, tr_error *err)
{
    const contents what = {arrays, origin};
    return tr_h5_write_file(path, fill, &what, err);
}
