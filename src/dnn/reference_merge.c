/* reference_merge.c -- merges and concatenations by definition; see reference.h. */
#include <math.h>
#include <string.h>

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

/* The element of a source that meets element i of the result: along an axis of 1 the only one. */
static int64_t meets(const tr_tensor *src, const tr_tensor *result, int64_t i)
{
    int64_t at = 0, place[4];
    for (int d = 3; d >= 0; i /= result->dims[d--])
        place[d] = i % result->dims[d];
    for (int d = 0; d < 4; d++)
        at = at * src->dims[d] + (src->dims[d] == 1 ? 0 : place[d]);
    return at;
}

static double value_at(const tr_tensor *src, const tr_tensor *result, int64_t i)
{
    return src->values[meets(src, result, i)];
}

int64_t tr_reference_merge(const tr_merging *merging, const tr_tensor *const *srcs, int n,
                           tr_tensor *dst)
{
    for (int64_t i = 0; i < tr_tensor_elements(dst); i++) {
        double value = value_at(srcs[0], dst, i), scale = fabs(value);
        for (int k = 1; k < n; k++) {
            const double next = value_at(srcs[k], dst, i);
            value = merged(merging->merge, value, next);
            scale = merged(merging->merge, scale, fabs(next));
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
        double best = value_at(srcs[0], diff_dst, i);
        int winner = 0;
        for (int k = 1; k < n; k++) {
            const double next = value_at(srcs[k], diff_dst, i);
            winner = best >= next ? winner : k;
            best = merged(TR_MERGE_MAXIMUM, best, next);
        }
        diff_src->values[i] = winner == part ? diff_dst->values[i] : 0.0;
        diff_src->scale[i] = 0.0;
    }
    return 1;
}

int64_t tr_reference_repeated_sums(const tr_tensor *whole, tr_tensor *part)
{
    memset(part->values, 0, (size_t)tr_tensor_elements(part) * sizeof(double));
    memset(part->scale, 0, (size_t)tr_tensor_elements(part) * sizeof(double));
    for (int64_t i = 0; i < tr_tensor_elements(whole); i++) {
        part->values[meets(part, whole, i)] += whole->values[i];
        part->scale[meets(part, whole, i)] += fabs(whole->values[i]);
    }
    return 1; /* not a running sum: pixels.h */
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
