/* images.c -- see images.h. */
#include "images.h"

#include <math.h>
#include <stdio.h>

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

tr_status tr_images_check(const tr_h5_file *file, const tr_h5_array *x, const int64_t hwc[3],
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
    for (int64_t i = 0; i < samples->n * image; i++) {
        if (isfinite(x[i]))
            continue;
        char channel[32] = ""; /* an index only where the array has the dimension */
        if (array->rank == 4)
            snprintf(channel, sizeof channel, ", %lld", (long long)(i % samples->c));
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s and holds %g (as float32) at [%lld, %lld, %lld%s]; expected "
                       "finite values",
                       file->path, array->name, array->text, (double)x[i], (long long)(i / image),
                       (long long)(i % image / row), (long long)(i % row / samples->c), channel);
    }
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
