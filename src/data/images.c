/* images.c -- see images.h. */
#include "images.h"

#include <math.h>

/* Vectors may lie in the file as what they were made of: [n, 28, 28] for a length of 784. */
static bool same_length(const tr_h5_array *x, int64_t length)
{
    int64_t n = 1;
    for (int i = 1; i < x->rank; i++)
        if (__builtin_mul_overflow(n, x->dims[i], &n))
            return false;
    return x->rank > 0 && n == length;
}

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

tr_status tr_images_check(const tr_h5_file *file, const tr_h5_array *x, const tr_input_shape *shape,
                          tr_error *err)
{
    const int64_t *hwc = shape->hwc;
    if (shape->flat && !same_length(x, hwc[2]))
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s: input_shape in [model] says %lld; expected [n, %lld], or any "
                       "other array with that many numbers per sample",
                       file->path, x->name, x->text, (long long)hwc[2], (long long)hwc[2]);
    if (!shape->flat && !same_shape(x, hwc))
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s: input_shape in [model] says %lld, %lld, %lld; expected "
                       "[n, height, width, channels], or [n, height, width] for one channel%s",
                       file->path, x->name, x->text, (long long)hwc[0], (long long)hwc[1],
                       (long long)hwc[2],
                       x->rank == 2 ? "; of vectors input_shape is one number, their length" : "");
    if (x->dims[0] > UINT32_MAX)
        return tr_fail(err, TR_ERR_DATA, "%s: %s is %s: more than 4294967295 samples", file->path,
                       x->name, x->text);
    return TR_OK;
}

/* The index of element i, as far as the array has dimensions: "3, 0, 27". */
static const char *index_text(const tr_h5_array *array, int64_t i, char *text, size_t n)
{
    int64_t stride = array->n_elements;
    text[0] = '\0';
    for (int k = 0; k < array->rank; k++) {
        stride /= array->dims[k];
        tr_text_append(text, n, "%s%lld", k == 0 ? "" : ", ", (long long)(i / stride));
        i %= stride;
    }
    return text;
}

/* A wider type may also overflow to infinity on the way to float32. */
static tr_status check_finite(const tr_h5_file *file, const tr_h5_array *array,
                              const tr_samples *samples, tr_error *err)
{
    const float *x = samples->x;
    char index[192]; /* of at most TR_H5_RANK numbers */
    for (int64_t i = 0; i < array->n_elements; i++)
        if (!isfinite(x[i]))
            return tr_fail(err, TR_ERR_DATA,
                           "%s: %s is %s and holds %g (as float32) at [%s]; expected finite values",
                           file->path, array->name, array->text, (double)x[i],
                           index_text(array, i, index, sizeof index));
    return TR_OK;
}

size_t tr_pixel_bytes(tr_pixel pixel)
{
    return pixel == TR_PIXEL_U8 ? sizeof(uint8_t) : sizeof(float);
}

tr_status tr_images_read(const tr_samples *samples, const tr_h5_file *file, const tr_h5_array *x,
                         tr_error *err)
{
    void *values = (void *)samples->x;
    if (samples->pixel == TR_PIXEL_U8)
        return tr_h5_array_read(values, file, x, H5T_NATIVE_UINT8, err);
    TR_TRY(tr_h5_array_read(values, file, x, H5T_NATIVE_FLOAT, err));
    return check_finite(file, x, samples, err);
}
