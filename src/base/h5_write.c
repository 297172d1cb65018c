/* h5_write.c -- see h5_write.h. */
#include "h5_write.h"

#include <string.h>

#include "file.h"
#include "mem.h"

tr_status tr_h5_write_failed(tr_error *err, const char *what)
{
    char cause[256];
    tr_h5_cause(cause, sizeof cause);
    return tr_fail(err, TR_ERR_INTERNAL, "HDF5 cannot make %s: %s", what, cause);
}

tr_status tr_h5_write_dataset(hid_t group, const char *name, int n_dims, const int64_t *dims,
                              hid_t stored, hid_t memory, const void *values, tr_error *err)
{
    hsize_t extent[H5S_MAX_RANK];
    for (int i = 0; i < n_dims; i++)
        extent[i] = (hsize_t)dims[i];
    const hid_t links = H5Pcreate(H5P_LINK_CREATE), creation = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t space = H5Screate_simple(n_dims, extent, NULL);
    hid_t dataset = H5I_INVALID_HID;
    /* Without the time of day, as h5py does: the same contents are the same bytes. */
    if (links >= 0 && H5Pset_create_intermediate_group(links, 1) >= 0 && creation >= 0 &&
        H5Pset_obj_track_times(creation, false) >= 0)
        dataset = H5Dcreate2(group, name, stored, space, links, creation, H5P_DEFAULT);
    const bool ok =
        dataset >= 0 && H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
    tr_h5_close(dataset);
    tr_h5_close(space);
    tr_h5_close(creation);
    tr_h5_close(links);
    return ok ? TR_OK : tr_h5_write_failed(err, name);
}

tr_status tr_h5_write_texts(hid_t group, const char *name, const char *const *texts, int64_t n,
                            tr_error *err)
{
    size_t length = 1;
    for (int64_t i = 0; i < n; i++)
        length = strlen(texts[i]) > length ? strlen(texts[i]) : length;
    char *values = tr_alloc((size_t)n, length);
    if (values == NULL)
        return tr_out_of_memory(err, NULL);
    for (int64_t i = 0; i < n; i++)
        memcpy(values + (size_t)i * length, texts[i], strlen(texts[i]));
    const hid_t type = H5Tcopy(H5T_C_S1);
    const bool made = type >= 0 && H5Tset_size(type, length) >= 0 &&
                      H5Tset_cset(type, H5T_CSET_UTF8) >= 0 &&
                      H5Tset_strpad(type, H5T_STR_NULLPAD) >= 0;
    const tr_status status = made ? tr_h5_write_dataset(group, name, 1, &n, type, type, values, err)
                                  : tr_h5_write_failed(err, name);
    tr_h5_close(type);
    tr_free(values);
    return status;
}

/* The bytes of the finished file; released with tr_free(). */
static tr_status take_image(hid_t file, void **image, size_t *n, tr_error *err)
{
    const ssize_t bytes =
        H5Fflush(file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(file, NULL, 0);
    if (bytes < 0)
        return tr_h5_write_failed(err, "the file image");
    void *block = tr_alloc((size_t)bytes, 1);
    if (block == NULL)
        return tr_out_of_memory(err, NULL);
    if (H5Fget_file_image(file, block, (size_t)bytes) != bytes) {
        tr_free(block);
        return tr_h5_write_failed(err, "the file image");
    }
    *image = block;
    *n = (size_t)bytes;
    return TR_OK;
}

tr_status tr_h5_make_image(void **image, size_t *n,
                           tr_status (*fill)(const void *user, hid_t file, tr_error *err),
                           const void *user, tr_error *err)
{
    hid_t file = H5I_INVALID_HID;
    tr_h5_quiet();
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    /* The oldest format whatever the library's default: the same bytes from all, read by all. */
    if (access >= 0 && H5Pset_fapl_core(access, 1 << 20, 0) >= 0 &&
        H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18) >= 0)
        file = H5Fcreate("in memory", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    tr_status status =
        file < 0 ? tr_h5_write_failed(err, "a file in memory") : fill(user, file, err);
    if (status == TR_OK)
        status = take_image(file, image, n, err);
    tr_h5_close(file);
    tr_h5_close(access);
    return status;
}

tr_status tr_h5_write_file(const char *path,
                           tr_status (*fill)(const void *user, hid_t file, tr_error *err),
                           const void *user, tr_error *err)
{
    void *image = NULL;
    size_t n = 0;
    TR_TRY(tr_h5_make_image(&image, &n, fill, user, err));
    const tr_status status = tr_file_write(path, image, n, err);
    tr_free(image);
    return status;
}
