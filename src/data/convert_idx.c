/* convert_idx.c -- four IDX files, as MNIST and its relatives come, into one HDF5 dataset.
 *
 * The HDF5 file is built in memory and written by tr_file_write(): HDF5 does not recover from a
 * disk that fills up while it closes a file, and the four arrays are in memory anyway. No time
 * stamps and no folder names go in, so the same input gives the same bytes everywhere.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "h5.h"
#include "idx.h"
#include "mem.h"
#include "trainer/dataset.h"

enum { PARTS = 4, NAME_BYTES = 64, CHUNK_BYTES = 1 << 18, DEFLATE_LEVEL = 6, GROW_BYTES = 1 << 20 };

/* One of the four: images come before their labels. */
struct part {
    const char *dataset; /* in the HDF5 file */
    const char *set;     /* of the file's name */
    const char *kind;
    int rank;
};

static const struct part parts[PARTS] = {
    {"x_train", "train", "images", 3},
    {"y_train", "train", "labels", 1},
    {"x_test", "t10k", "images", 3},
    {"y_test", "t10k", "labels", 1},
};

/* What was found. */
struct source {
    char name[NAME_BYTES]; /* of the file, without its folder */
    tr_idx idx;
};

/* ---- reading ---- */

static tr_status find(struct source *source, const struct part *part, const char *folder,
                      tr_error *err)
{
    /* As Yann LeCun's page spelled them, and as some unpackers do. */
    static const char marks[] = {'-', '.'};
    static const char *const ends[] = {"", ".gz"};
    for (size_t i = 0; i < sizeof marks; i++) {
        for (size_t j = 0; j < sizeof ends / sizeof ends[0]; j++) {
            snprintf(source->name, sizeof source->name, "%s-%s%cidx%d-ubyte%s", part->set,
                     part->kind, marks[i], part->rank, ends[j]);
            char *path = tr_path_join(folder, source->name);
            if (path == NULL)
                return tr_fail(err, TR_ERR_INTERNAL, "out of memory");
            const bool found = access(path, F_OK) == 0;
            tr_free(path);
            if (found)
                return TR_OK;
        }
    }
    struct stat info;
    return tr_fail(err, TR_ERR_DATA,
                   "%s: %s %s-%s-idx%d-ubyte in it, plain or .gz (nor %s-%s.idx%d-ubyte)", folder,
                   stat(folder, &info) != 0     ? "no such folder, hence no"
                   : S_ISDIR(info.st_mode) == 0 ? "not a folder, hence no"
                                                : "there is no",
                   part->set, part->kind, part->rank, part->set, part->kind, part->rank);
}

static tr_status read_source(struct source *source, const struct part *part, const char *folder,
                             tr_error *err)
{
    TR_TRY(find(source, part, folder, err));
    char *path = tr_path_join(folder, source->name);
    if (path == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory");
    const tr_status status = tr_idx_read(&source->idx, path, part->rank, err);
    tr_free(path);
    return status;
}

static tr_status check(const struct source sources[PARTS], const char *folder, tr_error *err)
{
    for (int i = 0; i < PARTS; i += 2) {
        const struct source *x = &sources[i], *y = &sources[i + 1];
        if (x->idx.dims[0] != y->idx.dims[0])
            return tr_fail(err, TR_ERR_DATA,
                           "%s: %s holds %lld images but %s holds %lld labels: there must be one "
                           "for each",
                           folder, x->name, (long long)x->idx.dims[0], y->name,
                           (long long)y->idx.dims[0]);
    }
    const struct source *train = &sources[0], *test = &sources[2];
    if (train->idx.dims[1] != test->idx.dims[1] || train->idx.dims[2] != test->idx.dims[2])
        return tr_fail(err, TR_ERR_DATA,
                       "%s: the images of %s are %lld x %lld but those of %s are %lld x %lld",
                       folder, train->name, (long long)train->idx.dims[1],
                       (long long)train->idx.dims[2], test->name, (long long)test->idx.dims[1],
                       (long long)test->idx.dims[2]);
    return TR_OK;
}

/* ---- writing: HDF5's own calls, true when all went well ---- */

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
static hid_t storage(const tr_idx *idx, const hsize_t *dims)
{
    const int64_t row = idx->n_values / idx->dims[0];
    const int64_t rows = row < CHUNK_BYTES ? CHUNK_BYTES / row : 1;
    hsize_t chunk[TR_IDX_RANK] = {dims[0], dims[1], dims[2]};
    if (chunk[0] > (hsize_t)rows)
        chunk[0] = (hsize_t)rows;
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    if (H5Pset_chunk(plist, idx->rank, chunk) < 0 || H5Pset_deflate(plist, DEFLATE_LEVEL) < 0 ||
        H5Pset_obj_track_times(plist, 0) < 0) {
        tr_h5_close(plist);
        return H5I_INVALID_HID;
    }
    return plist;
}

static bool put_array(hid_t file, const char *name, const struct source *source)
{
    const tr_idx *idx = &source->idx;
    const hsize_t dims[TR_IDX_RANK] = {(hsize_t)idx->dims[0], (hsize_t)idx->dims[1],
                                       (hsize_t)idx->dims[2]};
    const hid_t space = H5Screate_simple(idx->rank, dims, NULL), plist = storage(idx, dims);
    hid_t dataset = H5I_INVALID_HID;
    if (space >= 0 && plist >= 0)
        dataset = H5Dcreate2(file, name, H5T_STD_U8LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    const bool fine =
        dataset >= 0 &&
        H5Dwrite(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, idx->values) >= 0 &&
        put_text(dataset, "source", source->name);
    tr_h5_close(dataset);
    tr_h5_close(plist);
    tr_h5_close(space);
    return fine;
}

static hid_t create_in_memory(void)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file = H5I_INVALID_HID;
    if (H5Pset_fapl_core(access, GROW_BYTES, 0) >= 0) /* 0: never to disk; the name is a label */
        file = H5Fcreate("convert_idx", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    tr_h5_close(access);
    return file;
}

static bool put_all(hid_t file, const struct source sources[PARTS])
{
    for (int i = 0; i < PARTS; i++)
        if (!put_array(file, parts[i].dataset, &sources[i]))
            return false;
    return put_text(file, "source", "IDX files") &&
           put_text(file, "creator", "trainer convert idx") &&
           H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0;
}

static tr_status write_all(const char *out_path, const struct source sources[PARTS], tr_error *err)
{
    tr_status status = TR_OK;
    uint8_t *image = NULL;
    tr_h5_quiet();
    const hid_t file = create_in_memory();
    ssize_t n = file >= 0 && put_all(file, sources) ? H5Fget_file_image(file, NULL, 0) : -1;
    if (n > 0) {
        image = tr_alloc((size_t)n, 1);
        if (image == NULL) {
            status = tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory for %lld bytes", out_path,
                             (long long)n);
            goto done;
        }
        n = H5Fget_file_image(file, image, (size_t)n);
    }
    if (n <= 0) {
        char cause[160];
        tr_h5_cause(cause, sizeof cause);
        status =
            tr_fail(err, TR_ERR_INTERNAL, "%s: HDF5 cannot build the file: %s", out_path, cause);
        goto done;
    }
    status = tr_file_write(out_path, image, (size_t)n, err);
done:
    tr_h5_close(file);
    tr_free(image);
    return status;
}

tr_status tr_convert_idx(const char *folder, const char *out_path, tr_error *err)
{
    struct source sources[PARTS] = {0};
    tr_status status = TR_OK;
    for (int i = 0; i < PARTS && status == TR_OK; i++)
        status = read_source(&sources[i], &parts[i], folder, err);
    if (status == TR_OK)
        status = check(sources, folder, err);
    if (status == TR_OK)
        status = write_all(out_path, sources, err);
    for (int i = 0; i < PARTS; i++)
        tr_idx_release(&sources[i].idx);
    return status;
}
