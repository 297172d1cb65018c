/* depthwise.h -- what the files of depthwise convolutions share. */
#ifndef TR_DEPTHWISE_H
#define TR_DEPTHWISE_H

#include "set.h"
#include "vector.h"

/* Columns of a result, [first, end): those whose whole window lies within a source of `in`. */
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

/* With a multiplier, the source has each channel as often as it has results. */
TR_INLINE void tr_depthwise_repeat(const float *src, int64_t count, int64_t multiplier, float *dst)
{
    for (int64_t i = 0; i < count; i++)
        for (int64_t k = 0; k < multiplier; k++)
            *dst++ = src[i];
}

/* ---- depthwise_row.c ---- */

/* Results in a row that see the same taps of the kernel: the first one `size` pixels from `src` on,
 * the next `stride` pixels further, and likewise in `rows` rows. All pitches are in floats. */
typedef struct tr_depthwise_run {
    int64_t count, size, stride, rows;
    const float *src;
    int64_t src_pixel, src_row;
    const float *packed;
    int64_t packed_tap, packed_row;
    const float *bias; /* NULL: none */
    float *dst;
    int64_t dst_pixel;
} tr_depthwise_run;

/* Whether there are blocks for such runs. */
bool TR_OF_SET(tr_depthwise_has)(int64_t size, int64_t stride);
void TR_OF_SET(tr_depthwise_row)(const tr_depthwise_run *run, int64_t channels);

/* ---- depthwise_weights.c, see kernels.h ---- */

size_t TR_OF_SET(tr_depthwise_weights_scratch)(const tr_window_sizes *sizes);
void TR_OF_SET(tr_depthwise_weights)(const tr_window_sizes *sizes, const float *src,
                                     const float *diff_dst, float *diff_kernel, float *diff_bias,
                                     void *scratch);

#endif
