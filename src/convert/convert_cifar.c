/* convert_cifar.c -- CIFAR-10 and CIFAR-100 as their authors publish them, into an HDF5 dataset.
 *
 * Of both there is a binary version, records of one or two labels and 3072 pixels, and one for
 * Python, pickled dictionaries of the same rows; the pixels are planes, red, green, blue, of 32
 * x 32. Either comes as the folder or as the .tar.gz that it was downloaded as. What is found says
 * which it is.
 */
#include <stdio.h>
#include <string.h>

#include "arrays.h"
#include "bundle.h"
#include "child.h"
#include "mem.h"
#include "pickle.h"
#include "trainer/convert.h"

enum {
    SIDE = 32,
    PLANE = SIDE * SIDE,
    PIXELS = 3 * PLANE,
    MOST_PARTS = 6,
    MOST_NAMES = 128,
    NAME_BYTES = 64,
    MOST_NAME_FILE = 1 << 16,
    SLACK = 256 /* at most, of a pickle, for a row: its label, the name of its file */
};

/* Which of a record's labels is the class, and where its names are. */
typedef struct labelling {
    int label;
    const char *names_file;
    const char *labels_key, *names_key; /* of a pickle */
} labelling;

/* One published version. */
typedef struct version {
    const char *dataset;
    const char *files[MOST_PARTS]; /* training, then the test; NULL: no more */
    int n_files, n_rows;           /* rows of a file at most */
    bool pickled;
    int n_labels;    /* of a record */
    labelling by[2]; /* fine, coarse */
} version;

#define BATCHES(end)                                                                               \
    {                                                                                              \
        "data_batch_1" end, "data_batch_2" end, "data_batch_3" end, "data_batch_4" end,            \
            "data_batch_5" end, "test_batch" end                                                   \
    }

enum { VERSIONS = 2, FINE = 0, COARSE = 1 };

static const version cifar10[VERSIONS] = {
    {"CIFAR-10", BATCHES(".bin"), 6, 10000, false, 1, {{0, "batches.meta.txt", NULL, NULL}}},
    {"CIFAR-10", BATCHES(""), 6, 10000, true, 1, {{0, "batches.meta", "labels", "label_names"}}},
};
static const version cifar100[VERSIONS] = {
    {"CIFAR-100",
     {"train.bin", "test.bin"},
     2,
     50000,
     false,
     2,
     {{1, "fine_label_names.txt", NULL, NULL}, {0, "coarse_label_names.txt", NULL, NULL}}},
    {"CIFAR-100",
     {"train", "test"},
     2,
     50000,
     true,
     2,
     {{1, "meta", "fine_labels", "fine_label_names"},
      {0, "meta", "coarse_labels", "coarse_label_names"}}},
};

/* What a child makes of the files, in shared memory. */
typedef struct decoded {
    int64_t n[2]; /* rows: training, test */
    int n_names;
    char names[MOST_NAMES][NAME_BYTES];
} decoded;

typedef struct decoding {
    const version *is;
    const labelling *by;
    const tr_bundle_file *files; /* the version's, then the names' */
    const char *path;
    decoded *found;
    int64_t most[2]; /* rows that there is room for */
    uint8_t *x[2], *y[2];
} decoding;

/* ---- rows; in a child ---- */

/* Planes to pixels; element k of the row is at row[k * step]. */
static void put_pixels(uint8_t *dst, const uint8_t *row, int64_t step)
{
    for (int64_t p = 0; p < PLANE; p++)
        for (int64_t c = 0; c < 3; c++)
            dst[3 * p + c] = row[(c * PLANE + p) * step];
}

static tr_status read_binary(const decoding *self, const tr_bundle_file *file, int part,
                             tr_error *err)
{
    const version *is = self->is;
    const size_t record = (size_t)is->n_labels + PIXELS;
    int64_t *n = &self->found->n[part];
    if (file->n == 0 || file->n % record != 0)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s has %zu bytes, which is no multiple of the %zu of a record of %s: "
                       "get it again",
                       self->path, file->name, file->n, record, is->dataset);
    for (const uint8_t *at = file->bytes; at < file->bytes + file->n; at += record, ++*n) {
        self->y[part][*n] = at[self->by->label];
        put_pixels(self->x[part] + *n * PIXELS, at + is->n_labels, 1);
    }
    return TR_OK;
}

static tr_status put_rows(const decoding *self, const tr_bundle_file *file, int part,
                          const tr_pickle_value *root, tr_error *err)
{
    const tr_pickle_value *data = tr_pickle_find(root, "data"),
                          *labels = tr_pickle_find(root, self->by->labels_key);
    int64_t *n = &self->found->n[part];
    tr_pickle_array x;
    if (data == NULL || labels == NULL)
        return tr_fail(err, TR_ERR_DATA, "%s: %s has no \"%s\", as a part of %s has", self->path,
                       file->name, data == NULL ? "data" : self->by->labels_key, self->is->dataset);
    if (!tr_pickle_as_array(&x, data) || x.dims[1] != PIXELS || labels->kind != TR_PICKLE_LIST ||
        (int64_t)labels->n_items != x.dims[0])
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s: \"data\" must be an array of uint8, a row of %d for each of the "
                       "\"%s\"",
                       self->path, file->name, PIXELS, self->by->labels_key);
    if (x.dims[0] > self->most[part] - *n) /* without file names, more of them fit into the bytes */
        return tr_fail(err, TR_ERR_DATA, "%s: with %s, it has more than the %lld rows of %s",
                       self->path, file->name, (long long)self->most[part], self->is->dataset);
    for (int64_t i = 0; i < x.dims[0]; i++, ++*n) {
        const tr_pickle_value *label = labels->items[i];
        if (label->kind != TR_PICKLE_INT || label->number < 0 || label->number > UINT8_MAX)
            return tr_fail(err, TR_ERR_DATA, "%s: %s: label %lld is no class", self->path,
                           file->name, (long long)i);
        self->y[part][*n] = (uint8_t)label->number;
        put_pixels(self->x[part] + *n * PIXELS, (const uint8_t *)x.bytes + i * x.step[0],
                   x.step[1]);
    }
    return TR_OK;
}

/* The rows of a part, or the names of the classes. */
static tr_status open_pickle(tr_pickle *out, const decoding *self, const tr_bundle_file *file,
                             tr_error *err)
{
    char name[256];
    snprintf(name, sizeof name, "%.120s: %s", self->path, file->name);
    return tr_pickle_read(out, file->bytes, file->n, name, err);
}

static tr_status read_pickled(const decoding *self, const tr_bundle_file *file, int part,
                              tr_error *err)
{
    tr_pickle pickle = {0};
    tr_status status = open_pickle(&pickle, self, file, err);
    if (status == TR_OK)
        status = put_rows(self, file, part, pickle.root, err);
    tr_pickle_release(&pickle);
    return status;
}

/* ---- names; in a child ---- */

static void put_name(decoded *found, const char *text, size_t n)
{
    if (n == 0 || found->n_names == MOST_NAMES)
        return;
    snprintf(found->names[found->n_names++], NAME_BYTES, "%.*s",
             (int)(n < NAME_BYTES ? n : NAME_BYTES - 1), text);
}

static void read_lines(const decoding *self, const tr_bundle_file *file)
{
    const char *at = (const char *)file->bytes, *end = at + file->n;
    while (at < end) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        next = next == NULL ? end : next;
        put_name(self->found, at, (size_t)(next - at) - (next > at && next[-1] == '\r'));
        at = next + 1;
    }
}

static tr_status read_names(const decoding *self, const tr_bundle_file *file, tr_error *err)
{
    tr_pickle pickle = {0};
    if (!self->is->pickled) {
        read_lines(self, file);
        return TR_OK;
    }
    const tr_status status = open_pickle(&pickle, self, file, err);
    const tr_pickle_value *names =
        status == TR_OK ? tr_pickle_find(pickle.root, self->by->names_key) : NULL;
    for (size_t i = 0; names != NULL && names->kind == TR_PICKLE_LIST && i < names->n_items; i++)
        if (names->items[i]->text != NULL)
            put_name(self->found, names->items[i]->text, names->items[i]->n);
    tr_pickle_release(&pickle);
    return status;
}

static tr_status decode_all(void *job, tr_error *err)
{
    const decoding *self = job;
    const version *is = self->is;
    for (int i = 0; i < is->n_files; i++) {
        const int part = i + 1 == is->n_files;
        TR_TRY(is->pickled ? read_pickled(self, &self->files[i], part, err)
                           : read_binary(self, &self->files[i], part, err));
    }
    const tr_bundle_file *names = &self->files[is->n_files];
    return names->bytes == NULL ? TR_OK : read_names(self, names, err);
}

/* ---- the dataset ---- */

static tr_status write_dataset(const decoding *self, const decoded *found, const char *out_path,
                               tr_error *err)
{
    static const int x_of[] = {TR_X_TRAIN, TR_X_TEST};
    const char *names[MOST_NAMES];
    const tr_arrays_origin origin = {.source = self->is->dataset,
                                     .creator = "trainer convert cifar",
                                     .class_names = names,
                                     .n_class_names = found->n_names};
    tr_arrays arrays = {0};
    int most = 0;
    for (int part = 0; part < 2; part++) {
        const int64_t n = found->n[part];
        arrays.items[x_of[part]] = (tr_array){.type = TR_NUMBER_U8,
                                              .rank = 4,
                                              .dims = {n, SIDE, SIDE, 3},
                                              .n = n * PIXELS,
                                              .values = self->x[part]};
        arrays.items[x_of[part] + 1] = (tr_array){
            .type = TR_NUMBER_U8, .rank = 1, .dims = {n}, .n = n, .values = self->y[part]};
        for (int64_t i = 0; i < n; i++)
            most = self->y[part][i] > most ? self->y[part][i] : most;
    }
    if (found->n_names > 0 && most >= found->n_names)
        return tr_fail(err, TR_ERR_DATA, "%s: has a label %d, but %s names %d classes", self->path,
                       most, self->by->names_file, found->n_names);
    for (int i = 0; i < found->n_names; i++)
        names[i] = found->names[i];
    return tr_arrays_write_h5(&arrays, &origin, out_path, err);
}

static tr_status decode(decoding *self, decoded *found, tr_error *err)
{
    const version *is = self->is;
    self->most[0] = (int64_t)is->n_rows * (is->n_files - 1);
    self->most[1] = is->n_rows;
    self->found = tr_shared_alloc(1, sizeof *self->found);
    bool complete = self->found != NULL;
    for (int part = 0; part < 2; part++) {
        self->x[part] = tr_shared_alloc((size_t)self->most[part], PIXELS);
        self->y[part] = tr_shared_alloc((size_t)self->most[part], 1);
        complete = complete && self->x[part] != NULL && self->y[part] != NULL;
    }
    if (!complete)
        return tr_out_of_memory(err, self->path);
    TR_TRY(tr_in_child(decode_all, self, self->path, err));
    *found = *self->found; /* from here on nobody else can change it */
    bool sound = found->n_names >= 0 && found->n_names <= MOST_NAMES;
    for (int i = 0; i < MOST_NAMES; i++)
        found->names[i][NAME_BYTES - 1] = '\0';
    for (int part = 0; part < 2; part++)
        sound = sound && found->n[part] > 0 && found->n[part] <= self->most[part];
    return sound ? TR_OK
                 : tr_fail(err, TR_ERR_DATA, "%s: its reader told nonsense: is it damaged?",
                           self->path);
}

/* The files of `is` as a list of wanted ones; how many. */
static int list_files(tr_bundle_file files[MOST_PARTS + 1], const version *is, const labelling *by)
{
    const size_t row = (size_t)is->n_labels + PIXELS + (is->pickled ? SLACK : 0);
    for (int i = 0; i < is->n_files; i++)
        files[i] = (tr_bundle_file){.name = is->files[i], .most = row * (size_t)is->n_rows};
    files[is->n_files] = (tr_bundle_file){.name = by->names_file, .most = MOST_NAME_FILE};
    return is->n_files + 1;
}

/* The names of the files that are missing, where some are there; *any: some are. */
static tr_status check_complete(const decoding *self, bool *any, tr_error *err)
{
    const char *missing = NULL;
    for (int i = 0; i < self->is->n_files; i++) {
        *any = *any || self->files[i].bytes != NULL;
        missing = missing == NULL && self->files[i].bytes == NULL ? self->files[i].name : missing;
    }
    return !*any || missing == NULL
               ? TR_OK
               : tr_fail(err, TR_ERR_DATA, "%s: has no %s, which belongs to %s", self->path,
                         missing, self->is->dataset);
}

/* Where nothing of this version is there, nothing is done. */
static tr_status convert_version(const version *is, int granularity, const char *path,
                                 const char *out_path, bool *any, tr_error *err)
{
    tr_bundle_file files[MOST_PARTS + 1];
    const labelling *by = &is->by[granularity];
    const int n_files = list_files(files, is, by);
    decoding self = {.is = is, .by = by, .files = files, .path = path};
    decoded *found = tr_alloc(1, sizeof *found);
    tr_status status =
        found == NULL ? tr_out_of_memory(err, path) : tr_bundle_read(files, n_files, path, err);
    if (status == TR_OK)
        status = check_complete(&self, any, err);
    if (status == TR_OK && *any)
        status = decode(&self, found, err);
    if (status == TR_OK && *any)
        status = write_dataset(&self, found, out_path, err);
    for (int part = 0; part < 2; part++) {
        tr_shared_free(self.x[part]);
        tr_shared_free(self.y[part]);
    }
    tr_shared_free(self.found);
    tr_free(found);
    tr_bundle_release(files, n_files);
    return status;
}

static tr_status convert_any(const version versions[VERSIONS], int granularity, const char *path,
                             const char *out_path, tr_error *err)
{
    for (int i = 0; i < VERSIONS; i++) {
        bool any = false;
        TR_TRY(convert_version(&versions[i], granularity, path, out_path, &any, err));
        if (any)
            return TR_OK;
    }
    return tr_fail(err, TR_ERR_DATA,
                   "%s: has neither %s nor %s, of the binary and of the Python version of %s", path,
                   versions[0].files[0], versions[1].files[0], versions[0].dataset);
}

tr_status tr_convert_cifar10(const char *path, const char *out_path, tr_error *err)
{
    return convert_any(cifar10, FINE, path, out_path, err);
}

tr_status tr_convert_cifar100(const char *path, const char *out_path, bool coarse, tr_error *err)
{
    return convert_any(cifar100, coarse ? COARSE : FINE, path, out_path, err);
}
