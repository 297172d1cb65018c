/* dataset.c -- opening a dataset: is the file what the configuration says it is?
 *
 * Two visits to the file, each in a child process (base/child.h): the first looks at all arrays, so
 * that a wrong shape costs milliseconds and the room for the values can be made where both
 * processes see it; the second reads. There, too, the values themselves are checked once, and the
 * training loop may trust them: labels are class numbers, floats are finite. Streaming a dataset
 * larger than memory is refused.
 */
#include "trainer/dataset.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "h5_read.h"
#include "mem.h"

struct tr_dataset {
    char *path, *y_train, *y_test; /* for messages */
    tr_samples train, test;        /* their arrays are of tr_shared_alloc() */
};

/* ---- images ---- */

static bool same_shape(const tr_h5_array *x, const int64_t hwc[3])
{
    if (x->rank == 3 && hwc[2] != 1) /* [n, h, w] has one channel */
        return false;
    if (x->rank != 3 && x->rank != 4)
        return false;
    for (int i = 1; i < x->rank; i++)
        if (x->dims[i] != hwc[i - 1])
            return false;
    return true;
}

static tr_status check_images(const tr_h5_file *file, const tr_h5_array *x, const int64_t hwc[3],
                              tr_error *err)
{
    if (!same_shape(x, hwc))
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s: input_shape in [model] says %lld, %lld, %lld; expected "
                       "[n, height, width, channels], or [n, height, width] for one channel",
                       file->path, x->name, x->text, (long long)hwc[0], (long long)hwc[1],
                       (long long)hwc[2]);
    if (x->dims[0] > UINT32_MAX)
        return tr_fail(err, TR_ERR_DATA, "%s: %s is %s: more than 4294967295 samples", file->path,
                       x->name, x->text);
    return TR_OK;
}

/* x [n, h, w, c]. A wider type may also overflow to infinity on the way to float32. */
static tr_status check_finite(const tr_h5_file *file, const tr_h5_array *array,
                              const tr_samples *samples, tr_error *err)
{
    const int64_t row = samples->w * samples->c, image = samples->h * row;
    const float *x = samples->x;
    for (int64_t i = 0; i < samples->n * image; i++)
        if (!isfinite(x[i]))
            return tr_fail(err, TR_ERR_DATA,
                           "%s: %s is %s and holds %g (as float32) at [%lld, %lld, %lld, %lld]; "
                           "expected finite values",
                           file->path, array->name, array->text, (double)x[i],
                           (long long)(i / image), (long long)(i % image / row),
                           (long long)(i % row / samples->c), (long long)(i % samples->c));
    return TR_OK;
}

static size_t pixel_bytes(tr_pixel pixel)
{
    return pixel == TR_PIXEL_U8 ? sizeof(uint8_t) : sizeof(float);
}

static tr_status read_images(const tr_samples *samples, const tr_h5_file *file,
                             const tr_h5_array *x, tr_error *err)
{
    void *values = (void *)samples->x;
    if (samples->pixel == TR_PIXEL_U8)
        return tr_h5_array_read(values, file, x, H5T_NATIVE_UINT8, err);
    TR_TRY(tr_h5_array_read(values, file, x, H5T_NATIVE_FLOAT, err));
    return check_finite(file, x, samples, err);
}

/* ---- labels ---- */

static tr_status check_labels(const tr_h5_file *file, const tr_h5_array *y, const tr_h5_array *x,
                              tr_error *err)
{
    if (y->rank == 2 && y->dims[1] > 1)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s; expected class numbers, [n] or [n, 1]; one-hot rows become "
                       "class numbers with an argmax over each row",
                       file->path, y->name, y->text);
    if (y->rank != 1 && !(y->rank == 2 && y->dims[1] == 1))
        return tr_fail(err, TR_ERR_DATA, "%s: %s is %s; expected class numbers, [n] or [n, 1]",
                       file->path, y->name, y->text);
    if (y->dims[0] != x->dims[0])
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s but %s is %s: there must be one label for each image",
                       file->path, x->name, x->text, y->name, y->text);
    return TR_OK;
}

static tr_status fail_label(const tr_h5_file *file, const tr_h5_array *y, int64_t i,
                            const char *found, tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA,
                   "%s: %s is %s and holds %s at index %lld; expected whole class numbers from 0 "
                   "to %d",
                   file->path, y->name, y->text, found, (long long)i, INT32_MAX);
}

static tr_status narrow_integers(int32_t *dst, const int64_t *src, const tr_h5_file *file,
                                 const tr_h5_array *y, tr_error *err)
{
    for (int64_t i = 0; i < y->n_elements; i++) {
        if (src[i] < 0 || src[i] > INT32_MAX) {
            char found[32];
            snprintf(found, sizeof found, "%lld", (long long)src[i]);
            return fail_label(file, y, i, found, err);
        }
        dst[i] = (int32_t)src[i];
    }
    return TR_OK;
}

static tr_status narrow_floats(int32_t *dst, const double *src, const tr_h5_file *file,
                               const tr_h5_array *y, tr_error *err)
{
    for (int64_t i = 0; i < y->n_elements; i++) {
        /* The comparison also turns NaN away before the cast, which would be undefined. */
        if (!(src[i] >= 0 && src[i] <= INT32_MAX) || src[i] != floor(src[i])) {
            char found[32];
            snprintf(found, sizeof found, "%.9g", src[i]);
            return fail_label(file, y, i, found, err);
        }
        dst[i] = (int32_t)src[i];
    }
    return TR_OK;
}

/* Read wide, check, narrow. HDF5 clips what is beyond int64 to its ends, which are no labels. */
static tr_status read_labels(const tr_samples *samples, const tr_h5_file *file,
                             const tr_h5_array *y, tr_error *err)
{
    int32_t *labels = (int32_t *)samples->y;
    void *wide = tr_alloc((size_t)y->n_elements, sizeof(int64_t));
    if (wide == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "%s: %s is %s: out of memory", file->path, y->name,
                       y->text);
    tr_status status =
        tr_h5_array_read(wide, file, y, y->is_float ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64, err);
    if (status == TR_OK && y->is_float)
        status = narrow_floats(labels, wide, file, y, err);
    else if (status == TR_OK)
        status = narrow_integers(labels, wide, file, y, err);
    tr_free(wide);
    return status;
}

/* ---- a part: images and their labels ---- */

typedef struct sample_part {
    tr_h5_array x, y;
    tr_samples samples; /* without arrays */
} sample_part;

static void part_close(sample_part *part)
{
    tr_h5_array_close(&part->x);
    tr_h5_array_close(&part->y);
}

/* Opens and checks all but the values. Close also after a failure. */
static tr_status part_open(sample_part *out, tr_h5_file *file, const char *x_name,
                           const char *y_name, const int64_t hwc[3], tr_error *err)
{
    TR_TRY(tr_h5_array_open(&out->x, file, x_name, err));
    TR_TRY(check_images(file, &out->x, hwc, err));
    TR_TRY(tr_h5_array_open(&out->y, file, y_name, err));
    TR_TRY(check_labels(file, &out->y, &out->x, err));
    out->samples = (tr_samples){.n = out->x.dims[0],
                                .h = hwc[0],
                                .w = hwc[1],
                                .c = hwc[2],
                                .pixel = out->x.is_uint8 ? TR_PIXEL_U8 : TR_PIXEL_F32};
    TR_TRY(tr_h5_array_reserve(file, &out->y, sizeof(int64_t), err)); /* read wide */
    return tr_h5_array_reserve(file, &out->x, pixel_bytes(out->samples.pixel), err);
}

/* Fills the arrays of `samples`, which the first visit to the file described. */
static tr_status part_read(const sample_part *part, const tr_samples *samples,
                           const tr_h5_file *file, tr_error *err)
{
    if (samples->n == 0)
        return TR_OK;
    if (part->samples.n != samples->n || part->samples.pixel != samples->pixel)
        return tr_fail(err, TR_ERR_DATA, "%s: %s was changed while it was being read", file->path,
                       part->x.name);
    TR_TRY(read_labels(samples, file, &part->y, err));
    return read_images(samples, file, &part->x, err);
}

/* The test part may be missing, but only whole, and only under its default names: one that the
 * configuration names is wanted. (The effective config.ini of a run spells the default names out
 * and must repeat that run, so "was the key given" cannot be the question.) */
static tr_status test_is_wanted(const tr_h5_file *file, const tr_data_config *data, bool *wanted,
                                tr_error *err)
{
    *wanted = true;
    if (strcmp(data->x_test, "x_test") != 0 || strcmp(data->y_test, "y_test") != 0)
        return TR_OK;
    bool has_x = false, has_y = false;
    TR_TRY(tr_h5_file_has(file, data->x_test, &has_x, err));
    TR_TRY(tr_h5_file_has(file, data->y_test, &has_y, err));
    *wanted = has_x || has_y; /* one without the other then fails to open, by name */
    return TR_OK;
}

/* ---- the two visits, in a child ---- */

typedef struct file_visit {
    const tr_config *config;
    tr_samples train, test; /* told by the first visit, their arrays filled by the second */
    bool reading;           /* the second */
} file_visit;

static tr_status visit_parts(file_visit *visit, sample_part *train, sample_part *test,
                             tr_h5_file *file, tr_error *err)
{
    const tr_data_config *data = &visit->config->data;
    const int64_t *hwc = visit->config->input_shape;
    bool wanted = false;
    TR_TRY(part_open(train, file, data->x_train, data->y_train, hwc, err));
    TR_TRY(test_is_wanted(file, data, &wanted, err));
    if (wanted)
        TR_TRY(part_open(test, file, data->x_test, data->y_test, hwc, err));
    if (visit->reading) {
        TR_TRY(part_read(train, &visit->train, file, err));
        return part_read(test, &visit->test, file, err);
    }
    visit->train = train->samples;
    visit->test = test->samples;
    return TR_OK;
}

static tr_status visit_file(void *job, tr_error *err)
{
    file_visit *visit = job;
    tr_h5_file file = {0};
    sample_part train = {0}, test = {0};
    tr_status status = tr_h5_file_open(&file, visit->config->data.file, err);
    if (status == TR_OK)
        status = visit_parts(visit, &train, &test, &file, err);
    part_close(&train);
    part_close(&test);
    tr_h5_file_close(&file);
    return status;
}

/* ---- the dataset ---- */

static void samples_release(tr_samples *samples)
{
    tr_shared_free((void *)samples->x);
    tr_shared_free((void *)samples->y);
    *samples = (tr_samples){0};
}

/* Makes room for what was `seen`; *samples has arrays only of that size. */
static tr_status samples_allocate(tr_samples *samples, const tr_samples *seen, const char *path,
                                  tr_error *err)
{
    if (seen->n == 0)
        return TR_OK;
    *samples = *seen;
    const size_t image_bytes = (size_t)(seen->h * seen->w * seen->c) * pixel_bytes(seen->pixel);
    samples->y = tr_shared_alloc((size_t)seen->n, sizeof *samples->y);
    samples->x = tr_shared_alloc((size_t)seen->n, image_bytes);
    if (samples->x == NULL || samples->y == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory for %lld images, %.3f GiB", path,
                       (long long)seen->n, (double)seen->n * (double)image_bytes * 0x1p-30);
    return TR_OK;
}

static tr_status read_all(tr_dataset *dataset, const tr_config *config, tr_error *err)
{
    const char *path = dataset->path;
    file_visit *look = tr_shared_alloc(1, sizeof *look);
    if (look == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory", path);
    look->config = config;
    tr_status status = tr_in_child(visit_file, look, path, err);
    if (status == TR_OK)
        status = samples_allocate(&dataset->train, &look->train, path, err);
    if (status == TR_OK)
        status = samples_allocate(&dataset->test, &look->test, path, err);
    tr_shared_free(look);
    if (status != TR_OK)
        return status;
    file_visit read = {
        .config = config, .train = dataset->train, .test = dataset->test, .reading = true};
    return tr_in_child(visit_file, &read, path, err);
}

tr_status tr_dataset_open(tr_dataset **out, const tr_config *config, tr_error *err)
{
    tr_status status = TR_OK;
    tr_dataset *dataset = tr_alloc(1, sizeof *dataset);
    if (dataset != NULL) {
        dataset->path = tr_strdup(config->data.file);
        dataset->y_train = tr_strdup(config->data.y_train);
        dataset->y_test = tr_strdup(config->data.y_test);
    }
    if (dataset == NULL || dataset->path == NULL || dataset->y_train == NULL ||
        dataset->y_test == NULL)
        status = tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory", config->data.file);
    else
        status = read_all(dataset, config, err);
    if (status != TR_OK) {
        tr_dataset_free(dataset);
        return status;
    }
    *out = dataset;
    return TR_OK;
}

void tr_dataset_free(tr_dataset *dataset)
{
    if (dataset == NULL)
        return;
    samples_release(&dataset->train);
    samples_release(&dataset->test);
    tr_free(dataset->path);
    tr_free(dataset->y_train);
    tr_free(dataset->y_test);
    tr_free(dataset);
}

const tr_samples *tr_dataset_train(const tr_dataset *dataset)
{
    return &dataset->train;
}

const tr_samples *tr_dataset_test(const tr_dataset *dataset)
{
    return &dataset->test;
}

static tr_status check_part(const char *path, const char *y_name, const tr_samples *samples,
                            int64_t n_classes, tr_error *err)
{
    for (int64_t i = 0; i < samples->n; i++)
        if (samples->y[i] >= n_classes)
            return tr_fail(err, TR_ERR_DATA,
                           "%s: %s holds the label %d at index %lld, but the model has %lld "
                           "outputs: labels 0 to %lld; give its last layer more units",
                           path, y_name, samples->y[i], (long long)i, (long long)n_classes,
                           (long long)n_classes - 1);
    return TR_OK;
}

tr_status tr_dataset_check_classes(const tr_dataset *dataset, int64_t n_classes, tr_error *err)
{
    TR_TRY(check_part(dataset->path, dataset->y_train, &dataset->train, n_classes, err));
    return check_part(dataset->path, dataset->y_test, &dataset->test, n_classes, err);
}
