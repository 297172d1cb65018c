/* depthwise.h -- what the directions of a depthwise convolution share. */
#ifndef TR_DEPTHWISE_H
#define TR_DEPTHWISE_H

#include "set.h"
#include "vector.h"

/* Columns of a result whose whole window lies within a source of `in` columns: [first, end). */
typedef struct tr_columns {
    int64_t first, end;
} tr_columns;

TR_INLINE tr_columns tr_columns_within(int64_t in, int64_t out, int64_t kernel, int64_t stride,
                                       int64_t step, int64_t before)
{
    const int64_t room = in - 1 - (kernel - 1) * step + before; /* where the last may begin */
    tr_columns c = {before > 0 ? (before + stride - 1) / stride : 0,
                    room < 0 ? 0 : room / stride + 1};
    c.end = c.end < out ? c.end : out;
    c.first = c.first < c.end ? c.first : c.end;
    return c;
}

/* With a multiplier, the source has each channel as often as it has results: pixels of `channels`
 * become pixels of channels * multiplier. */
TR_INLINE void tr_depthwise_repeat(const float *src, int64_t count, int64_t multiplier, float *dst)
{
    for (int64_t i = 0; i < count; i++)
        for (int64_t k = 0; k < multiplier; k++)
            *dst++ = src[i];
}

size_t TR_OF_SET(tr_depthwise_weights_scratch)(const tr_window_sizes *sizes);
void TR_OF_SET(tr_depthwise_weights)(const tr_window_sizes *sizes, const float *src,
                                     const float *diff_dst, float *diff_kernel, float *diff_bias,
                                     void *scratch);

#endif
