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

#include "arrays.h"
#include "file.h"
#include "idx.h"
#include "mem.h"
#include "trainer/convert.h"

enum { PARTS = 4, NAME_BYTES = 64 };

/* One of the four, in the order of arrays.h. */
struct part {
    const char *set; /* of the file's name */
    const char *kind;
    int rank;
};

static const struct part parts[PARTS] = {
    {"train", "images", 3},
    {"train", "labels", 1},
    {"t10k", "images", 3},
    {"t10k", "labels", 1},
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
                return tr_out_of_memory(err, NULL);
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
        return tr_out_of_memory(err, NULL);
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

/* ---- writing ---- */

static tr_status write_all(const char *out_path, const struct source sources[PARTS], tr_error *err)
{
    tr_arrays arrays = {0};
    tr_arrays_origin origin = {.source = "IDX files", .creator = "trainer convert idx"};
    for (int i = 0; i < PARTS; i++) {
        const tr_idx *idx = &sources[i].idx;
        tr_array *array = &arrays.items[i];
        *array = (tr_array){
            .type = TR_NUMBER_U8, .rank = idx->rank, .n = idx->n_values, .values = idx->values};
        memcpy(array->dims, idx->dims, (size_t)idx->rank * sizeof *idx->dims);
        origin.sources[i] = sources[i].name;
    }
    return tr_arrays_write_h5(&arrays, &origin, out_path, err);
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
