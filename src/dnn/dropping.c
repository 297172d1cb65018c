/* dropping.c -- elements set to zero at random, in plain C; see primitives.h.
 *
 *     dst = keep ? src / p : 0
 *
 * Whether an element is kept is a function of its address (base/rng.h): seed, layer, update, number
 * of its sample in the dataset, and its place in Keras's order (h, w, c). So it depends neither on
 * threads nor on the sample's place in the batch nor on the layout at hand. The mask is made in
 * that order, a byte per element, and brought into the order of the tensor's memory, padding
 * included, so that both directions then run straight through memory.
 *
 * p, the probability to be kept, is a multiple of 2^-16, the nearest to 1 - rate; and it is p that
 * what is kept is divided by, so that the expectation is that of the source at any rate.
 */
#include <math.h>
#include <string.h>

#include "bfloat16.h"
#include "mem.h"
#include "pixels.h"
#include "rng.h"
#include "simd.h"

typedef struct plan {
    tr_pixels at;
    tr_dropping dropping;
    float scale;
} plan;

uint32_t tr_dropout_keep_of_65536(double rate)
{
    return (uint32_t)lround((1.0 - rate) * 65536.0);
}

static tr_dropping dropping_of(double rate, uint32_t layer)
{
    return (tr_dropping){.layer = layer, .keep_of_65536 = tr_dropout_keep_of_65536(rate)};
}

/* ---- the mask ---- */

static void place(const tr_pixels *at, const uint8_t *keep, uint8_t *mask)
{
    memset(mask, 0, (size_t)at->step_sample);
    for (int64_t y = 0; y < at->h; y++)
        for (int64_t x = 0; x < at->w; x++, keep += at->c) {
            uint8_t *to = mask + (y * at->w + x) * at->step_pixel;
            int64_t c = 0;
            for (; c + 16 <= at->c && at->run == 16; c += 16, to += at->step_run)
                memcpy(to, keep + c, 16); /* of a size that the compiler knows: one instruction */
            for (; c < at->c; c += at->run, to += at->step_run)
                memcpy(to, keep + c, (size_t)(at->c - c < at->run ? at->c - c : at->run));
        }
}

static bool in_order(const tr_pixels *at)
{
    return at->run == at->c && (at->h * at->w == 1 || at->step_pixel == at->c) &&
           at->step_sample == at->h * at->w * at->c;
}

static void make_mask(const plan *self, const tr_draw *draw, uint8_t *mask, uint8_t *scratch)
{
    const tr_pixels *at = &self->at;
    const int64_t n_elements = at->h * at->w * at->c;
    for (int64_t i = 0; i < at->n; i++, mask += at->step_sample) {
        if (i >= draw->n) { /* padding of a short micro-batch */
            memset(mask, 0, (size_t)at->step_sample);
            continue;
        }
        const tr_mask_address address = {.seed = draw->seed,
                                         .layer = self->dropping.layer,
                                         .update = (uint32_t)draw->update,
                                         .sample = draw->samples == NULL ? (uint32_t)i
                                                                         : draw->samples[i]};
        tr_random_mask(&address, self->dropping.keep_of_65536, n_elements, scratch);
        if (in_order(at))
            memcpy(mask, scratch, (size_t)n_elements);
        else
            place(at, scratch, mask);
    }
}

/* ---- applying it ---- */

TR_SIMD_CLONES
static void apply_float32(const uint8_t *restrict mask, const float *restrict src,
                          float *restrict dst, int64_t n, float scale)
{
    for (int64_t i = 0; i < n; i++) {
        const float scaled = src[i] * scale;
        dst[i] = mask[i] ? scaled : 0.0f;
    }
}

TR_SIMD_CLONES
static void apply_bfloat16(const uint8_t *restrict mask, const uint16_t *restrict src,
                           uint16_t *restrict dst, int64_t n, float scale)
{
    for (int64_t i = 0; i < n; i++) {
        const uint16_t scaled = tr_to_bfloat16(tr_from_bfloat16(src[i]) * scale);
        dst[i] = mask[i] ? scaled : 0;
    }
}

static void apply(const plan *self, const uint8_t *mask, const void *src, void *dst)
{
    if (self->at.type == TR_FLOAT32)
        apply_float32(mask, src, dst, self->at.n_memory, self->scale);
    else
        apply_bfloat16(mask, src, dst, self->at.n_memory, self->scale);
}

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    make_mask(plan_, draw, data[2], scratch);
    apply(plan_, data[2], data[0], data[1]);
}

static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    apply(plan_, data[2], data[0], data[1]);
}

/* ---- planning ---- */

static plan *new_plan(const tr_pixels *at, double rate, uint32_t layer)
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->at = *at;
    self->dropping = dropping_of(rate, layer);
    self->scale = (float)(65536.0 / self->dropping.keep_of_65536);
    return self;
}

static tr_meaning meaning_of(tr_direction direction, double rate, uint32_t layer)
{
    return (tr_meaning){
        .kind = TR_KIND_DROPOUT, .direction = direction, .dropping = dropping_of(rate, layer)};
}

tr_status tr_dropout_forward(tr_program *program, double rate, uint32_t layer, tr_value src,
                             tr_value *dst, tr_value *mask, tr_error *err)
{
    tr_pixels at;
    TR_TRY(tr_pixels_walkable(program, &src, &at, err));
    const tr_layout layout = tr_program_layout(program, src);
    const int64_t image = at.h * at.w * at.c;
    const tr_native native = {
        .run = run_forward,
        .plan = new_plan(&at, rate, layer),
        .scratch_bytes = (size_t)((image + TR_MASK_BLOCK - 1) / TR_MASK_BLOCK * TR_MASK_BLOCK)};
    const tr_value out = tr_program_value(program, layout);
    *mask = tr_program_value(program, tr_layout_x(program->dnn, (at.n_memory + 3) / 4));
    const tr_arg args[] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, out}, {DNNL_ARG_WORKSPACE, *mask}};
    const tr_meaning meaning = meaning_of(TR_DIR_FORWARD, rate, layer);
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 3, err));
    *dst = out;
    return TR_OK;
}

tr_status tr_dropout_backward(tr_program *program, double rate, uint32_t layer, tr_value dst,
                              tr_value mask, tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    const tr_layout layout = tr_program_layout(program, dst); /* the mask lies like that */
    tr_pixels at;
    TR_TRY(tr_program_reorder(program, diff_dst, layout, &diff_dst, err));
    tr_pixels_of(layout, &at);
    const tr_native native = {.run = run_backward, .plan = new_plan(&at, rate, layer)};
    const tr_value out = tr_program_value(program, layout);
    const tr_arg args[] = {
        {DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_DIFF_SRC, out}, {DNNL_ARG_WORKSPACE, mask}};
    const tr_meaning meaning = meaning_of(TR_DIR_BACKWARD_DATA, rate, layer);
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 3, err));
    *diff_src = out;
    return TR_OK;
}
