/* normalization.c -- each channel shifted and scaled, in plain C; see normalization.h.
 *
 *     dst = f((src - mean) * scale + shift)
 *     diff_src = scale d - offset - (src - mean) slope
 *
 * The mean is taken off first, so that a channel far from 0 loses no digits. With constants
 * (inference, frozen layers) the factors are made anew for each micro-batch: a square root per
 * channel, against all its pixels. Runs straight through channels-last images and those with blocks
 * of channels, whose padding stays 0; others are copied into Keras's order first.
 */
#include "normalization.h"

#include <math.h>
#include <string.h>

#include "mem.h"
#include "simd.h"

/* ---- one pass over the pixels ---- */

typedef struct row_factors {
    const float *mean, *scale, *shift, *offset, *slope; /* of a row */
} row_factors;

TR_SIMD_CLONES
static void forward_rows(const float *restrict src, float *restrict dst, int64_t count,
                         int64_t step, int64_t run, const row_factors *by, tr_bounds bounds)
{
    const float *restrict mean = by->mean, *restrict scale = by->scale, *restrict shift = by->shift;
    for (int64_t p = 0; p < count; p++)
        for (int64_t k = 0; k < run; k++) {
            const float value = (src[p * step + k] - mean[k]) * scale[k] + shift[k];
            const float cut = value < bounds.low ? bounds.low : value;
            dst[p * step + k] = cut > bounds.high ? bounds.high : cut;
        }
}

TR_SIMD_CLONES
static void backward_rows(const float *restrict src, const float *restrict diff,
                          float *restrict dst, int64_t count, int64_t step, int64_t run,
                          const row_factors *by, tr_bounds bounds)
{
    const float *restrict mean = by->mean, *restrict scale = by->scale, *restrict shift = by->shift,
                          *restrict offset = by->offset, *restrict slope = by->slope;
    for (int64_t p = 0; p < count; p++)
        for (int64_t k = 0; k < run; k++) {
            const float off_mean = src[p * step + k] - mean[k];
            const float d =
                tr_passes(off_mean, scale[k], shift[k], bounds) ? diff[p * step + k] : 0.0f;
            dst[p * step + k] = (scale[k] * d - offset[k]) - off_mean * slope[k];
        }
}

typedef struct plan {
    tr_walk walk;
    tr_bounds bounds; /* of the result */
    bool backward;
    /* With constants: */
    double epsilon, least;
    const tr_scaling *scaling;       /* or NULL */
    bool shifts;                     /* forward: not the scale alone */
    int gamma, beta, mean, variance; /* their numbers among the arguments, -1: absent */
} plan;

/* Where the values of a pass are; memory of the tensors' type. */
typedef struct pass {
    const void *src, *diff; /* diff: of backward */
    void *dst;
    row_factors by;
    float *room; /* three times tr_walk_room() */
} pass;

static void run_block(const plan *self, const pass *at, int64_t begin, int64_t first, int64_t count)
{
    const tr_walk *walk = &self->walk;
    const tr_pixels *pixels = &walk->at;
    const int64_t room = tr_walk_room(walk), run = pixels->run;
    const tr_pixel_block src = tr_pixels_read(at->src, pixels, begin, first, count, at->room);
    const int64_t to = begin + first * pixels->step_pixel;
    float *dst = room == 0 ? (float *)at->dst + to : at->room + room;
    const tr_rows rows = tr_rows_of(walk, &src);
    const int64_t wide = walk->abreast * run, done = rows.wide * wide;
    if (self->backward) {
        const tr_pixel_block diff =
            tr_pixels_read(at->diff, pixels, begin, first, count, at->room + 2 * room);
        backward_rows(src.values, diff.values, dst, rows.wide, wide, wide, &at->by, self->bounds);
        backward_rows(src.values + done, diff.values + done, dst + done, rows.rest, src.step, run,
                      &at->by, self->bounds);
    } else {
        forward_rows(src.values, dst, rows.wide, wide, wide, &at->by, self->bounds);
        forward_rows(src.values + done, dst + done, rows.rest, src.step, run, &at->by,
                     self->bounds);
    }
    if (room == 0)
        return;
    const bool dense = pixels->step_pixel == run;
    for (int64_t p = 0; p < (dense ? 1 : count); p++)
        tr_pixels_write(dst + p * run, dense ? count * run : run, pixels->type,
                        tr_element(at->dst, pixels->type, to + p * pixels->step_pixel));
}

/* The factors of a run, row by row. */
static row_factors factors_of(const tr_walk *walk, const float *forward, const float *backward,
                              int64_t r, float *room)
{
    const int64_t at = r * walk->at.run, row = tr_row_room(walk), padded = walk->padded;
    row_factors by = {.mean = tr_row(walk, forward + TR_MEAN * padded + at, room),
                      .scale = tr_row(walk, forward + TR_SCALE * padded + at, room + row),
                      .shift = tr_row(walk, forward + TR_SHIFT * padded + at, room + 2 * row)};
    if (backward == NULL)
        return by;
    by.offset = tr_row(walk, backward + TR_OFFSET * padded + at, room + 3 * row);
    by.slope = tr_row(walk, backward + TR_SLOPE * padded + at, room + 4 * row);
    return by;
}

enum { N_ROWS = 5, N_ROOMS = 3 };

static int64_t pass_room(const tr_walk *walk)
{
    return N_ROOMS * tr_walk_room(walk) + N_ROWS * tr_row_room(walk);
}

/* Over the first `limit` samples. */
static void run_pass(const plan *self, pass *at, const float *forward, const float *backward,
                     int64_t limit)
{
    const tr_walk *walk = &self->walk;
    const int64_t block = tr_walk_block(walk);
    float *rows = at->room + N_ROOMS * tr_walk_room(walk);
    for (int64_t g = 0; g < walk->sharing.n_groups; g++) {
        int64_t first;
        const int64_t samples = tr_walk_samples(walk, g, limit, &first);
        for (int64_t r = 0; samples > 0 && r < walk->at.n_runs; r++) {
            at->by = factors_of(
                walk, forward + g * TR_N_FACTORS * walk->padded,
                backward == NULL ? NULL : backward + g * TR_N_BACK_FACTORS * walk->padded, r, rows);
            for (int64_t i = 0; i < tr_walk_strips(walk, samples); i++) {
                const tr_strip strip = tr_walk_strip(walk, first, samples, r, i);
                for (int64_t p = 0; p < strip.count; p += block)
                    run_block(self, at, strip.begin, p,
                              strip.count - p < block ? strip.count - p : block);
            }
        }
    }
}

/* ---- with measured factors ---- */

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    pass at = {.src = data[0], .dst = data[1], .room = scratch};
    run_pass(self, &at, data[2], NULL, self->walk.n_samples);
}

static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    const plan *self = plan_;
    pass at = {.src = data[0], .diff = data[1], .dst = data[2], .room = scratch};
    run_pass(self, &at, data[3], data[4], draw->n);
    tr_walk_clear(&self->walk, data[2], draw->n);
}

static plan *new_plan(const tr_walk *walk, tr_activation f, bool backward)
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    *self = (plan){.walk = *walk, .backward = backward};
    tr_activation_cuts(f, &self->bounds);
    return self;
}

static tr_meaning meaning_of(const tr_walk *walk, tr_activation f, tr_direction direction)
{
    return (tr_meaning){.kind = TR_KIND_APPLICATION,
                        .direction = direction,
                        .activation = f,
                        .sharing = walk->sharing};
}

tr_status tr_apply_forward(tr_program *program, const tr_walk *walk, tr_activation f, tr_value src,
                           tr_value factors, tr_value *dst, tr_error *err)
{
    const tr_value out = tr_program_value(program, tr_program_layout(program, src));
    const tr_arg args[] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, out}, {DNNL_ARG_SRC_1, factors}};
    const tr_native native = {.run = run_forward,
                              .plan = new_plan(walk, f, false),
                              .scratch_bytes = (size_t)pass_room(walk) * sizeof(float),
                              .cheap = true};
    const tr_meaning meaning = meaning_of(walk, f, TR_DIR_FORWARD);
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 3, err));
    *dst = out;
    return TR_OK;
}

tr_status tr_apply_backward(tr_program *program, const tr_walk *walk, tr_activation f, tr_value src,
                            tr_value factors, tr_value diff_dst, tr_value back_factors,
                            tr_value *diff_src, tr_error *err)
{
    const tr_value out = tr_program_value(program, tr_program_layout(program, src));
    const tr_arg args[] = {{DNNL_ARG_SRC, src},
                           {DNNL_ARG_DIFF_DST, diff_dst},
                           {DNNL_ARG_DIFF_SRC, out},
                           {DNNL_ARG_SRC_1, factors},
                           {DNNL_ARG_SRC_2, back_factors}};
    const tr_native native = {.run = run_backward,
                              .plan = new_plan(walk, f, true),
                              .scratch_bytes = (size_t)pass_room(walk) * sizeof(float)};
    const tr_meaning meaning = meaning_of(walk, f, TR_DIR_BACKWARD_DATA);
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 5, err));
    *diff_src = out;
    return TR_OK;
}

/* ---- with constants ---- */

static float number_of(const tr_reals *numbers, int64_t channel)
{
    return (float)numbers->values[numbers->n == 1 ? 0 : channel];
}

/* Of numbers that the configuration gives. */
static void take_factors(const plan *self, float *factors)
{
    const int64_t padded = self->walk.padded;
    for (int64_t i = 0; i < self->walk.at.c; i++) {
        factors[TR_SCALE * padded + i] = number_of(&self->scaling->scale, i);
        if (!self->shifts)
            continue;
        factors[TR_MEAN * padded + i] = number_of(&self->scaling->mean, i);
        factors[TR_SHIFT * padded + i] = number_of(&self->scaling->offset, i);
    }
}

/* As forward factors of one group; in backward only the scale is not 0. */
static void make_factors(const plan *self, void *const *data, float *factors)
{
    const int64_t padded = self->walk.padded, c = self->walk.at.c;
    memset(factors, 0, (size_t)(TR_N_FACTORS * padded) * sizeof *factors);
    if (self->scaling != NULL) {
        take_factors(self, factors);
        return;
    }
    const float *gamma = self->gamma < 0 ? NULL : data[self->gamma];
    const float *variance = self->variance < 0 ? NULL : data[self->variance];
    for (int64_t i = 0; i < c; i++) {
        const double deviation = variance == NULL ? 1.0 : sqrt((double)variance[i] + self->epsilon);
        factors[TR_SCALE * padded + i] =
            (float)((gamma == NULL ? 1.0 : (double)gamma[i]) /
                    (deviation < self->least ? self->least : deviation));
    }
    if (self->mean >= 0)
        memcpy(factors + TR_MEAN * padded, data[self->mean], (size_t)c * sizeof *factors);
    if (self->beta >= 0)
        memcpy(factors + TR_SHIFT * padded, data[self->beta], (size_t)c * sizeof *factors);
}

static void run_constant(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    pass at = {.src = data[0],
               .dst = data[1],
               .room = (float *)scratch + TR_N_FACTORS * self->walk.padded};
    make_factors(self, data, scratch);
    run_pass(self, &at, scratch, NULL, self->walk.n_samples);
}

static tr_status add(tr_program *program, const tr_normalization *with, tr_direction direction,
                     tr_value src, tr_value *dst, tr_error *err)
{
    const bool forward = direction == TR_DIR_FORWARD;
    const tr_activation f = forward ? with->fused : TR_NOTHING_FUSED;
    tr_pixels at;
    TR_TRY(tr_pixels_walkable(program, &src, &at, err));
    const tr_walk walk = tr_walk_of(&at, at.n, 1);
    const tr_value out = tr_program_value(program, tr_program_layout(program, src));
    tr_arg args[TR_MAX_ARGS] = {{forward ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST, src},
                                {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC, out}};
    int n_args = 2;
    plan *self = new_plan(&walk, f, false);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    self->epsilon = with->epsilon;
    self->least = with->least;
    self->scaling = with->scaling;
    self->shifts = forward;
    self->gamma = tr_add_vector_arg(program, with->gamma, DNNL_ARG_SCALE, args, &n_args);
    self->variance = tr_add_vector_arg(program, with->variance, DNNL_ARG_VARIANCE, args, &n_args);
    self->mean = self->beta = -1;
    if (forward) {
        self->mean = tr_add_vector_arg(program, with->mean, DNNL_ARG_MEAN, args, &n_args);
        self->beta = tr_add_vector_arg(program, with->beta, DNNL_ARG_SHIFT, args, &n_args);
    }
    const tr_native native = {
        .run = run_constant,
        .plan = self,
        .scratch_bytes = (size_t)(TR_N_FACTORS * walk.padded + pass_room(&walk)) * sizeof(float),
        .cheap = forward};
    const tr_meaning meaning = {.kind = TR_KIND_NORMALIZATION,
                                .direction = direction,
                                .activation = f,
                                .epsilon = with->epsilon,
                                .least = with->least,
                                .scaling = with->scaling};
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, n_args, err));
    *dst = out;
    return TR_OK;
}

bool tr_normalization_fuses(tr_activation activation)
{
    tr_bounds bounds;
    return tr_activation_cuts(activation, &bounds);
}

tr_status tr_normalize_forward(tr_program *program, const tr_normalization *with, tr_value src,
                               tr_value *dst, tr_error *err)
{
    return add(program, with, TR_DIR_FORWARD, src, dst, err);
}

tr_status tr_normalize_backward(tr_program *program, const tr_normalization *with,
                                tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    return add(program, with, TR_DIR_BACKWARD_DATA, diff_dst, diff_src, err);
}
