/* arrays_npz.c -- the arrays from and to NumPy's .npz; see arrays.h.
 *
 * A .npz is a ZIP archive of <name>.npy members. Members are read to their ends, where libzip
 * compares their checksums. A .npy alone is one array.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "arrays.h"
#include "file.h"
#include "mem.h"
#include "npy.h"
#include "zip_write.h"

static void member_name(char *text, size_t n, const char *name)
{
    snprintf(text, n, "%s.npy", name);
}

/* ---- reading, in a child ---- */

typedef struct member {
    const char *path;
    char name[TR_NPZ_NAME_MAX + 96]; /* "mnist.npz: x_train.npy", for messages */
    zip_file_t *file;                /* NULL: of no archive */
    int fd;
    uint64_t n; /* bytes, as the archive says */
} member;

static tr_status fail_read(const member *self, tr_error *err)
{
    return self->file == NULL
               ? tr_fail(err, TR_ERR_DATA, "%s: cannot be read: %s", self->name, strerror(errno))
               : tr_fail(err, TR_ERR_DATA, "%s: the archive is damaged or cut short: %s",
                         self->name, zip_file_strerror(self->file));
}

/* Up to n bytes; fewer only at the end. */
static tr_status pull(const member *self, void *bytes, uint64_t n, uint64_t *got, tr_error *err)
{
    *got = 0;
    while (*got < n) {
        const uint64_t most = n - *got < 1 << 20 ? n - *got : 1 << 20;
        void *to = (char *)bytes + *got;
        const int64_t n_read =
            self->file != NULL ? zip_fread(self->file, to, most) : read(self->fd, to, most);
        if (n_read < 0)
            return fail_read(self, err);
        if (n_read == 0)
            break;
        *got += (uint64_t)n_read;
    }
    return TR_OK;
}

/* The stored values, of which the first n_begun bytes lie in `begun` already. */
static tr_status read_stored(const member *self, void *stored, uint64_t n, const char *begun,
                             uint64_t n_begun, tr_error *err)
{
    const uint64_t n_first = n_begun < n ? n_begun : n;
    char beyond;
    uint64_t got;
    memcpy(stored, begun, n_first);
    TR_TRY(pull(self, (char *)stored + n_first, n - n_first, &got, err));
    if (got < n - n_first)
        return tr_fail(err, TR_ERR_DATA, "%s: ends before its last value", self->name);
    return pull(self, &beyond, 1, &got, err); /* the end: the checksum */
}

static tr_status read_values(const member *self, void *values, const tr_npy *npy, uint64_t n,
                             const char *begun, uint64_t n_begun, tr_error *err)
{
    if (tr_npy_is_plain(npy))
        return read_stored(self, values, n, begun, n_begun, err);
    void *stored = tr_alloc((size_t)n, 1);
    if (stored == NULL)
        return tr_out_of_memory(err, self->name);
    const tr_status status = read_stored(self, stored, n, begun, n_begun, err);
    if (status == TR_OK)
        tr_npy_convert(values, npy, stored);
    tr_free(stored);
    return status;
}

static tr_status visit_member(const member *self, tr_arrays_visit *job, int i, tr_error *err)
{
    char head[TR_NPY_HEADER_MAX];
    tr_npy npy;
    uint64_t got, bytes;
    TR_TRY(pull(self, head, sizeof head, &got, err));
    TR_TRY(tr_npy_parse(&npy, head, (size_t)got, self->name, err));
    const tr_array *found = &npy.array;
    if (__builtin_mul_overflow((uint64_t)found->n, (uint64_t)npy.stored_bytes, &bytes) ||
        self->n < npy.length || bytes != self->n - npy.length)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: has %llu bytes of values, its header promises %lld elements of %s",
                       self->name,
                       (unsigned long long)(self->n < npy.length ? 0 : self->n - npy.length),
                       (long long)found->n, npy.half ? "float16" : tr_number_name(found->type));
    tr_array *array = &job->arrays.items[i];
    if (!job->reading) {
        *array = *found;
        return TR_OK;
    }
    if (array->n != found->n || array->type != found->type)
        return tr_fail(err, TR_ERR_DATA, "%s: changed while it was read", job->path);
    return read_values(self, array->values, &npy, bytes, head + npy.length, got - npy.length, err);
}

static tr_status visit_one(tr_arrays_visit *job, zip_t *archive, int i, const char *name,
                           tr_error *err)
{
    zip_stat_t info;
    member self = {.path = job->path};
    snprintf(self.name, sizeof self.name, "%.80s: %s", job->path, name);
    if (zip_stat(archive, name, 0, &info) != 0 || (info.valid & ZIP_STAT_SIZE) == 0 ||
        (self.file = zip_fopen(archive, name, 0)) == NULL)
        return tr_fail(err, TR_ERR_DATA, "%s: cannot be unpacked: %s", self.name,
                       zip_strerror(archive));
    self.n = info.size;
    const tr_status status = visit_member(&self, job, i, err);
    zip_fclose(self.file);
    return status;
}

/* "train_images, train_labels, ...", what the archive has. */
static const char *list_members(char *text, size_t n, zip_t *archive)
{
    const zip_int64_t n_members = zip_get_num_entries(archive, 0);
    size_t used = 0;
    text[0] = '\0';
    for (zip_int64_t i = 0; i < n_members && used < n; i++) {
        const char *name = zip_get_name(archive, (zip_uint64_t)i, 0);
        const size_t length = name == NULL ? 0 : strlen(name);
        if (length > 4 && strcmp(name + length - 4, ".npy") == 0)
            used += (size_t)snprintf(text + used, n - used, "%s%.*s", used > 0 ? ", " : "",
                                     (int)(length - 4), name);
    }
    return text;
}

/* Which members there are; those that were named must be. */
static tr_status find_members(bool found[TR_N_ARRAYS], const tr_arrays_visit *job, zip_t *archive,
                              tr_error *err)
{
    char name[TR_NPZ_NAME_MAX], list[400];
    for (int i = 0; i < TR_N_ARRAYS; i++) {
        const char *wanted = job->names == NULL ? tr_array_names[i] : job->names[i];
        found[i] = false;
        if (wanted == NULL)
            continue;
        member_name(name, sizeof name, wanted);
        found[i] = zip_name_locate(archive, name, 0) >= 0;
        if (!found[i] && job->names != NULL)
            return tr_fail(err, TR_ERR_DATA, "%s: has no array %s; it has: %s", job->path, wanted,
                           list_members(list, sizeof list, archive));
    }
    if (job->names == NULL && !found[TR_X_TRAIN] && !found[TR_Y_TRAIN])
        return tr_fail(err, TR_ERR_DATA,
                       "%s: has no x_train and no y_train; it has: %s; say which of them is what "
                       "(--x_train NAME --y_train NAME ...)",
                       job->path, list_members(list, sizeof list, archive));
    return job->names == NULL ? tr_arrays_check_found(found, job->path, err) : TR_OK;
}

static tr_status visit_all(tr_arrays_visit *job, zip_t *archive, tr_error *err)
{
    bool found[TR_N_ARRAYS];
    char name[TR_NPZ_NAME_MAX];
    TR_TRY(find_members(found, job, archive, err));
    for (int i = 0; i < TR_N_ARRAYS; i++) {
        if (!found[i])
            continue;
        member_name(name, sizeof name, job->names == NULL ? tr_array_names[i] : job->names[i]);
        TR_TRY(visit_one(job, archive, i, name, err));
    }
    return TR_OK;
}

/* A .npy file: the one array that is wanted. */
static tr_status visit_plain(tr_arrays_visit *job, int fd, uint64_t n, tr_error *err)
{
    member self = {.path = job->path, .fd = fd, .n = n};
    snprintf(self.name, sizeof self.name, "%.200s", job->path);
    for (int i = 0; i < TR_N_ARRAYS && job->names != NULL; i++)
        if (job->names[i] != NULL && job->names[i][0] == '\0')
            TR_TRY(lseek(fd, 0, SEEK_SET) == 0 ? visit_member(&self, job, i, err)
                                               : fail_read(&self, err));
    if (job->names == NULL)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: is one array (.npy); say which it is (--x_train %s ...)", job->path,
                       job->path);
    return TR_OK;
}

/* *plain: it was one, and is done. */
static tr_status try_plain(tr_arrays_visit *job, bool *plain, tr_error *err)
{
    char magic[6];
    struct stat info;
    int fd;
    TR_TRY(tr_file_open_input(&fd, job->path, err));
    *plain = read(fd, magic, sizeof magic) == sizeof magic &&
             memcmp(magic, "\x93NUMPY", sizeof magic) == 0 && fstat(fd, &info) == 0;
    const tr_status status = *plain ? visit_plain(job, fd, (uint64_t)info.st_size, err) : TR_OK;
    close(fd);
    return status;
}

static tr_status visit_file(void *user, tr_error *err)
{
    tr_arrays_visit *job = user;
    int code = 0;
    bool plain;
    TR_TRY(try_plain(job, &plain, err));
    if (plain)
        return TR_OK;
    zip_t *archive = zip_open(job->path, ZIP_RDONLY, &code);
    if (archive == NULL) {
        zip_error_t cause;
        zip_error_init_with_code(&cause, code);
        const tr_status status =
            tr_fail(err, TR_ERR_DATA, "%s: is no .npz file (a ZIP archive): %s", job->path,
                    zip_error_strerror(&cause));
        zip_error_fini(&cause);
        return status;
    }
    const tr_status status = visit_all(job, archive, err);
    zip_discard(archive);
    return status;
}

tr_status tr_arrays_read_npz(tr_arrays *out, const char *path, const char *const *names,
                             tr_error *err)
{
    return tr_arrays_fetch(out, &(tr_arrays_visit){.path = path, .names = names, .as_is = true},
                           visit_file, err);
}

/* ---- writing ---- */

/* Header and values; *bytes is released with tr_free(). */
static tr_status make_member(char **bytes, size_t *n, const tr_array *array, tr_error *err)
{
    char header[TR_NPY_HEADER_MAX];
    const size_t n_header = tr_npy_header(header, array);
    const size_t n_values = (size_t)array->n * tr_number_bytes(array->type);
    *bytes = tr_alloc(n_header + n_values, 1);
    if (*bytes == NULL)
        return tr_out_of_memory(err, NULL);
    memcpy(*bytes, header, n_header);
    memcpy(*bytes + n_header, array->values, n_values);
    *n = n_header + n_values;
    return TR_OK;
}

tr_status tr_arrays_write_npz(const tr_arrays *arrays, const char *path, tr_error *err)
{
    tr_zip_member members[TR_N_ARRAYS] = {{0}};
    char names[TR_N_ARRAYS][32], *bytes[TR_N_ARRAYS] = {NULL};
    size_t n_members = 0, n = 0;
    void *archive = NULL;
    tr_status status = TR_OK;
    for (int i = 0; status == TR_OK && i < TR_N_ARRAYS; i++) {
        if (arrays->items[i].n == 0)
            continue;
        member_name(names[i], sizeof names[i], tr_array_names[i]);
        status = make_member(&bytes[i], &n, &arrays->items[i], err);
        members[n_members++] = (tr_zip_member){names[i], bytes[i], n};
    }
    if (status == TR_OK)
        status = tr_zip_make(&archive, &n, members, n_members, err);
    if (status == TR_OK)
        status = tr_file_write(path, archive, n, err);
    tr_free(archive);
    for (int i = 0; i < TR_N_ARRAYS; i++)
        tr_free(bytes[i]);
    return status;
}
