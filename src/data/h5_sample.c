/* h5_sample.c -- two visits to the file, to look and to read; see h5_sample.h. */
#include "h5_sample.h"

#include <stdio.h>
#include <string.h>

#include "child.h"
#include "h5.h"
#include "mem.h"

typedef struct sample_visit {
    const char *path, *name;
    int64_t index;
    tr_h5_policy policy;
    bool reading; /* the second visit; it fills the sample's values */
    tr_h5_sample sample;
} sample_visit;

/* "a/x_train" -> "a/y_train"; false for a name without an x to replace. */
static bool label_name(char *labels, size_t n, const char *name)
{
    const char *slash = strrchr(name, '/');
    const size_t at = slash == NULL ? 0 : (size_t)(slash - name) + 1;
    if (name[at] != 'x' || strlen(name) >= n)
        return false;
    snprintf(labels, n, "%s", name);
    labels[at] = 'y';
    return true;
}

/* Row `index` of the dataset into values[], whatever its rank. */
static tr_status read_row(void *values, const tr_h5_file *file, const tr_h5_array *array,
                          hid_t type, int64_t index, tr_error *err)
{
    const int64_t start[TR_H5_RANK] = {index};
    int64_t count[TR_H5_RANK];
    memcpy(count, array->dims, sizeof count);
    count[0] = 1;
    return tr_h5_array_read_box(values, file, array, type, start, count, err);
}

/* A label is a courtesy: what is not there, or no label, is passed over. */
static void read_label(tr_h5_sample *sample, const tr_h5_file *file, const char *name,
                       int64_t index)
{
    tr_h5_array y = {0};
    tr_error ignored;
    bool has = false;
    if (label_name(sample->labels, sizeof sample->labels, name) &&
        tr_h5_file_has(file, sample->labels, &has, &ignored) == TR_OK && has &&
        tr_h5_array_open(&y, file, sample->labels, &ignored) == TR_OK && y.dims[0] == sample->n &&
        (y.rank == 1 || (y.rank == 2 && y.dims[1] == 1)))
        sample->has_label =
            read_row(&sample->label, file, &y, H5T_NATIVE_INT64, index, &ignored) == TR_OK;
    tr_h5_array_close(&y);
}

static tr_status check(const sample_visit *visit, const tr_h5_array *x, tr_error *err)
{
    if (x->rank != 3 && x->rank != 4)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s; a sample is drawn of [n, height, width] or [n, height, "
                       "width, channels]",
                       visit->path, x->name, x->text);
    if (visit->index < 0 || visit->index >= x->dims[0])
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s and has no sample %lld; it has samples 0 to %lld", visit->path,
                       x->name, x->text, (long long)visit->index, (long long)x->dims[0] - 1);
    return TR_OK;
}

static tr_status visit_array(sample_visit *visit, tr_h5_file *file, const tr_h5_array *x,
                             tr_error *err)
{
    tr_h5_sample *sample = &visit->sample;
    TR_TRY(check(visit, x, err));
    const int64_t n = x->n_elements / x->dims[0];
    if (visit->reading) {
        if (n != sample->h * sample->w * sample->c)
            return tr_fail(err, TR_ERR_DATA, "%s: %s was changed while it was being read",
                           visit->path, x->name);
        return read_row(sample->values, file, x, H5T_NATIVE_FLOAT, visit->index, err);
    }
    sample->n = x->dims[0];
    sample->h = x->dims[1];
    sample->w = x->dims[2];
    sample->c = x->rank == 4 ? x->dims[3] : 1;
    sample->is_uint8 = x->is_uint8;
    snprintf(sample->text, sizeof sample->text, "%s", x->text);
    read_label(sample, file, visit->name, visit->index);
    tr_h5_array one = *x;
    one.n_elements = n;
    return tr_h5_array_reserve(file, &one, sizeof(float), err);
}

/* In the child. */
static tr_status visit_file(void *user, tr_error *err)
{
    sample_visit *visit = user;
    tr_h5_file file = {0};
    tr_h5_array x = {0};
    tr_status status = tr_h5_file_open(&file, visit->path, visit->policy, err);
    bool has = false;
    if (status == TR_OK)
        status = tr_h5_file_has(&file, visit->name, &has, err);
    if (status == TR_OK && !has) {
        char list[1024];
        tr_h5_file_list(&file, list, sizeof list);
        status = tr_fail(err, TR_ERR_DATA, "%s: has no dataset %s; it has %s; choose one of them",
                         visit->path, visit->name, list);
    }
    if (status == TR_OK)
        status = tr_h5_array_open(&x, &file, visit->name, err);
    if (status == TR_OK)
        status = visit_array(visit, &file, &x, err);
    tr_h5_array_close(&x);
    tr_h5_file_close(&file);
    return status;
}

/* The child that told it had a foreign file in its hands. */
static bool make_plausible(tr_h5_sample *sample)
{
    int64_t n;
    sample->values = NULL;
    sample->labels[sizeof sample->labels - 1] = '\0';
    sample->text[sizeof sample->text - 1] = '\0';
    return sample->h > 0 && sample->w > 0 && sample->c > 0 &&
           !__builtin_mul_overflow(sample->h, sample->w, &n) &&
           !__builtin_mul_overflow(n, sample->c, &n);
}

tr_status tr_h5_sample_read(tr_h5_sample *out, const char *path, const char *name, int64_t index,
                            tr_h5_policy policy, tr_error *err)
{
    *out = (tr_h5_sample){0};
    sample_visit *visit = tr_shared_alloc(1, sizeof *visit);
    if (visit == NULL)
        return tr_out_of_memory(err, path);
    *visit = (sample_visit){.path = path, .name = name, .index = index, .policy = policy};
    const char *only_file = policy == TR_H5_DATASET_WITH_EXTERNAL ? NULL : path;
    tr_status status = tr_in_child_reaching(only_file, visit_file, visit, path, err);
    tr_h5_sample sample = visit->sample;
    tr_shared_free(visit);
    if (status != TR_OK)
        return status;
    if (!make_plausible(&sample))
        return tr_fail(err, TR_ERR_DATA, "%s: %s: its reader told nonsense: is it damaged?", path,
                       name);
    sample.values = tr_shared_alloc((size_t)(sample.h * sample.w * sample.c), sizeof(float));
    if (sample.values == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory for a sample of %s", path, name);
    sample_visit reading = {.path = path,
                            .name = name,
                            .index = index,
                            .policy = policy,
                            .reading = true,
                            .sample = sample};
    status = tr_in_child_reaching(only_file, visit_file, &reading, path, err);
    if (status != TR_OK)
        tr_h5_sample_release(&sample);
    *out = sample;
    return status;
}

void tr_h5_sample_release(tr_h5_sample *sample)
{
    tr_shared_free(sample->values);
    *sample = (tr_h5_sample){0};
}
