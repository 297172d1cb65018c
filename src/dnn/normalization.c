/* normalization.c -- each channel shifted and scaled by constants, in plain C; see primitives.h.
 *
 *     dst = (src - mean) * gamma / sqrt(variance + epsilon) + beta
 *
 * The mean is taken off first, so that a channel far from 0 loses no digits. The factors are made
 * anew for each micro-batch: a square root per channel, against all its pixels. Runs straight
 * through channels-last images and those with blocks of channels, whose padding stays 0; others are
 * copied into Keras's order first.
 */
#include <math.h>
#include <string.h>

#include "bfloat16.h"
#include "mem.h"
#include "pixels.h"
#include "simd.h"

typedef struct plan {
    tr_pixels at;
    double epsilon;
    bool forward;                    /* else only the factor is applied */
    int gamma, beta, mean, variance; /* their numbers among the arguments, -1: absent */
} plan;

/* ---- running ---- */

/* Of each channel, padding included: what is taken off, the factor, what is added. */
typedef struct factors {
    float *mean, *scale, *beta;
} factors;

static factors make_factors(const plan *self, void *const *data, float *scratch)
{
    const int64_t padded = self->at.n_runs * self->at.run, c = self->at.c;
    const factors made = {scratch, scratch + padded, scratch + 2 * padded};
    const float *gamma = self->gamma < 0 ? NULL : data[self->gamma];
    const float *variance = data[self->variance];
    memset(scratch, 0, (size_t)(3 * padded) * sizeof *scratch);
    for (int64_t i = 0; i < c; i++)
        made.scale[i] = (float)((gamma == NULL ? 1.0 : (double)gamma[i]) /
                                sqrt((double)variance[i] + self->epsilon));
    if (self->forward)
        memcpy(made.mean, data[self->mean], (size_t)c * sizeof *made.mean);
    if (self->forward && self->beta >= 0)
        memcpy(made.beta, data[self->beta], (size_t)c * sizeof *made.beta);
    return made;
}

TR_SIMD_CLONES
static void apply_float32(const float *restrict src, float *restrict dst, const float *mean,
                          const float *scale, const float *beta, const tr_pixels *at)
{
    const int64_t run = at->run, step = at->step_pixel;
    for (int64_t p = 0; p < at->h * at->w; p++)
        for (int64_t k = 0; k < run; k++)
            dst[p * step + k] = (src[p * step + k] - mean[k]) * scale[k] + beta[k];
}

TR_SIMD_CLONES
static void apply_bfloat16(const uint16_t *restrict src, uint16_t *restrict dst, const float *mean,
                           const float *scale, const float *beta, const tr_pixels *at)
{
    const int64_t step = at->step_pixel;
    for (int64_t p = 0; p < at->h * at->w; p++)
        for (int64_t k = 0; k < at->run; k++) {
            const float value = tr_from_bfloat16(src[p * step + k]);
            dst[p * step + k] = tr_to_bfloat16((value - mean[k]) * scale[k] + beta[k]);
        }
}

static void run(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    const tr_pixels *at = &self->at;
    const factors with = make_factors(self, data, scratch);
    for (int64_t i = 0; i < at->n; i++)
        for (int64_t r = 0; r < at->n_runs; r++) {
            const int64_t first = i * at->step_sample + r * at->step_run, c = r * at->run;
            if (at->type == TR_FLOAT32)
                apply_float32((const float *)data[0] + first, (float *)data[1] + first,
                              with.mean + c, with.scale + c, with.beta + c, at);
            else
                apply_bfloat16((const uint16_t *)data[0] + first, (uint16_t *)data[1] + first,
                               with.mean + c, with.scale + c, with.beta + c, at);
        }
}

/* ---- planning ---- */

/* Appends the parameter, if there is one, to the arguments; its number among them, or -1. */
static int add_param(tr_program *program, tr_param *param, int role, tr_arg *args, int *n_args)
{
    if (param == NULL)
        return -1;
    const tr_layout x = tr_layout_x(program->dnn, param->dims[0]);
    args[*n_args] = (tr_arg){role, tr_program_param(program, param, x, x)};
    return (*n_args)++;
}

static tr_status add(tr_program *program, const tr_normalization *with, tr_direction direction,
                     tr_value src, tr_value *dst, tr_error *err)
{
    const bool forward = direction == TR_DIR_FORWARD;
    tr_pixels at;
    TR_TRY(tr_pixels_walkable(program, &src, &at, err));
    const tr_value out = tr_program_value(program, tr_program_layout(program, src));
    tr_arg args[TR_MAX_ARGS] = {{forward ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST, src},
                                {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC, out}};
    int n_args = 2;
    plan *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    *self = (plan){.at = at, .epsilon = with->epsilon, .forward = forward};
    self->gamma = add_param(program, with->gamma, DNNL_ARG_SCALE, args, &n_args);
    self->variance = add_param(program, with->variance, DNNL_ARG_VARIANCE, args, &n_args);
    self->mean = self->beta = -1;
    if (forward) {
        self->mean = add_param(program, with->mean, DNNL_ARG_MEAN, args, &n_args);
        self->beta = add_param(program, with->beta, DNNL_ARG_SHIFT, args, &n_args);
    }
    const tr_native native = {.run = run,
                              .plan = self,
                              .scratch_bytes = (size_t)(3 * at.n_runs * at.run) * sizeof(float)};
    const tr_meaning meaning = {
        .kind = TR_KIND_NORMALIZATION, .direction = direction, .epsilon = with->epsilon};
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, n_args, err));
    *dst = out;
    return TR_OK;
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
