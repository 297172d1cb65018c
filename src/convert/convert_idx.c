/* convert_idx.c -- four IDX files, as MNIST and its relatives come, into one HDF5 dataset. EMNIST's
 * pictures are turned upright, and its letters counted from 0 (emnist.h).
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
#include "emnist.h"
#include "file.h"
#include "idx.h"
#include "mem.h"
#include "trainer/convert.h"

enum { PARTS = 4, NAME_BYTES = 128 };

/* One of the four, in the order of arrays.h. */
struct part {
    const char *set; /* of the file's name; NULL: what the test is called */
    const char *kind;
    int rank;
};

static const struct part parts[PARTS] = {
    {"train", "images", 3},
    {"train", "labels", 1},
    {NULL, "images", 3},
    {NULL, "labels", 1},
};

/* MNIST's names, or with "emnist-letters-" before them EMNIST's, which says test for t10k. */
typedef struct file_names {
    char before[16 + TR_EMNIST_SET_MAX];
    const char *test;
} file_names;

/* What was found. */
struct source {
    char name[NAME_BYTES]; /* of the file, without its folder */
    tr_idx idx;
};

/* ---- reading ---- */

static tr_status find(struct source *source, const struct part *part, const file_names *named,
                      const char *folder, tr_error *err)
{
    /* As Yann LeCun's page spelled them, and as some unpackers do. */
    static const char marks[] = {'-', '.'};
    static const char *const ends[] = {"", ".gz"};
    const char *before = named->before, *set = part->set == NULL ? named->test : part->set;
    for (size_t i = 0; i < sizeof marks; i++) {
        for (size_t j = 0; j < sizeof ends / sizeof ends[0]; j++) {
            snprintf(source->name, sizeof source->name, "%s%s-%s%cidx%d-ubyte%s", before, set,
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
                   "%s: %s %s%s-%s-idx%d-ubyte in it, plain or .gz (nor %s%s-%s.idx%d-ubyte)",
                   folder,
                   stat(folder, &info) != 0     ? "no such folder, hence no"
                   : S_ISDIR(info.st_mode) == 0 ? "not a folder, hence no"
                                                : "there is no",
                   before, set, part->kind, part->rank, before, set, part->kind, part->rank);
}

static tr_status read_source(struct source *source, const struct part *part,
                             const file_names *named, const char *folder, tr_error *err)
{
    TR_TRY(find(source, part, named, folder, err));
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

/* ---- EMNIST ---- */

/* Pictures upright, classes from 0; *characters: one for each class, or NULL. */
static tr_status turn(struct source sources[PARTS], const char *set, const char *folder,
                      const char **characters, tr_error *err)
{
    for (int i = 0; i < PARTS; i += 2) {
        TR_TRY(tr_emnist_turn(&sources[i].idx, err));
        TR_TRY(tr_emnist_classes(characters, &sources[i + 1].idx, set, folder, err));
    }
    return TR_OK;
}

/* ---- writing ---- */

static tr_status write_all(const char *out_path, const struct source sources[PARTS],
                           const char *characters, tr_error *err)
{
    tr_arrays arrays = {0};
    char texts[TR_EMNIST_CLASSES][2] = {{0}};
    const char *names[TR_EMNIST_CLASSES];
    tr_arrays_origin origin = {
        .source = "IDX files", .creator = "trainer convert idx", .class_names = names};
    for (int i = 0; i < PARTS; i++) {
        const tr_idx *idx = &sources[i].idx;
        tr_array *array = &arrays.items[i];
        *array = (tr_array){
            .type = TR_NUMBER_U8, .rank = idx->rank, .n = idx->n_values, .values = idx->values};
        memcpy(array->dims, idx->dims, (size_t)idx->rank * sizeof *idx->dims);
        origin.sources[i] = sources[i].name;
    }
    for (int i = 0; characters != NULL && characters[i] != '\0'; i++) {
        texts[i][0] = characters[i];
        names[origin.n_class_names++] = texts[i];
    }
    return tr_arrays_write_h5(&arrays, &origin, out_path, err);
}

/* EMNIST's where that is asked for, or where it is all there is. */
static tr_status choose_names(file_names *out, char set[TR_EMNIST_SET_MAX], const char *folder,
                              const char *emnist, tr_error *err)
{
    struct source source;
    *out = (file_names){.test = "t10k"};
    set[0] = '\0';
    const tr_status usual =
        emnist != NULL ? TR_ERR_DATA : find(&source, &parts[0], out, folder, err);
    if (usual != TR_ERR_DATA)
        return usual;
    TR_TRY(tr_emnist_find(set, folder, emnist, err));
    if (set[0] == '\0')
        return TR_OK;
    snprintf(out->before, sizeof out->before, "emnist-%s-", set);
    out->test = "test";
    return TR_OK;
}

tr_status tr_convert_idx(const char *folder, const char *emnist, const char *out_path,
                         tr_error *err)
{
    struct source sources[PARTS] = {0};
    char set[TR_EMNIST_SET_MAX];
    file_names named;
    const char *characters = NULL;
    tr_status status = choose_names(&named, set, folder, emnist, err);
    for (int i = 0; i < PARTS && status == TR_OK; i++)
        status = read_source(&sources[i], &parts[i], &named, folder, err);
    if (status == TR_OK)
        status = check(sources, folder, err);
    if (status == TR_OK && set[0] != '\0')
        status = turn(sources, set, folder, &characters, err);
    if (status == TR_OK)
        status = write_all(out_path, sources, characters, err);
    for (int i = 0; i < PARTS; i++)
        tr_idx_release(&sources[i].idx);
    return status;
}
