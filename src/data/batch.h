/* batch.h -- gather + scale: the first stop of the walk of an image. */
#ifndef TR_BATCH_H
#define TR_BATCH_H

#include <stdint.h>

#include "trainer/dataset.h"

/* dst[i,h,w,c] = (float)x[index[i],h,w,c] * num / den for i < n, zero for n <= i < n_padded.
 * In float32 and in that order, so that scale = 1/255 gives exactly NumPy's x.astype(float32)/255.
 * dst is [n_padded, h, w, c], 64-byte aligned. Hot: no allocation, no check. */
void tr_batch_gather(float *dst, const tr_samples *samples, const uint32_t *index, int64_t n,
                     int64_t n_padded, float num, float den);

/* The targets of the same samples, in the form that the dataset has: y [n], values [n, width]. */
void tr_batch_classes(int32_t *y, const tr_samples *samples, const uint32_t *index, int64_t n);
void tr_batch_weights(float *weights, const tr_samples *samples, const uint32_t *index, int64_t n);
void tr_batch_values(float *values, const tr_samples *samples, const uint32_t *index, int64_t n);

#endif
