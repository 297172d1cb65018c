/* dropping.c -- elements or channels set to zero at random, in plain C; see primitives.h. Noise has
 * noise.c.
 *
 *     dst = keep ? src * scale + shift : dropped        Keras's Dropout: scale = 1 / p, else 0
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
#include "dropping.h"
#include "mem.h"
#include "pixels.h"
#include "rng.h"
#include "simd.h"

typedef struct plan {
    tr_pixels at;
    tr_dropping dropping;
    tr_drop_line line;
} plan;

tr_dropping tr_dropping_of(tr_drop how, double rate, uint32_t layer)
{
    tr_dropping dropping = {.how = how, .layer = layer};
    if (how == TR_NOISE_ADDED || how == TR_NOISE_MULTIPLIED)
        dropping.deviation = (float)rate;
    else
        dropping.keep_of_65536 = (uint32_t)lround((1.0 - rate) * 65536.0);
    return dropping;
}

/* AlphaDropout: Klambauer and others, "Self-normalizing neural networks", 2017. */
tr_drop_line tr_drop_line_of(const tr_dropping *dropping)
{
    const double p = (double)dropping->keep_of_65536 / 65536.0;
    if (dropping->how != TR_DROP_TO_ALPHA)
        return (tr_drop_line){.scale = 1.0 / p};
    const double limit = -1.6732632423543772 * 1.0507009873554805;
    const double a = 1.0 / sqrt(p * (1.0 + (1.0 - p) * limit * limit));
    const double b = -a * limit * (1.0 - p);
    return (tr_drop_line){.scale = a, .shift = b, .dropped = a * limit + b};
}

/* ---- the mask ---- */

/* `next`: from one pixel's bytes to those of the next, 0 where all have the same. */
static void place(const tr_pixels *at, const uint8_t *keep, int64_t next, uint8_t *mask)
{
    memset(mask, 0, (size_t)at->step_sample);
    for (int64_t y = 0; y < at->h; y++)
        for (int64_t x = 0; x < at->w; x++, keep += next) {
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
    const bool channels = self->dropping.how == TR_DROP_CHANNELS;
    const int64_t n_elements = channels ? at->c : at->h * at->w * at->c;
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
        if (in_order(at) && !channels)
            memcpy(mask, scratch, (size_t)n_elements);
        else
            place(at, scratch, channels ? 0 : at->c, mask);
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

TR_SIMD_CLONES
static void shift_float32(const uint8_t *restrict mask, const float *restrict src,
                          float *restrict dst, int64_t n, float scale, float shift, float dropped)
{
    for (int64_t i = 0; i < n; i++) {
        const float kept = src[i] * scale + shift;
        dst[i] = mask[i] ? kept : dropped;
    }
}

TR_SIMD_CLONES
static void shift_bfloat16(const uint8_t *restrict mask, const uint16_t *restrict src,
                           uint16_t *restrict dst, int64_t n, float scale, float shift,
                           float dropped)
{
    for (int64_t i = 0; i < n; i++) {
        const float kept = tr_from_bfloat16(src[i]) * scale + shift;
        dst[i] = tr_to_bfloat16(mask[i] ? kept : dropped);
    }
}

static void apply(const plan *self, const uint8_t *mask, const void *src, void *dst)
{
    const float scale = (float)self->line.scale;
    if (self->at.type == TR_FLOAT32)
        apply_float32(mask, src, dst, self->at.n_memory, scale);
    else
        apply_bfloat16(mask, src, dst, self->at.n_memory, scale);
}

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    const plan *self = plan_;
    const tr_drop_line *line = &self->line;
    make_mask(plan_, draw, data[2], scratch);
    if (line->dropped == 0.0)
        apply(plan_, data[2], data[0], data[1]);
    else if (self->at.type == TR_FLOAT32)
        shift_float32(data[2], data[0], data[1], self->at.n_memory, (float)line->scale,
                      (float)line->shift, (float)line->dropped);
    else
        shift_bfloat16(data[2], data[0], data[1], self->at.n_memory, (float)line->scale,
                       (float)line->shift, (float)line->dropped);
}

static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    apply(plan_, data[2], data[0], data[1]);
}

/* ---- planning ---- */

static plan *new_plan(const tr_pixels *at, const tr_dropping *dropping)
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self != NULL)
        *self = (plan){.at = *at, .dropping = *dropping, .line = tr_drop_line_of(dropping)};
    return self;
}

static tr_meaning meaning_of(tr_direction direction, const tr_dropping *dropping)
{
    return (tr_meaning){.kind = TR_KIND_DROPOUT, .direction = direction, .dropping = *dropping};
}

/* Padding of blocks stays 0, so what is dropped to another number has none. */
static tr_status arrange(tr_program *program, const tr_dropping *dropping, tr_value *src,
                         tr_pixels *at, tr_error *err)
{
    const tr_layout layout = tr_program_layout(program, *src);
    if (dropping->how == TR_DROP_TO_ALPHA && tr_layout_is_padded(layout))
        TR_TRY(tr_program_reorder(program, *src, tr_layout_plain(program->dnn, layout), src, err));
    return tr_pixels_walkable(program, src, at, err);
}

tr_status tr_drop_forward(tr_program *program, const tr_dropping *dropping, tr_value src,
                          tr_value *dst, tr_value *mask, tr_error *err)
{
    tr_pixels at;
    TR_TRY(arrange(program, dropping, &src, &at, err));
    if (dropping->how == TR_NOISE_ADDED || dropping->how == TR_NOISE_MULTIPLIED)
        return tr_noise_forward(program, dropping, &at, src, dst, mask, err);
    const tr_layout layout = tr_program_layout(program, src);
    const int64_t image = at.h * at.w * at.c;
    const tr_native native = {
        .run = run_forward,
        .plan = new_plan(&at, dropping),
        .scratch_bytes = (size_t)((image + TR_MASK_BLOCK - 1) / TR_MASK_BLOCK * TR_MASK_BLOCK)};
    const tr_value out = tr_program_value(program, layout);
    *mask = tr_program_value(program, tr_layout_x(program->dnn, (at.n_memory + 3) / 4));
    const tr_arg args[] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, out}, {DNNL_ARG_WORKSPACE, *mask}};
    const tr_meaning meaning = meaning_of(TR_DIR_FORWARD, dropping);
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 3, err));
    *dst = out;
    return TR_OK;
}

tr_status tr_drop_backward(tr_program *program, const tr_dropping *dropping, tr_value dst,
                           tr_value mask, tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    const tr_layout layout = tr_program_layout(program, dst); /* the mask lies like that */
    tr_pixels at;
    *diff_src = diff_dst;
    if (dropping->how == TR_NOISE_ADDED)
        return TR_OK;
    TR_TRY(tr_program_reorder(program, diff_dst, layout, &diff_dst, err));
    if (dropping->how == TR_NOISE_MULTIPLIED)
        return tr_noise_backward(program, dropping, mask, diff_dst, diff_src, err);
    tr_pixels_of(layout, &at);
    const tr_native native = {.run = run_backward, .plan = new_plan(&at, dropping)};
    const tr_value out = tr_program_value(program, layout);
    const tr_arg args[] = {
        {DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_DIFF_SRC, out}, {DNNL_ARG_WORKSPACE, mask}};
    const tr_meaning meaning = meaning_of(TR_DIR_BACKWARD_DATA, dropping);
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 3, err));
    *diff_src = out;
    return TR_OK;
}
