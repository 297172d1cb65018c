/* pixels.h -- a tensor's pixels in whatever layout, and their sums, for native operations. For
 * src/dnn only.
 *
 * Sums over pixels are what a running float32 sum gets wrong: K equal terms err by up to K 2^-24 of
 * the result (measured: 1e-2 for a million), because each addition rounds to the size of the sum so
 * far. Here eight pixels are added in float32, in a tree, and the rest in double: the error stays
 * below 4 roundings of float32, 2.4e-7, for any K that fits in memory. The order is fixed.
 */
#ifndef TR_PIXELS_H
#define TR_PIXELS_H

#include "program_internal.h"

/* n samples; in each, n_runs times `run` neighbouring channels (the last run may have padding), of
 * h x w evenly spaced pixels. Steps in elements. */
typedef struct tr_pixels {
    int64_t n, c, h, w, n_runs, run;
    int64_t step_sample, step_run, step_pixel;
    int64_t n_memory; /* elements of all samples, padding included */
    tr_precision type;
} tr_pixels;

/* False: the layout is of another kind than n h w c, n c h w, n c and those with one block of
 * channels. */
bool tr_pixels_of(tr_layout layout, tr_pixels *pixels);

/* The value itself where it can be walked so, else a copy in Keras's order; and its pixels. */
tr_status tr_pixels_walkable(tr_program *program, tr_value *value, tr_pixels *pixels,
                             tr_error *err);

/* Adds `count` pixels of `run` channels each, `step` elements apart, to sums[run]. `src` points to
 * numbers of `type`. */
void tr_pixels_add(const void *src, tr_precision type, int64_t count, int64_t step, int64_t run,
                   double *sums);

/* Adds `share` of each of the `run` channels of one pixel to sums[run]. */
void tr_pixels_add_share(const void *src, tr_precision type, int64_t run, double share,
                         double *sums);

/* `count` pixels of one run, as float32: in place, or converted into `room` [count * run]. */
typedef struct tr_pixel_block {
    const float *values;
    int64_t count, step;
} tr_pixel_block;

/* At most `count` pixels from number `first` on, of the run that begins at element `begin`. */
tr_pixel_block tr_pixels_read(const void *memory, const tr_pixels *at, int64_t begin, int64_t first,
                              int64_t count, float *room);

/* An address in a tensor's memory, `at` elements behind. */
static inline void *tr_element(const void *memory, tr_precision type, int64_t at)
{
    const size_t item = type == TR_FLOAT32 ? sizeof(float) : sizeof(uint16_t);
    return (unsigned char *)(uintptr_t)memory + (size_t)at * item;
}

/* Rounds `n` neighbouring numbers to `type`. */
void tr_pixels_store(const double *values, int64_t n, tr_precision type, void *dst);
void tr_pixels_write(const float *values, int64_t n, tr_precision type, void *dst);

/* sums[padded channels] over all samples and pixels: the gradient of a bias. `to`: (c) float32. */
tr_status tr_channel_sums(tr_program *program, tr_value src, tr_value to, tr_error *err);

#endif
