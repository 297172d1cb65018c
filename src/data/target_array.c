/* target_array.c -- see target_array.h. */
#include "target_array.h"

#include <math.h>
#include <stdio.h>

#include "dataset_legend.h"
#include "mem.h"

/* ---- shapes ---- */

static tr_status check_classes(const tr_h5_file *file, const tr_h5_array *y, tr_error *err)
{
    if (y->rank == 2 && y->dims[1] > 1)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s; expected class numbers, [n] or [n, 1]; for one-hot rows use "
                       "[compile] loss = categorical_crossentropy",
                       file->path, y->name, y->text);
    if (y->rank != 1 && y->rank != 2)
        return tr_fail(err, TR_ERR_DATA, "%s: %s is %s; expected class numbers, [n] or [n, 1]",
                       file->path, y->name, y->text);
    return TR_OK;
}

static tr_status check_values(const tr_h5_file *file, const tr_h5_array *y, tr_error *err)
{
    if (y->rank != 1 && y->rank != 2)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s; expected [n], or [n, outputs of the network]", file->path,
                       y->name, y->text);
    return TR_OK;
}

tr_status tr_targets_check(const tr_h5_file *file, const tr_h5_array *y, const tr_h5_array *x,
                           unsigned wanted, tr_target *form, int64_t *width, tr_error *err)
{
    *width = y->rank == 2 ? y->dims[1] : 1;
    *form = wanted == TR_TARGET_CLASSES || (wanted != TR_TARGET_VALUES && *width == 1)
                ? TR_TARGET_CLASSES
                : TR_TARGET_VALUES;
    TR_TRY(*form == TR_TARGET_CLASSES ? check_classes(file, y, err) : check_values(file, y, err));
    if (y->is_text && *width > 1)
        return tr_fail(err, TR_ERR_DATA, "%s: %s is %s; expected one class for each image, [n]",
                       file->path, y->name, y->text);
    if (y->dims[0] != x->dims[0])
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s but %s is %s: there must be one label for each image",
                       file->path, x->name, x->text, y->name, y->text);
    return TR_OK;
}

/* ---- class numbers ---- */

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
            snprintf(found, sizeof found, "%lld%s", (long long)src[i],
                     src[i] == INT64_MAX ? " or more" : "");
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
static tr_status read_classes(const tr_samples *samples, const tr_h5_file *file,
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

/* ---- values ---- */

/* A wider type may also overflow to infinity on the way to float32. */
static tr_status read_values(const tr_samples *samples, const tr_h5_file *file,
                             const tr_h5_array *y, tr_error *err)
{
    float *values = (float *)samples->values;
    TR_TRY(tr_h5_array_read(values, file, y, H5T_NATIVE_FLOAT, err));
    for (int64_t i = 0; i < y->n_elements; i++) {
        if (isfinite(values[i]))
            continue;
        char column[32] = "";
        if (y->rank == 2)
            snprintf(column, sizeof column, ", %lld", (long long)(i % samples->width));
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s and holds %g (as float32) at [%lld%s]; expected finite values",
                       file->path, y->name, y->text, (double)values[i],
                       (long long)(i / samples->width), column);
    }
    return TR_OK;
}

size_t tr_targets_item_bytes(tr_target form)
{
    return form == TR_TARGET_CLASSES ? sizeof(int64_t) : sizeof(float); /* classes: read wide */
}

tr_status tr_targets_read(const tr_samples *samples, const tr_h5_file *file, const tr_h5_array *y,
                          const tr_legend *legend, tr_error *err)
{
    if (y->is_text)
        return tr_legend_read_labels(legend, (int32_t *)samples->y, (float *)samples->values, file,
                                     y, err);
    return samples->y != NULL ? read_classes(samples, file, y, err)
                              : read_values(samples, file, y, err);
}
