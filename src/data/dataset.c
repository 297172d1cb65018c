/* dataset.c -- opening a dataset: is the file what the configuration says it is?
 *
 * For each part (train, test) both arrays are looked at before either is read, so that a wrong
 * shape costs milliseconds; then the values themselves are checked once, here, and the training
 * loop may trust them: labels are class numbers, floats are finite. Streaming a dataset larger
 * than memory is refused.
 */
#include "trainer/dataset.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "h5_read.h"
#include "mem.h"

struct tr_dataset {
    char *path, *y_train, *y_test; /* for messages */
    tr_samples train, test;
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

static tr_status read_images(tr_samples *samples, tr_h5_file *file, const tr_h5_array *x,
                             tr_error *err)
{
    void *values = NULL;
    if (x->number.kind == TR_NUMBER_U8) {
        TR_TRY(tr_h5_array_read(&values, file, x, TR_NUMBER_U8, sizeof(uint8_t), err));
        samples->pixel = TR_PIXEL_U8;
        samples->x = values;
        return TR_OK;
    }
    TR_TRY(tr_h5_array_read(&values, file, x, TR_NUMBER_F32, sizeof(float), err));
    samples->pixel = TR_PIXEL_F32;
    samples->x = values;
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

/* Read wide, check, narrow. */
static tr_status read_labels(tr_samples *samples, tr_h5_file *file, const tr_h5_array *y,
                             tr_error *err)
{
    void *wide = NULL;
    const bool is_float = tr_number_is_float(y->number);
    TR_TRY(tr_h5_array_read(&wide, file, y, is_float ? TR_NUMBER_F64 : TR_NUMBER_I64,
                            sizeof(int64_t), err));
    int32_t *labels = tr_alloc((size_t)y->n_elements, sizeof *labels);
    tr_status status;
    if (labels == NULL)
        status = tr_fail(err, TR_ERR_INTERNAL, "%s: %s is %s: out of memory", file->path, y->name,
                         y->text);
    else if (is_float)
        status = narrow_floats(labels, wide, file, y, err);
    else
        status = narrow_integers(labels, wide, file, y, err);
    samples->y = labels;
    tr_free(wide);
    return status;
}

/* ---- a part: images and their labels ---- */

static void samples_release(tr_samples *samples)
{
    tr_free((void *)samples->x);
    tr_free((void *)samples->y);
    *samples = (tr_samples){0};
}

/* On failure *samples may hold what was read so far; the caller releases it. */
static tr_status read_part(tr_samples *samples, tr_h5_file *file, const char *x_name,
                           const char *y_name, const int64_t hwc[3], tr_error *err)
{
    tr_h5_array x = {0}, y = {0};
    tr_status status = tr_h5_array_open(&x, file, x_name, err);
    if (status != TR_OK)
        goto done;
    status = check_images(file, &x, hwc, err);
    if (status != TR_OK)
        goto done;
    status = tr_h5_array_open(&y, file, y_name, err);
    if (status != TR_OK)
        goto done;
    status = check_labels(file, &y, &x, err);
    if (status != TR_OK)
        goto done;
    *samples = (tr_samples){.n = x.dims[0], .h = hwc[0], .w = hwc[1], .c = hwc[2]};
    status = read_labels(samples, file, &y, err);
    if (status != TR_OK)
        goto done;
    status = read_images(samples, file, &x, err);
done:
    tr_h5_array_close(&x);
    tr_h5_array_close(&y);
    return status;
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

/* ---- the dataset ---- */

static tr_status read_all(tr_dataset *dataset, tr_h5_file *file, const tr_config *config,
                          tr_error *err)
{
    const tr_data_config *data = &config->data;
    bool wanted = false;
    TR_TRY(
        read_part(&dataset->train, file, data->x_train, data->y_train, config->input_shape, err));
    TR_TRY(test_is_wanted(file, data, &wanted, err));
    if (!wanted)
        return TR_OK;
    return read_part(&dataset->test, file, data->x_test, data->y_test, config->input_shape, err);
}

tr_status tr_dataset_open(tr_dataset **out, const tr_config *config, tr_error *err)
{
    tr_h5_file file = {0};
    tr_status status = TR_OK;
    tr_dataset *dataset = tr_alloc(1, sizeof *dataset);
    if (dataset != NULL) {
        dataset->path = tr_strdup(config->data.file);
        dataset->y_train = tr_strdup(config->data.y_train);
        dataset->y_test = tr_strdup(config->data.y_test);
    }
    if (dataset == NULL || dataset->path == NULL || dataset->y_train == NULL ||
        dataset->y_test == NULL) {
        status = tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory", config->data.file);
        goto done;
    }
    status = tr_h5_file_open(&file, dataset->path, err);
    if (status != TR_OK)
        goto done;
    status = read_all(dataset, &file, config, err);
done:
    tr_h5_file_close(&file);
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
