/* channel_sums.c -- see channel_sums.h.
 *
 * The sum of squares of a channel far from 0 says nothing about its variance, in float32. So sums
 * are of what is left when the channel's first pixel is taken off, eight at a time in float32, the
 * rest in double; and only there they become sums of what was read. The order is fixed.
 */
#include "channel_sums.h"

#include <string.h>

#include "mem.h"
#include "simd.h"

/* ---- rows ---- */

enum { TREE = 8 };

#define TR_TREE(of)                                                                                \
    ((double)(((of(0) + of(1)) + (of(2) + of(3))) + ((of(4) + of(5)) + (of(6) + of(7)))))

TR_SIMD_CLONES
static void add_forward(const float *restrict src, int64_t count, int64_t step, int64_t run,
                        const float *restrict from, double *restrict sums, double *restrict squares)
{
    int64_t p = 0;
#define OFF(i) (src[(p + (i)) * step + k] - from[k])
#define SQUARE(i) (OFF(i) * OFF(i))
    for (; p + TREE <= count; p += TREE)
        for (int64_t k = 0; k < run; k++) {
            sums[k] += TR_TREE(OFF);
            squares[k] += TR_TREE(SQUARE);
        }
    for (; p < count; p++)
        for (int64_t k = 0; k < run; k++) {
            const double off = (double)OFF(0);
            sums[k] += off;
            squares[k] += off * off;
        }
#undef OFF
#undef SQUARE
}

typedef struct factors {
    const float *mean, *scale, *shift; /* of a row */
} factors;

TR_SIMD_CLONES
static void add_backward(const float *restrict src, const float *restrict diff, int64_t count,
                         int64_t step, int64_t run, const factors *by, tr_bounds bounds,
                         double *restrict sums, double *restrict products)
{
    const float *restrict mean = by->mean, *restrict scale = by->scale, *restrict shift = by->shift;
    int64_t p = 0;
#define OFF(i) (src[(p + (i)) * step + k] - mean[k])
#define D(i) (tr_passes(OFF(i), scale[k], shift[k], bounds) ? diff[(p + (i)) * step + k] : 0.0f)
#define PRODUCT(i) (D(i) * OFF(i))
    for (; p + TREE <= count; p += TREE)
        for (int64_t k = 0; k < run; k++) {
            sums[k] += TR_TREE(D);
            products[k] += TR_TREE(PRODUCT);
        }
    for (; p < count; p++)
        for (int64_t k = 0; k < run; k++) {
            sums[k] += (double)D(0);
            products[k] += (double)D(0) * (double)OFF(0);
        }
#undef OFF
#undef D
#undef PRODUCT
}

/* ---- a run of a group ---- */

typedef struct plan {
    tr_walk walk;
    tr_bounds bounds;
    int gamma, beta; /* numbers of their gradients among the arguments, -1: absent */
} plan;

typedef struct pass {
    const void *src, *diff; /* diff: of backward, else NULL */
    factors by;             /* forward: mean is what is taken off */
    double *sums;           /* [2][abreast * run] */
    float *rows, *room;
} pass;

static void add_block(const plan *self, const pass *at, int64_t begin, int64_t first, int64_t count)
{
    const tr_walk *walk = &self->walk;
    const int64_t run = walk->at.run, wide = walk->abreast * run;
    const tr_pixel_block src = tr_pixels_read(at->src, &walk->at, begin, first, count, at->room);
    const tr_rows rows = tr_rows_of(walk, &src);
    const int64_t done = rows.wide * wide;
    double *sums = at->sums, *products = at->sums + wide;
    if (at->diff == NULL) {
        add_forward(src.values, rows.wide, wide, wide, at->by.mean, sums, products);
        add_forward(src.values + done, rows.rest, src.step, run, at->by.mean, sums, products);
        return;
    }
    const tr_pixel_block diff =
        tr_pixels_read(at->diff, &walk->at, begin, first, count, at->room + tr_walk_room(walk));
    add_backward(src.values, diff.values, rows.wide, wide, wide, &at->by, self->bounds, sums,
                 products);
    add_backward(src.values + done, diff.values + done, rows.rest, src.step, run, &at->by,
                 self->bounds, sums, products);
}

/* Both sums of each channel, in the first `run` of each half. */
static void add_run(const plan *self, const pass *at, int64_t first, int64_t samples, int64_t r)
{
    const tr_walk *walk = &self->walk;
    const int64_t run = walk->at.run, wide = walk->abreast * run, block = tr_walk_block(walk);
    memset(at->sums, 0, (size_t)(2 * wide) * sizeof *at->sums);
    for (int64_t i = 0; i < tr_walk_strips(walk, samples); i++) {
        const tr_strip strip = tr_walk_strip(walk, first, samples, r, i);
        for (int64_t p = 0; p < strip.count; p += block)
            add_block(self, at, strip.begin, p, strip.count - p < block ? strip.count - p : block);
    }
    for (int64_t half = 0; half < 2; half++)
        for (int64_t k = run; k < wide; k++)
            at->sums[half * wide + k % run] += at->sums[half * wide + k];
}

/* Channels of run r that are none of its padding. */
static int64_t channels_of(const tr_walk *walk, int64_t r)
{
    const int64_t left = walk->at.c - r * walk->at.run;
    return left < walk->at.run ? left : walk->at.run;
}

static pass new_pass(const plan *self, const void *src, const void *diff, void *scratch)
{
    const int64_t wide = tr_row_room(&self->walk);
    pass at = {.src = src, .diff = diff, .sums = scratch};
    at.rows = (float *)(at.sums + 2 * wide);
    at.room = at.rows + 3 * wide;
    return at;
}

static size_t scratch_of(const tr_walk *walk)
{
    const int64_t wide = tr_row_room(walk);
    return (size_t)(2 * wide) * sizeof(double) +
           (size_t)(3 * wide + 2 * tr_walk_room(walk)) * sizeof(float);
}

/* ---- forward ---- */

/* What was taken off comes back: sum x = sum (x - from) + n from; and of x^2. */
static void restore(const double *off, const double *off_squares, const float *from, double n,
                    int64_t count, double *sums, double *squares)
{
    for (int64_t k = 0; k < count; k++) {
        const double x = (double)from[k];
        sums[k] = off[k] + n * x;
        squares[k] = off_squares[k] + x * (2.0 * off[k] + n * x);
    }
}

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    const plan *self = plan_;
    const tr_walk *walk = &self->walk;
    const int64_t c = walk->at.c, run = walk->at.run, wide = tr_row_room(walk);
    pass at = new_pass(self, data[0], NULL, scratch);
    double *to = data[1];
    for (int64_t g = 0; g < walk->sharing.n_groups; g++, to += tr_forward_sums(c)) {
        int64_t first;
        const int64_t samples = tr_walk_samples(walk, g, draw->n, &first);
        to[0] = (double)(samples * walk->sharing.n_pixels);
        if (samples == 0)
            memset(to, 0, (size_t)tr_forward_sums(c) * sizeof *to);
        for (int64_t r = 0; samples > 0 && r < walk->at.n_runs; r++) {
            const tr_pixel_block pixel =
                tr_pixels_read(data[0], &walk->at,
                               first * walk->at.step_sample + r * walk->at.step_run, 0, 1, at.room);
            memcpy(at.rows + wide, pixel.values, (size_t)run * sizeof(float));
            at.by.mean = tr_row(walk, at.rows + wide, at.rows);
            add_run(self, &at, first, samples, r);
            restore(at.sums, at.sums + wide, at.by.mean, to[0], channels_of(walk, r),
                    to + 1 + r * run, to + 1 + c + r * run);
        }
    }
}

/* ---- backward ---- */

static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    const plan *self = plan_;
    const tr_walk *walk = &self->walk;
    const int64_t c = walk->at.c, run = walk->at.run, wide = tr_row_room(walk);
    pass at = new_pass(self, data[0], data[1], scratch);
    double *to = data[3];
    for (int64_t g = 0; g < walk->sharing.n_groups; g++, to += tr_backward_sums(c)) {
        const float *of_group = (const float *)data[2] + g * TR_N_FACTORS * walk->padded;
        int64_t first;
        const int64_t samples = tr_walk_samples(walk, g, draw->n, &first);
        if (samples == 0)
            memset(to, 0, (size_t)tr_backward_sums(c) * sizeof *to);
        for (int64_t r = 0; samples > 0 && r < walk->at.n_runs; r++) {
            const float *of_run = of_group + r * run;
            at.by.mean = tr_row(walk, of_run + TR_MEAN * walk->padded, at.rows);
            at.by.scale = tr_row(walk, of_run + TR_SCALE * walk->padded, at.rows + wide);
            at.by.shift = tr_row(walk, of_run + TR_SHIFT * walk->padded, at.rows + 2 * wide);
            add_run(self, &at, first, samples, r);
            for (int64_t k = 0; k < channels_of(walk, r); k++) {
                const double lost = (double)of_run[TR_LOST * walk->padded + k];
                to[r * run + k] = at.sums[k];
                to[c + r * run + k] = (at.sums[wide + k] - lost * at.sums[k]) *
                                      (double)of_run[TR_RECIPROCAL * walk->padded + k];
            }
        }
    }
}

/* half 0: diff_beta; 1: diff_gamma. */
static void add_groups(const tr_walk *walk, const double *sums, int half, float *gradient)
{
    const int64_t c = walk->at.c;
    for (int64_t k = 0; k < c; k++) {
        double sum = 0.0;
        for (int64_t g = 0; g < walk->sharing.n_groups; g++)
            sum += sums[g * tr_backward_sums(c) + half * c + k];
        gradient[k] = (float)sum;
    }
}

static void run_backward_weights(const void *plan_, const tr_draw *draw, void *const *data,
                                 void *scratch)
{
    const plan *self = plan_;
    run_backward(plan_, draw, data, scratch);
    if (self->gamma >= 0)
        add_groups(&self->walk, data[3], 1, data[self->gamma]);
    if (self->beta >= 0)
        add_groups(&self->walk, data[3], 0, data[self->beta]);
}

/* ---- planning ---- */

static plan *new_plan(const tr_walk *walk, tr_activation f)
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    *self = (plan){.walk = *walk, .gamma = -1, .beta = -1};
    tr_activation_cuts(f, &self->bounds);
    return self;
}

tr_status tr_sum_forward(tr_program *program, const tr_walk *walk, tr_value src, tr_value sums,
                         tr_error *err)
{
    const tr_native native = {.run = run_forward,
                              .plan = new_plan(walk, TR_NOTHING_FUSED),
                              .scratch_bytes = scratch_of(walk)};
    const tr_arg args[] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, sums}};
    const tr_meaning meaning = {
        .kind = TR_KIND_SUMS, .direction = TR_DIR_FORWARD, .sharing = walk->sharing};
    return tr_program_add_native(program, &native, &meaning, args, 2, err);
}

tr_status tr_sum_backward(tr_program *program, const tr_walk *walk, tr_activation f, tr_value src,
                          tr_value by, tr_value diff_dst, tr_value sums, const tr_param *gamma,
                          const tr_param *beta, tr_error *err)
{
    plan *self = new_plan(walk, f);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    tr_arg args[TR_MAX_ARGS] = {{DNNL_ARG_SRC, src},
                                {DNNL_ARG_DIFF_DST, diff_dst},
                                {DNNL_ARG_SRC_1, by},
                                {DNNL_ARG_DIFF_SRC_1, sums}};
    int n_args = 4;
    self->gamma = tr_add_gradient_arg(program, gamma, DNNL_ARG_DIFF_SCALE, args, &n_args);
    self->beta = tr_add_gradient_arg(program, beta, DNNL_ARG_DIFF_SHIFT, args, &n_args);
    const tr_native native = {
        .run = run_backward_weights, .plan = self, .scratch_bytes = scratch_of(walk)};
    const tr_meaning meaning = {.kind = TR_KIND_SUMS,
                                .direction = TR_DIR_BACKWARD_WEIGHTS,
                                .activation = f,
                                .sharing = walk->sharing};
    return tr_program_add_native(program, &native, &meaning, args, n_args, err);
}
