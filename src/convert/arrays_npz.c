/* arrays_npz.c -- the four arrays from and to NumPy's .npz; see arrays.h.
 *
 * A .npz is a ZIP archive of <name>.npy members. Members are read to their ends, where libzip
 * compares their checksums.
 */
#include <stdio.h>
#include <string.h>
#include <zip.h>

#include "arrays.h"
#include "file.h"
#include "mem.h"
#include "npy.h"
#include "zip_write.h"

static void member_name(char *text, size_t n, int i)
{
    snprintf(text, n, "%s.npy", tr_array_names[i]);
}

/* ---- reading, in a child ---- */

typedef struct member {
    const char *path;
    char name[128]; /* "mnist.npz: x_train.npy", for messages */
    zip_file_t *file;
    uint64_t n; /* bytes, as the archive says */
} member;

static tr_status fail_read(const member *self, tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA, "%s: the archive is damaged or cut short: %s", self->name,
                   zip_file_strerror(self->file));
}

/* Up to n bytes; fewer only at the end. */
static tr_status pull(const member *self, void *bytes, uint64_t n, uint64_t *got, tr_error *err)
{
    *got = 0;
    while (*got < n) {
        const uint64_t most = n - *got < 1 << 20 ? n - *got : 1 << 20;
        const zip_int64_t read = zip_fread(self->file, (char *)bytes + *got, most);
        if (read < 0)
            return fail_read(self, err);
        if (read == 0)
            break;
        *got += (uint64_t)read;
    }
    return TR_OK;
}

static tr_status read_values(const member *self, const tr_array *array, const char *begun,
                             uint64_t n_begun, tr_error *err)
{
    const uint64_t n = (uint64_t)array->n * tr_number_bytes(array->type);
    const uint64_t n_first = n_begun < n ? n_begun : n;
    char beyond;
    uint64_t got;
    memcpy(array->values, begun, n_first);
    TR_TRY(pull(self, (char *)array->values + n_first, n - n_first, &got, err));
    if (got < n - n_first)
        return tr_fail(err, TR_ERR_DATA, "%s: ends before its last value", self->name);
    return pull(self, &beyond, 1, &got, err); /* the end: the checksum */
}

static tr_status visit_member(const member *self, tr_arrays_visit *job, int i, tr_error *err)
{
    char head[TR_NPY_HEADER_MAX];
    tr_array found;
    uint64_t got, bytes;
    size_t length = 0;
    TR_TRY(pull(self, head, sizeof head, &got, err));
    TR_TRY(tr_npy_parse(&found, &length, head, (size_t)got, self->name, err));
    if (__builtin_mul_overflow((uint64_t)found.n, tr_number_bytes(found.type), &bytes) ||
        self->n < length || bytes != self->n - length)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: has %llu bytes of values, its header promises %lld elements of %s",
                       self->name, (unsigned long long)(self->n < length ? 0 : self->n - length),
                       (long long)found.n, tr_number_name(found.type));
    tr_array *array = &job->arrays.items[i];
    if (!job->reading) {
        *array = found;
        return TR_OK;
    }
    if (array->n != found.n || array->type != found.type)
        return tr_fail(err, TR_ERR_DATA, "%s: changed while it was read", job->path);
    return read_values(self, array, head + length, got - length, err);
}

static tr_status visit_one(tr_arrays_visit *job, zip_t *archive, int i, tr_error *err)
{
    char name[32];
    zip_stat_t info;
    member self = {.path = job->path};
    member_name(name, sizeof name, i);
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

static tr_status visit_all(tr_arrays_visit *job, zip_t *archive, tr_error *err)
{
    bool found[TR_N_ARRAYS];
    char name[32];
    for (int i = 0; i < TR_N_ARRAYS; i++) {
        member_name(name, sizeof name, i);
        found[i] = zip_name_locate(archive, name, 0) >= 0;
    }
    TR_TRY(tr_arrays_check_found(found, job->path, err));
    for (int i = 0; i < TR_N_ARRAYS; i++)
        if (found[i])
            TR_TRY(visit_one(job, archive, i, err));
    return TR_OK;
}

static tr_status visit_file(void *user, tr_error *err)
{
    tr_arrays_visit *job = user;
    int code = 0;
    TR_TRY(tr_file_check_input(job->path, err));
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

tr_status tr_arrays_read_npz(tr_arrays *out, const char *path, tr_error *err)
{
    return tr_arrays_fetch(out, path, true, visit_file, err);
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
        member_name(names[i], sizeof names[i], i);
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
