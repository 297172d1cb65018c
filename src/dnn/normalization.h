/* normalization.h -- what the files of normalizations share; for src/dnn only.
 *
 *     dst = f((src - mean) * scale + shift)        f: what cuts, or nothing
 *
 * Where mean and deviation are measured, three kinds of operations work together. SUMS go over
 * pixels and give doubles per channel; FACTORS make of them what is applied to each channel; an
 * APPLICATION is one pass over the pixels. Batch normalization of whole batches is cut between the
 * first two. Samples that share their factors are a group: all, some, or each by itself.
 *
 * Gradients, with xhat = (src - mean) / deviation and d = diff_dst * f', means over a group:
 *
 *     diff_gamma = sum d xhat, diff_beta = sum d
 *     diff_src = scale (d - mean(d) - xhat mean(d xhat)) = scale d - offset - (src - mean) slope
 */
#ifndef TR_NORMALIZATION_H
#define TR_NORMALIZATION_H

#include "pixels.h"

/* Factors of a group, `padded` floats each, one behind the other: forward, and backward. What the
 * mean lost when it was rounded to float32, which is much where a channel is far from 0, is in the
 * shift (and the offset) already; backward sums need it. */
enum { TR_MEAN, TR_SCALE, TR_SHIFT, TR_RECIPROCAL, TR_LOST, TR_N_FACTORS }; /* 1 / deviation */
enum { TR_OFFSET, TR_SLOPE, TR_N_BACK_FACTORS };

/* Doubles of a group. Forward: the number of pixels, then sums and sums of squares of c channels.
 * Backward: sums of d, then of d xhat. */
static inline int64_t tr_forward_sums(int64_t c)
{
    return 1 + 2 * c;
}
static inline int64_t tr_backward_sums(int64_t c)
{
    return 2 * c;
}

/* How a micro-batch is walked: group by group, run by run, in strips of evenly spaced pixels. */
typedef struct tr_walk {
    tr_pixels at; /* its h x w: the longest strip */
    tr_sharing sharing;
    int64_t n_samples; /* of the micro-batch */
    int64_t padded;    /* channels, padding included */
    int64_t abreast;   /* so many pixels of a run are taken for one where they are neighbours: few
                        * channels fill no vector */
} tr_walk;

/* `samples` and `channels` are measured together. */
tr_walk tr_walk_of(const tr_pixels *at, int64_t samples, int64_t channels);

/* Samples of a group among the first `limit` of the micro-batch: [*first, *first + result). */
int64_t tr_walk_samples(const tr_walk *walk, int64_t group, int64_t limit, int64_t *first);

/* In how many strips a run of so many samples lies; and strip i of run r from a sample on. */
typedef struct tr_strip {
    int64_t begin, count; /* first element; pixels */
} tr_strip;
int64_t tr_walk_strips(const tr_walk *walk, int64_t samples);
tr_strip tr_walk_strip(const tr_walk *walk, int64_t first, int64_t samples, int64_t r, int64_t i);

/* Pixels that are worked on at once: all that can be read in place, or few of a bfloat16 strip,
 * converted into room for so many floats. */
int64_t tr_walk_block(const tr_walk *walk);
int64_t tr_walk_room(const tr_walk *walk);

/* Values of a run's channels, repeated for pixels that are abreast: themselves, or in `room` of
 * tr_row_room() floats. */
int64_t tr_row_room(const tr_walk *walk);
const float *tr_row(const tr_walk *walk, const float *values, float *room);

/* A block of pixels as rows: `wide` of them abreast, `rest` of one pixel behind them. */
typedef struct tr_rows {
    int64_t wide, rest;
} tr_rows;
tr_rows tr_rows_of(const tr_walk *walk, const tr_pixel_block *block);

/* Whether f passes the gradient on. In float32, so that all who ask get the same answer; a NaN
 * stays one. */
static inline bool tr_passes(float off_mean, float scale, float shift, tr_bounds bounds)
{
    const float value = off_mean * scale + shift;
    return !(value <= bounds.low) & !(value >= bounds.high);
}

/* Sets samples from `first` on to 0. */
void tr_walk_clear(const tr_walk *walk, void *memory, int64_t first);

/* Appends a parameter to the arguments, if there is one, or its gradient, if it is trained; the
 * number among them, or -1. */
int tr_add_vector_arg(tr_program *program, tr_param *param, int role, tr_arg *args, int *n_args);
int tr_add_gradient_arg(tr_program *program, const tr_param *param, int role, tr_arg *args,
                        int *n_args);

/* The appended operations, each as a kind of its own. `factors`: a value of forward factors.
 * dst is marked cheap; diff_src is 0 for samples that are padding. */
tr_status tr_apply_forward(tr_program *program, const tr_walk *walk, tr_activation f, tr_value src,
                           tr_value factors, tr_value *dst, tr_error *err);
tr_status tr_apply_backward(tr_program *program, const tr_walk *walk, tr_activation f, tr_value src,
                            tr_value factors, tr_value diff_dst, tr_value back_factors,
                            tr_value *diff_src, tr_error *err);

#endif
