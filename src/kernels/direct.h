/* direct.h -- what the three directions of a direct convolution share: the core, which computes
 * forward and backward data, the parts in which work is done, and copies with a border of zeros.
 */
#ifndef TR_DIRECT_H
#define TR_DIRECT_H

#include <string.h>

#include "set.h"
#include "vector.h"

/* ---- parts ---- */

/* Results that are computed at once, so that what they need stays in a cache: a rectangle of some
 * images. Either it has all columns, or a single row of a single image; it has several images only
 * with all their rows. So its pixels lie together. */
typedef struct tr_direct_part {
    int64_t image, images, row, rows, column, columns;
} tr_direct_part;

/* The largest part there is. About `pixels` of n images of h x w, cut evenly. */
TR_INLINE tr_direct_part tr_direct_largest(int64_t n, int64_t h, int64_t w, int64_t pixels)
{
    tr_direct_part part = {0, 1, 0, 1, 0, w};
    if (h * w <= pixels) {
        part.rows = h;
        part.images = pixels / (h * w) < n ? pixels / (h * w) : n;
    } else if (w <= pixels) {
        const int64_t parts = (h * w + pixels - 1) / pixels;
        part.rows = (h + parts - 1) / parts;
    } else {
        const int64_t parts = (w + pixels - 1) / pixels;
        part.columns = (w + parts - 1) / parts;
    }
    return part;
}

/* The part behind `part`, which began as the largest one; its `image` is n behind the last. */
TR_INLINE tr_direct_part tr_direct_next(tr_direct_part part, tr_direct_part largest, int64_t n,
                                        int64_t h, int64_t w)
{
    part.column += part.columns;
    if (part.column == w) {
        part.column = 0;
        part.row += part.rows;
    }
    if (part.row == h) {
        part.row = 0;
        part.image += part.images;
    }
    part.columns = largest.columns < w - part.column ? largest.columns : w - part.column;
    part.rows = largest.rows < h - part.row ? largest.rows : h - part.row;
    part.images = largest.images < n - part.image ? largest.images : n - part.image;
    return part;
}

/* What a part reads and writes; with the weights of some channels it fits a second level cache. */
enum { TR_DIRECT_PART_BYTES = 256 * 1024, TR_DIRECT_FEW_PIXELS = 16 };

TR_INLINE int64_t tr_direct_pixels(int64_t bytes_of_one)
{
    const int64_t pixels = TR_DIRECT_PART_BYTES / bytes_of_one;
    return pixels > TR_DIRECT_FEW_PIXELS ? pixels : TR_DIRECT_FEW_PIXELS;
}

/* Without a window, all pixels of a micro-batch are one long row. */
TR_INLINE bool tr_direct_is_row(const tr_window_sizes *s)
{
    return s->kh == 1 && s->kw == 1 && s->sh == 1 && s->sw == 1 && s->top == 0 && s->left == 0 &&
           s->oh == s->ih && s->ow == s->iw;
}

/* The same convolution, as one row where it is one. */
TR_INLINE tr_window_sizes tr_direct_as_row(tr_window_sizes s)
{
    if (tr_direct_is_row(&s)) {
        s.iw = s.ow = s.n * s.oh * s.ow;
        s.n = s.ih = s.oh = 1;
    }
    return s;
}

/* ---- blocks: sums that stay in registers ---- */

/* So many numbers at most go with so many vectors: all sums, the vectors and a number fit. */
enum { TR_DIRECT_VECTORS = 4, TR_DIRECT_MOST = 14 };
#if TR_REGISTERS == 32
static const int tr_direct_most[TR_DIRECT_VECTORS + 1] = {0, 14, 14, 8, 6};
#else
static const int tr_direct_most[TR_DIRECT_VECTORS + 1] = {0, 12, 6, 4, 3};
#endif

/* ---- the core ---- */

/* Part of a convolution without borders to the sides: every column that a window reaches is there.
 * Result row h reads the rows h * step - top + k of the source, 0 <= k < kernel_rows; those that
 * are none of its src_rows are left out. Of each row it reads `run` numbers in a row: the window's
 * columns with their channels. All pitches are in floats. */
typedef struct tr_direct_pass {
    const float *src;
    int64_t src_image, src_row, src_pixel; /* src_pixel: from what one result reads to the next's */
    int64_t src_rows, top, step, kernel_rows, run;
    float *dst;
    int64_t dst_image, dst_row, dst_pixel;
    int64_t images, rows, columns, channels; /* of the result */
    const float *packed;                     /* tr_direct_packed_at() */
    const float *bias;                       /* NULL: none */
    const tr_function *relu;                 /* of any slope; NULL: none */
    int vectors;                             /* tr_direct_vectors() */
} tr_direct_pass;

/* The chain of a result: bias, or 0; then for every row of the kernel that is there, and for every
 * number of the run: fma(number, weight, sum); then relu. */
void TR_OF_SET(tr_direct_compute)(const tr_direct_pass *pass);

/* How many vectors of channels a block has, where it adds `taps` products and numbers come in rows
 * of `columns`. Weights are packed once for all micro-batches, so neither must depend on the number
 * of images. */
enum { TR_DIRECT_LONG_ROW = 840 }; /* stands for that of tr_direct_as_row() */
int TR_OF_SET(tr_direct_vectors)(int64_t columns, int64_t channels, int64_t taps);

/* Where the packed weights of a channel begin, those of taps 0, 1 ... in `*pitch` apart: blocks of
 * `vectors` vectors of channels, the last with as many as it needs; in a block tap after tap. */
TR_INLINE int64_t tr_direct_packed_at(int64_t channel, int64_t channels, int64_t taps, int vectors,
                                      int64_t *pitch)
{
    const int64_t width = (int64_t)vectors * VL, first = channel / width * width,
                  left = (channels - first + VL - 1) / VL * VL;
    *pitch = left < width ? left : width;
    return first * taps + channel - first;
}

TR_INLINE int64_t tr_direct_packed_size(int64_t channels, int64_t taps)
{
    return (channels + VL - 1) / VL * VL * taps;
}

/* ---- the other directions, see kernels.h ---- */

size_t TR_OF_SET(tr_direct_data_packed)(const tr_window_sizes *sizes);
void TR_OF_SET(tr_direct_pack_data)(const tr_window_sizes *sizes, const float *kernel,
                                    float *packed);
size_t TR_OF_SET(tr_direct_data_scratch)(const tr_window_sizes *sizes);
void TR_OF_SET(tr_direct_data)(const tr_window_sizes *sizes, const float *diff_dst,
                               const float *packed, float *diff_src, void *scratch);
size_t TR_OF_SET(tr_direct_weights_scratch)(const tr_window_sizes *sizes);
void TR_OF_SET(tr_direct_weights)(const tr_window_sizes *sizes, const float *src,
                                  const float *diff_dst, float *diff_kernel, float *diff_bias,
                                  void *scratch);

/* Adds the sums of diff_dst over a part; the order is convolution_weights.c's. */
void TR_OF_SET(tr_direct_add_bias)(const tr_window_sizes *sizes, const tr_direct_part *part,
                                   const float *diff_dst, float *diff_bias);

/* ---- copies ---- */

/* Copies rows and columns of images of h x w x c; what lies outside of an image is 0. */
TR_INLINE void tr_direct_copy(const float *src, int64_t images, int64_t h, int64_t w, int64_t c,
                              int64_t row, int64_t rows, int64_t column, int64_t columns,
                              float *dst)
{
    const int64_t before = column < 0 ? (-column < columns ? -column : columns) : 0;
    const int64_t end = column + columns < w ? column + columns : w,
                  inside = end > column + before ? end - column - before : 0;
    for (int64_t image = 0; image < images; image++)
        for (int64_t r = row; r < row + rows; r++, dst += columns * c) {
            const int64_t there = r >= 0 && r < h ? inside : 0, skip = there > 0 ? before : 0;
            memset(dst, 0, (size_t)(skip * c) * sizeof *dst);
            if (there > 0)
                memcpy(dst + skip * c, src + ((image * h + r) * w + column + skip) * c,
                       (size_t)(there * c) * sizeof *dst);
            memset(dst + (skip + there) * c, 0,
                   (size_t)((columns - skip - there) * c) * sizeof *dst);
        }
}

#endif
