/* weight_array.c -- see weight_array.h. */
#include "weight_array.h"

#include <math.h>

tr_status tr_weights_check(const tr_h5_file *file, const tr_h5_array *w, const tr_h5_array *x,
                           tr_error *err)
{
    if (w->rank != 1 && (w->rank != 2 || w->dims[1] != 1))
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s; expected a weight for each image, [n] or [n, 1]", file->path,
                       w->name, w->text);
    if (w->dims[0] != x->dims[0])
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s is %s but %s is %s: there must be one weight for each image",
                       file->path, x->name, x->text, w->name, w->text);
    return TR_OK;
}

/* A wider type may also overflow to infinity on the way to float32. */
tr_status tr_weights_read(const tr_samples *samples, const tr_h5_file *file, const tr_h5_array *w,
                          tr_error *err)
{
    float *weights = (float *)samples->weights;
    TR_TRY(tr_h5_array_read(weights, file, w, H5T_NATIVE_FLOAT, err));
    for (int64_t i = 0; i < samples->n; i++)
        if (!isfinite(weights[i]))
            return tr_fail(err, TR_ERR_DATA,
                           "%s: %s is %s and holds %g (as float32) at [%lld]; expected finite "
                           "weights",
                           file->path, w->name, w->text, (double)weights[i], (long long)i);
    return TR_OK;
}
