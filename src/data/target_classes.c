/* target_classes.c -- the classes that targets of 0 and 1 stand for: of one output no and yes, of
 * one-hot rows the hot place, of several yes-or-no questions each combination of answers.
 *
 * They are numbered as scikit-learn's stratify=y numbers them, which decides which samples a
 * stratified split takes: in the order of their rows, compared number by number from the left.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "trainer/dataset.h"

typedef struct rows {
    const float *values; /* [n, width] */
    int64_t width;
} rows;

static int compare(const rows *all, uint32_t a, uint32_t b)
{
    const float *x = all->values + a * all->width, *y = all->values + b * all->width;
    for (int64_t j = 0; j < all->width; j++)
        if (x[j] != y[j])
            return x[j] < y[j] ? -1 : 1;
    return 0;
}

static int by_row(const void *a, const void *b, void *all)
{
    return compare(all, *(const uint32_t *)a, *(const uint32_t *)b);
}

int64_t tr_targets_no_class(const tr_samples *samples)
{
    for (int64_t i = 0; i < samples->n * samples->width; i++)
        if (samples->values[i] != 0.0f && samples->values[i] != 1.0f)
            return i / samples->width;
    return -1;
}

tr_status tr_targets_classes(int32_t *classes, const tr_samples *samples, tr_error *err)
{
    rows all = {samples->values, samples->width};
    uint32_t *order = tr_alloc((size_t)samples->n, sizeof *order);
    if (order == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "out of memory");
    for (int64_t i = 0; i < samples->n; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, (size_t)samples->n, sizeof *order, by_row, &all);
    int32_t class = 0;
    for (int64_t i = 0; i < samples->n; i++) {
        class += i > 0 && compare(&all, order[i - 1], order[i]) != 0;
        classes[order[i]] = class;
    }
    tr_free(order);
    return TR_OK;
}
