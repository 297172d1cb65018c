/* global_max.c -- the maximum of a channel over the whole image, in plain C; see pooling.h.
 *
 * As TensorFlow's reduce_max: a NaN anywhere is the maximum, and equal maxima share the gradient
 * equally, each gets diff / (their number). Which pixels they are is found again in backward, from
 * source and result, so nothing is remembered.
 */
#include <math.h>
#include <string.h>

#include "mem.h"
#include "pooling.h"
#include "simd.h"

typedef struct plan {
    tr_pixels large, small;
} plan;

/* Of `max` and `count` pixels of `run` channels each. A comparison with a NaN is false on either
 * side. */
TR_SIMD_CLONES
static void maximum(const float *restrict src, int64_t count, int64_t step, int64_t run,
                    float *restrict max)
{
    for (int64_t p = 0; p < count; p++)
        for (int64_t k = 0; k < run; k++) {
            const float x = src[p * step + k];
            max[k] = max[k] >= x || max[k] != max[k] ? max[k] : x;
        }
}

TR_SIMD_CLONES
static void count_maxima(const float *restrict src, int64_t count, int64_t step, int64_t run,
                         const float *restrict max, int32_t *restrict maxima)
{
    for (int64_t p = 0; p < count; p++)
        for (int64_t k = 0; k < run; k++)
            maxima[k] += src[p * step + k] == max[k];
}

/* `out` is dense. Where there is no maximum, because it is NaN, the share is no number either. */
TR_SIMD_CLONES
static void spread(const float *restrict src, int64_t count, int64_t step, int64_t run,
                   const float *restrict max, const float *restrict share, float *restrict out)
{
    for (int64_t p = 0; p < count; p++)
        for (int64_t k = 0; k < run; k++) {
            const float given = share[k];
            const float rest = given != given ? given : 0.0f;
            out[p * run + k] = src[p * step + k] == max[k] ? given : rest;
        }
}

/* ---- running: all runs of channels, block after block of pixels ---- */

enum { BLOCK = 64 }; /* pixels; fits in the first-level cache with most numbers of channels */

typedef struct rooms {
    float *max, *share; /* [run] */
    int32_t *maxima;    /* [run] */
    float *in, *out;    /* [BLOCK * run]: where the numbers are not float32 */
} rooms;

static size_t scratch_bytes(int64_t run)
{
    return (size_t)(3 * run + 2 * BLOCK * run) * sizeof(float);
}

static rooms rooms_in(void *scratch, int64_t run)
{
    float *at = scratch;
    return (rooms){.max = at,
                   .share = at + run,
                   .maxima = (int32_t *)(void *)(at + 2 * run),
                   .in = at + 3 * run,
                   .out = at + (3 + BLOCK) * run};
}

/* Where run r of sample n begins, in elements. */
static int64_t begin(const tr_pixels *at, int64_t i)
{
    return i / at->n_runs * at->step_sample + i % at->n_runs * at->step_run;
}

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    const tr_pixels *from = &self->large, *to = &self->small;
    const int64_t run = from->run, pixels = from->h * from->w;
    const rooms room = rooms_in(scratch, run);
    for (int64_t i = 0; i < from->n * from->n_runs; i++) {
        for (int64_t k = 0; k < run; k++)
            room.max[k] = -INFINITY;
        for (int64_t p = 0; p < pixels; p += BLOCK) {
            const tr_pixel_block block =
                tr_pixels_read(data[0], from, begin(from, i), p, BLOCK, room.in);
            maximum(block.values, block.count, block.step, run, room.max);
        }
        tr_pixels_write(room.max, run, to->type, tr_element(data[1], to->type, begin(to, i)));
    }
}

/* data: diff_dst, diff_src, src, dst */
static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    const tr_pixels *large = &self->large, *small = &self->small;
    const int64_t run = large->run, pixels = large->h * large->w;
    const rooms room = rooms_in(scratch, run);
    for (int64_t i = 0; i < large->n * large->n_runs; i++) {
        const tr_pixel_block max = tr_pixels_read(data[3], small, begin(small, i), 0, 1, room.max);
        memset(room.maxima, 0, (size_t)run * sizeof *room.maxima);
        for (int64_t p = 0; p < pixels; p += BLOCK) {
            const tr_pixel_block src =
                tr_pixels_read(data[2], large, begin(large, i), p, BLOCK, room.in);
            count_maxima(src.values, src.count, src.step, run, max.values, room.maxima);
        }
        const tr_pixel_block diff =
            tr_pixels_read(data[0], small, begin(small, i), 0, 1, room.share);
        for (int64_t k = 0; k < run; k++)
            room.share[k] = room.maxima[k] > 0 ? diff.values[k] / (float)room.maxima[k] : NAN;
        for (int64_t p = 0; p < pixels; p += BLOCK) {
            const tr_pixel_block src =
                tr_pixels_read(data[2], large, begin(large, i), p, BLOCK, room.in);
            spread(src.values, src.count, src.step, run, max.values, room.share, room.out);
            for (int64_t q = 0; q < src.count; q++)
                tr_pixels_write(room.out + q * run, run, large->type,
                                tr_element(data[1], large->type,
                                           begin(large, i) + (p + q) * large->step_pixel));
        }
    }
}

/* ---- planning ---- */

static tr_native native_of(const tr_pool_ends *ends, bool forward)
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self != NULL)
        *self = (plan){.large = ends->of_large, .small = ends->of_small};
    return (tr_native){.run = forward ? run_forward : run_backward,
                       .plan = self,
                       .scratch_bytes = scratch_bytes(ends->of_large.run)};
}

tr_status tr_global_max_forward(tr_program *program, const tr_geometry *geometry,
                                const tr_pool_ends *ends, tr_error *err)
{
    const tr_native native = native_of(ends, true);
    const tr_arg args[] = {{DNNL_ARG_SRC, ends->large}, {DNNL_ARG_DST, ends->small}};
    const tr_meaning meaning = {
        .kind = TR_KIND_GLOBAL_MAX, .direction = TR_DIR_FORWARD, .geometry = *geometry};
    return tr_program_add_native(program, &native, &meaning, args, 2, err);
}

tr_status tr_global_max_backward(tr_program *program, const tr_geometry *geometry, tr_value src,
                                 tr_value dst, const tr_pool_ends *diff, tr_error *err)
{
    const tr_native native = native_of(diff, false);
    const tr_arg args[] = {{DNNL_ARG_DIFF_DST, diff->small},
                           {DNNL_ARG_DIFF_SRC, diff->large},
                           {DNNL_ARG_SRC, src},
                           {DNNL_ARG_DST, dst}};
    const tr_meaning meaning = {
        .kind = TR_KIND_GLOBAL_MAX, .direction = TR_DIR_BACKWARD_DATA, .geometry = *geometry};
    return tr_program_add_native(program, &native, &meaning, args, 4, err);
}
