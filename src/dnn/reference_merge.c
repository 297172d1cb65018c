/* reference_merge.c -- merges and concatenations by definition; see reference.h. */
#include <math.h>

#include "reference.h"

static double merged(tr_merge merge, double a, double b)
{
    switch (merge) {
    case TR_MERGE_PRODUCT:
        return a * b;
    case TR_MERGE_MAXIMUM:
        return isnan(a) || a >= b ? a : b;
    default:
        return a + b;
    }
}

int64_t tr_reference_merge(const tr_merging *merging, const tr_tensor *const *srcs, int n,
                           tr_tensor *dst)
{
    for (int64_t i = 0; i < tr_tensor_elements(dst); i++) {
        double value = srcs[0]->values[i], scale = fabs(value);
        for (int k = 1; k < n; k++) {
            value = merged(merging->merge, value, srcs[k]->values[i]);
            scale = merged(merging->merge, scale, fabs(srcs[k]->values[i]));
        }
        dst->values[i] = value / merging->divisor;
        dst->scale[i] = merging->merge == TR_MERGE_MAXIMUM ? 0.0 : scale / merging->divisor;
    }
    return n;
}

int64_t tr_reference_maximum_backward(int64_t part, const tr_tensor *const *srcs, int n,
                                      const tr_tensor *diff_dst, tr_tensor *diff_src)
{
    for (int64_t i = 0; i < tr_tensor_elements(diff_src); i++) {
        double best = srcs[0]->values[i];
        int winner = 0;
        for (int k = 1; k < n; k++) {
            winner = best >= srcs[k]->values[i] ? winner : k;
            best = merged(TR_MERGE_MAXIMUM, best, srcs[k]->values[i]);
        }
        diff_src->values[i] = winner == part ? diff_dst->values[i] : 0.0;
        diff_src->scale[i] = 0.0;
    }
    return 1;
}

/* Copies `n` channels, from number `a` of src on to number `b` of dst on. */
static void copy_channels(const tr_tensor *src, int64_t a, tr_tensor *dst, int64_t b, int64_t n)
{
    const int64_t image = src->dims[2] * src->dims[3];
    for (int64_t i = 0; i < src->dims[0]; i++)
        for (int64_t k = 0; k < n * image; k++) {
            const int64_t to = (i * dst->dims[1] + b) * image + k;
            dst->values[to] = src->values[(i * src->dims[1] + a) * image + k];
            dst->scale[to] = 0.0;
        }
}

int64_t tr_reference_concatenate_forward(const tr_tensor *const *srcs, int n, tr_tensor *dst)
{
    int64_t first = 0;
    for (int k = 0; k < n; first += srcs[k++]->dims[1])
        copy_channels(srcs[k], 0, dst, first, srcs[k]->dims[1]);
    return 1;
}

int64_t tr_reference_concatenate_backward(int64_t first, const tr_tensor *diff_dst,
                                          tr_tensor *diff_src)
{
    copy_channels(diff_dst, first, diff_src, 0, diff_src->dims[1]);
    return 1;
}
