/* noise.c -- normal noise, in plain C; see primitives.h, tr_drop.
 *
 *     dst = src + deviation z        or        dst = src * (1 + deviation z)
 *
 * z is a function of its address, as the masks of dropping.c: seed, layer, update, number of the
 * sample, and place in Keras's order (h, w, c). What is added or multiplied by is made in that
 * order and brought into that of the memory, where padding is left alone (0, and 1). Samples that
 * are padding get none.
 */
#include <string.h>

#include "bfloat16.h"
#include "dropping.h"
#include "mem.h"
#include "rng.h"
#include "simd.h"

typedef struct plan {
    tr_pixels at;
    tr_dropping dropping;
    int64_t n_memory;
    tr_precision type;
} plan;

static bool multiplies(const plan *self)
{
    return self->dropping.how == TR_NOISE_MULTIPLIED;
}

/* Of one sample, in the order of its memory. */
static void place(const plan *self, const float *normals, float *factors)
{
    const tr_pixels *at = &self->at;
    const float from = multiplies(self) ? 1.0f : 0.0f;
    for (int64_t i = 0; i < at->step_sample; i++)
        factors[i] = from;
    for (int64_t p = 0; p < at->h * at->w; p++)
        for (int64_t c = 0; c < at->c; c++)
            factors[p * at->step_pixel + c / at->run * at->step_run + c % at->run] =
                from + self->dropping.deviation * *normals++;
}

static void make_factors(const plan *self, const tr_draw *draw, float *factors, float *normals)
{
    const tr_pixels *at = &self->at;
    const int64_t n_elements = at->h * at->w * at->c;
    for (int64_t i = 0; i < at->n; i++, factors += at->step_sample) {
        const tr_mask_address address = {.seed = draw->seed,
                                         .layer = self->dropping.layer,
                                         .update = (uint32_t)draw->update,
                                         .sample = i >= draw->n            ? 0
                                                   : draw->samples == NULL ? (uint32_t)i
                                                                           : draw->samples[i]};
        if (i < draw->n)
            tr_random_normals(&address, 0, n_elements, normals);
        else
            memset(normals, 0, (size_t)n_elements * sizeof *normals);
        place(self, normals, factors);
    }
}

TR_SIMD_CLONES
static void add_or_multiply(const plan *self, const float *restrict factors,
                            const void *restrict src, void *restrict dst)
{
    const int64_t n = self->n_memory;
    const bool multiply = multiplies(self);
    if (self->type == TR_FLOAT32) {
        const float *restrict from = src;
        float *restrict to = dst;
        for (int64_t i = 0; i < n; i++)
            to[i] = multiply ? from[i] * factors[i] : from[i] + factors[i];
        return;
    }
    const uint16_t *restrict from = src;
    uint16_t *restrict to = dst;
    for (int64_t i = 0; i < n; i++) {
        const float x = tr_from_bfloat16(from[i]);
        to[i] = tr_to_bfloat16(multiply ? x * factors[i] : x + factors[i]);
    }
}

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    make_factors(plan_, draw, data[2], scratch);
    add_or_multiply(plan_, data[2], data[0], data[1]);
}

static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    add_or_multiply(plan_, data[2], data[0], data[1]);
}

/* ---- planning ---- */

static plan *new_plan(const tr_dropping *dropping, const tr_pixels *at, tr_layout layout)
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->dropping = *dropping;
    self->type = tr_layout_type(layout);
    self->n_memory = (int64_t)tr_layout_bytes(layout) / (self->type == TR_FLOAT32 ? 4 : 2);
    if (at != NULL)
        self->at = *at;
    return self;
}

static tr_meaning meaning_of(tr_direction direction, const tr_dropping *dropping)
{
    return (tr_meaning){.kind = TR_KIND_DROPOUT, .direction = direction, .dropping = *dropping};
}

tr_status tr_noise_forward(tr_program *program, const tr_dropping *dropping, const tr_pixels *at,
                           tr_value src, tr_value *dst, tr_value *factors, tr_error *err)
{
    const tr_layout layout = tr_program_layout(program, src);
    const tr_native native = {.run = run_forward,
                              .plan = new_plan(dropping, at, layout),
                              .scratch_bytes = (size_t)(at->h * at->w * at->c) * sizeof(float)};
    const tr_value out = tr_program_value(program, layout);
    *factors = tr_program_value(program, tr_layout_x(program->dnn, at->n_memory));
    const tr_arg args[] = {
        {DNNL_ARG_SRC, src}, {DNNL_ARG_DST, out}, {DNNL_ARG_WORKSPACE, *factors}};
    const tr_meaning meaning = meaning_of(TR_DIR_FORWARD, dropping);
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 3, err));
    *dst = out;
    return TR_OK;
}

tr_status tr_noise_backward(tr_program *program, const tr_dropping *dropping, tr_value factors,
                            tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    const tr_layout layout = tr_program_layout(program, diff_dst);
    const tr_native native = {.run = run_backward, .plan = new_plan(dropping, NULL, layout)};
    const tr_value out = tr_program_value(program, layout);
    const tr_arg args[] = {
        {DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_DIFF_SRC, out}, {DNNL_ARG_WORKSPACE, factors}};
    const tr_meaning meaning = meaning_of(TR_DIR_BACKWARD_DATA, dropping);
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 3, err));
    *diff_src = out;
    return TR_OK;
}
