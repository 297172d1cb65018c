/* convert_h5.c -- another HDF5 file as one whose images can be read without HDF5: uncompressed, in
 * one piece, as uint8 or float32.
 *
 * A child (base/child.h) makes the front part of the new file in memory, where large arrays are
 * declared without values (h5_hollow.h) and all else is copied by HDF5; further children read the
 * values of the large ones, a slab at a time, which we put behind the front part. So neither the
 * memory nor the rights that a foreign file gets depend on its size.
 */
#include <string.h>

#include "child.h"
#include "file.h"
#include "h5_array.h"
#include "h5_hollow.h"
#include "h5_write.h"
#include "mem.h"
#include "trainer/convert.h"

enum { MOST_LARGE = 64, NAME_BYTES = 256, SLAB_BYTES = 32 << 20, TABLE_BYTES = 1 << 20 };
enum { PAGE = 4096 };

/* In shared memory: what children tell. */
typedef struct large_array {
    char name[NAME_BYTES];
    tr_h5_hollow hollow;
} large_array;

typedef struct told_arrays {
    int n;
    large_array arrays[MOST_LARGE];
    size_t front_bytes;
} told_arrays;

/* A visit of a child. */
typedef struct visit {
    const char *path;
    told_arrays *told;
    void *front; /* [told->front_bytes], to be filled; NULL: to be told */
    /* A slab of arrays[which]: rows from `first` on. */
    int which;
    int64_t first, rows;
    void *slab;
} visit;

/* ---- the front part, in a child ---- */

typedef struct copying {
    visit *visit;
    hid_t to;
    tr_status status;
    tr_error *err;
} copying;

/* Tables of whole numbers may be keys, which float32 would round. */
static bool is_large(const tr_h5_array *array)
{
    const int64_t bytes = array->n_elements * (array->is_uint8 ? 1 : (int64_t)sizeof(float));
    const bool table = array->rank == 2 && (array->is_uint8 || array->is_float);
    return array->rank == 3 || array->rank == 4 || (table && bytes >= TABLE_BYTES);
}

/* H5Aiterate visitor: attributes of any type. */
static herr_t copy_attribute(hid_t from, const char *name, const H5A_info_t *info, void *user)
{
    const hid_t to = *(const hid_t *)user;
    const hid_t old = H5Aopen(from, name, H5P_DEFAULT), type = H5Aget_type(old),
                space = H5Aget_space(old);
    const hssize_t n = H5Sget_simple_extent_npoints(space);
    (void)info;
    void *values = n > 0 ? tr_alloc((size_t)n, H5Tget_size(type)) : NULL;
    const hid_t new = H5Acreate2(to, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    const bool fine = new >= 0 && (n == 0 || (values != NULL && H5Aread(old, type, values) >= 0 &&
                                              H5Awrite(new, type, values) >= 0));
    if (values != NULL)
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, values);
    tr_free(values);
    tr_h5_close(new), tr_h5_close(space), tr_h5_close(type), tr_h5_close(old);
    return fine ? 0 : -1;
}

static bool copy_attributes(hid_t from, hid_t to)
{
    hsize_t at = 0;
    return to >= 0 && H5Aiterate2(from, H5_INDEX_NAME, H5_ITER_INC, &at, copy_attribute, &to) >= 0;
}

/* How the array stands in the new file. */
static tr_status declare_large(copying *self, const tr_h5_array *array, const char *name)
{
    told_arrays *told = self->visit->told;
    if (told->n == MOST_LARGE || strlen(name) >= NAME_BYTES)
        return tr_fail(self->err, TR_ERR_DATA,
                       "%s: %.200s: more arrays than %d, or a longer name than this is made for",
                       self->visit->path, name, MOST_LARGE);
    large_array *large = &told->arrays[told->n++];
    strcpy(large->name, name);
    large->hollow =
        (tr_h5_hollow){.name = large->name, .n_dims = array->rank, .is_float = !array->is_uint8};
    memcpy(large->hollow.dims, array->dims, (size_t)array->rank * sizeof *array->dims);
    TR_TRY(tr_h5_write_hollow(self->to, &large->hollow, self->err));
    const hid_t made = H5Dopen2(self->to, name, H5P_DEFAULT);
    const bool fine = copy_attributes(array->id, made);
    tr_h5_close(made);
    return fine ? TR_OK
                : tr_fail(self->err, TR_ERR_DATA, "%s: the attributes of %s cannot be copied",
                          self->visit->path, name);
}

static tr_status copy_as_it_is(const copying *self, hid_t object, const char *name)
{
    char text[2 * TR_H5_TEXT];
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    const char *outside =
        H5Iget_type(object) == H5I_DATASET ? tr_h5_array_outside(object, text, sizeof text) : NULL;
    const bool fine = outside == NULL && H5Pset_create_intermediate_group(links, 1) >= 0 &&
                      H5Ocopy(object, ".", self->to, name, H5P_DEFAULT, links) >= 0;
    tr_h5_close(links);
    return fine ? TR_OK
                : tr_fail(self->err, TR_ERR_DATA, "%s: %s cannot be copied%s%s", self->visit->path,
                          name, outside == NULL ? "" : ": ", outside == NULL ? "" : outside);
}

static bool copy_one(void *user, const tr_h5_file *file, const char *name, const H5L_info_t *info)
{
    copying *self = user;
    tr_h5_array array = {0};
    tr_error ignored;
    char text[2 * TR_H5_TEXT];
    if (info->type != H5L_TYPE_HARD) {
        self->status = tr_fail(self->err, TR_ERR_DATA,
                               "%s: %s is a link, which is not followed; copy what it leads to",
                               file->path, name);
        return false;
    }
    if (tr_h5_array_open(&array, file, name, &ignored) == TR_OK && is_large(&array)) {
        const char *fault = tr_h5_array_fault(&array, text, sizeof text);
        self->status = fault == NULL ? declare_large(self, &array, name)
                                     : tr_h5_array_fail(file, &array, fault, self->err);
    } else {
        const hid_t object = H5Oopen(file->id, name, H5P_DEFAULT);
        self->status = copy_as_it_is(self, object, name);
        tr_h5_close(object);
    }
    tr_h5_array_close(&array);
    return self->status == TR_OK;
}

typedef struct front_job {
    visit *visit;
    tr_h5_file *file;
} front_job;

static tr_status fill_front(const void *user, hid_t to, tr_error *err)
{
    const front_job *job = user;
    copying self = {job->visit, to, TR_OK, err};
    const char *fault = NULL;
    tr_h5_file_visit(job->file, copy_one, &self, &fault);
    if (self.status == TR_OK && fault != NULL)
        return tr_fail(err, TR_ERR_DATA, "%s: %s", job->file->path, fault);
    if (self.status == TR_OK && !copy_attributes(job->file->id, to))
        return tr_fail(err, TR_ERR_DATA, "%s: its attributes cannot be copied", job->file->path);
    return self.status;
}

static tr_status make_front(void *user, tr_error *err)
{
    visit *self = user;
    void *image = NULL;
    size_t n = 0;
    tr_h5_file file;
    self->told->n = 0;
    TR_TRY(tr_h5_file_open(&file, self->path, TR_H5_DATASET, err));
    const front_job job = {self, &file};
    tr_status status = tr_h5_make_image(&image, &n, fill_front, &job, err);
    tr_h5_file_close(&file);
    if (status == TR_OK && self->front != NULL && n != self->told->front_bytes)
        status = tr_fail(err, TR_ERR_DATA, "%s: was changed while it was read", self->path);
    if (status == TR_OK && self->front != NULL)
        memcpy(self->front, image, n);
    self->told->front_bytes = n;
    tr_free(image);
    return status;
}

/* ---- the values ---- */

static tr_status read_slab(void *user, tr_error *err)
{
    visit *self = user;
    const large_array *large = &self->told->arrays[self->which];
    tr_h5_file file;
    tr_h5_array array = {0};
    int64_t start[TR_H5_RANK] = {0}, count[TR_H5_RANK];
    tr_status status = tr_h5_file_open(&file, self->path, TR_H5_DATASET, err);
    if (status == TR_OK)
        status = tr_h5_array_open(&array, &file, large->name, err);
    if (status == TR_OK &&
        (array.rank != large->hollow.n_dims ||
         memcmp(array.dims, large->hollow.dims, (size_t)array.rank * sizeof *array.dims) != 0))
        status = tr_fail(err, TR_ERR_DATA, "%s: was changed while it was read", self->path);
    memcpy(count, array.dims, sizeof count);
    start[0] = self->first;
    count[0] = self->rows;
    if (status == TR_OK)
        status = tr_h5_array_read_box(self->slab, &file, &array,
                                      large->hollow.is_float ? H5T_NATIVE_FLOAT : H5T_NATIVE_UINT8,
                                      start, count, err);
    tr_h5_array_close(&array);
    tr_h5_file_close(&file);
    return status;
}

static tr_status copy_values(visit *self, int which, const tr_new_file *out, tr_error *err)
{
    const tr_h5_hollow *hollow = &self->told->arrays[which].hollow;
    const int64_t n = hollow->dims[0], row = tr_h5_hollow_bytes(hollow) / n;
    const int64_t most = SLAB_BYTES / row > 0 ? SLAB_BYTES / row : 1;
    tr_status status = TR_OK;
    self->which = which;
    self->slab = tr_shared_alloc((size_t)(most < n ? most : n), (size_t)row);
    if (self->slab == NULL)
        return tr_out_of_memory(err, self->path);
    for (self->first = 0; self->first < n && status == TR_OK; self->first += self->rows) {
        self->rows = n - self->first < most ? n - self->first : most;
        status = tr_in_child(read_slab, self, self->path, err);
        if (status == TR_OK)
            status = tr_new_file_write_at(out, self->slab, (size_t)(self->rows * row),
                                          hollow->offset + self->first * row, err);
    }
    tr_shared_free(self->slab);
    return status;
}

/* ---- together ---- */

/* The child had a foreign file in its hands. Gives each array its place; the end of the last. */
static tr_status place_all(told_arrays *told, const char *path, int64_t *end, tr_error *err)
{
    bool fine = told->n >= 0 && told->n <= MOST_LARGE && told->front_bytes > 0 &&
                told->front_bytes < INT64_MAX / 2;
    *end = fine ? ((int64_t)told->front_bytes + PAGE - 1) / PAGE * PAGE : 0;
    for (int i = 0; i < told->n && fine; i++) {
        tr_h5_hollow *hollow = &told->arrays[i].hollow;
        int64_t bytes = hollow->is_float ? sizeof(float) : 1;
        fine = hollow->n_dims >= 2 && hollow->n_dims <= 4;
        for (int k = 0; k < hollow->n_dims && fine; k++)
            fine = hollow->dims[k] > 0 && !__builtin_mul_overflow(bytes, hollow->dims[k], &bytes);
        told->arrays[i].name[NAME_BYTES - 1] = '\0';
        hollow->name = told->arrays[i].name;
        hollow->offset = *end;
        fine = fine && !__builtin_add_overflow(*end, bytes, end) && *end < INT64_MAX / 2;
        *end = (*end + PAGE - 1) / PAGE * PAGE;
    }
    return fine ? TR_OK
                : tr_fail(err, TR_ERR_DATA, "%s: its reader told nonsense: is it damaged?", path);
}

static tr_status write_all(visit *self, told_arrays *own, tr_new_file *out, tr_error *err)
{
    tr_h5_hollow arrays[MOST_LARGE];
    int64_t end;
    TR_TRY(tr_in_child(make_front, self, self->path, err));
    const size_t n = self->told->front_bytes;
    self->front = n == 0 ? NULL : tr_shared_alloc(n, 1);
    if (self->front == NULL)
        return tr_out_of_memory(err, self->path);
    TR_TRY(tr_in_child(make_front, self, self->path, err));
    *own = *self->told; /* further children can change it no more */
    self->told = own;
    own->front_bytes = n;
    TR_TRY(place_all(own, self->path, &end, err));
    for (int i = 0; i < own->n; i++) {
        arrays[i] = own->arrays[i].hollow;
        TR_TRY(copy_values(self, i, out, err));
    }
    TR_TRY(tr_h5_place_hollow(self->front, n, arrays, own->n, end, err));
    TR_TRY(tr_new_file_write_at(out, self->front, n, 0, err));
    return tr_new_file_write_at(out, "", 1, end - 1, err); /* as long as its head says */
}

tr_status tr_convert_h5(const char *path, const char *out_path, tr_error *err)
{
    told_arrays *shared = tr_shared_alloc(1, sizeof *shared), *own = tr_alloc(1, sizeof *own);
    visit self = {.path = path, .told = shared};
    tr_new_file out = {.folder = -1, .fd = -1};
    tr_status status = shared == NULL || own == NULL ? tr_out_of_memory(err, path)
                                                     : tr_new_file_open(&out, out_path, err);
    if (status == TR_OK)
        status = write_all(&self, own, &out, err);
    if (status == TR_OK)
        status = tr_new_file_put(&out, err);
    tr_new_file_discard(&out);
    tr_shared_free(self.front);
    tr_shared_free(shared);
    tr_free(own);
    return status;
}
