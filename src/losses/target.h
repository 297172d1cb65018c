/* target.h -- what a network is to say about a sample, in the two forms that a dataset has it.
 *
 * A loss and a metric see one micro-batch: plain, contiguous predictions and the targets. Class
 * numbers stand for the one-hot vector, so that a dataset of integers costs four bytes a sample
 * whatever the number of classes.
 */
#ifndef TR_TARGET_H
#define TR_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trainer/dataset.h"

/* Exactly one of `classes` and `values` is given; never both NULL where a loss is wanted. */
typedef struct tr_targets {
    const int32_t *classes; /* [n], each in [0, width) */
    const float *values;    /* [n, width] */
} tr_targets;

/* First maximum wins, as argmax does in NumPy and Keras. */
static inline int64_t tr_argmax(const float *row, int64_t n)
{
    int64_t best = 0;
    for (int64_t j = 1; j < n; j++)
        if (row[j] > row[best])
            best = j;
    return best;
}

/* Element j of sample i's target. */
static inline double tr_target_at(const tr_targets *targets, int64_t i, int64_t j, int64_t width)
{
    if (targets->classes != NULL)
        return targets->classes[i] == j ? 1.0 : 0.0;
    return (double)targets->values[i * width + j];
}

/* The class of sample i: its number, or the largest of its values. */
static inline int64_t tr_target_class(const tr_targets *targets, int64_t i, int64_t width)
{
    return targets->classes != NULL ? targets->classes[i]
                                    : tr_argmax(targets->values + i * width, width);
}

#endif
