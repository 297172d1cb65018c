/* dropping.c -- elements set to zero at random, in plain C; see primitives.h.
 *
 *     dst = keep ? src / (1 - rate) : 0
 *
 * Whether an element is kept is a function of its address (base/rng.h): seed, layer, update, number
 * of its sample in the dataset, and its place in Keras's order (h, w, c). So it depends neither on
 * threads nor on the sample's place in the batch nor on the layout at hand. The mask is made in
 * that order, a byte per element, and brought into the order of the tensor's memory, padding
 * included, so that both directions then run straight through memory.
 *
 * The probability is a multiple of 2^-16, the nearest to 1 - rate.
 */
#include <math.h>
#include <string.h>

#include "mem.h"
#include "primitives.h"
#include "program_internal.h"
#include "rng.h"
#include "simd.h"

/* Where a sample's elements lie, in runs of neighbouring channels: (y, x, run) begins at element
 * y * step_y + x * step_x + run * step_run of the sample. */
typedef struct places {
    int64_t n, h, w, c;
    int64_t run; /* channels */
    int64_t step_sample, step_y, step_x, step_run;
    int64_t n_memory; /* elements of all samples, padding included */
} places;

typedef struct plan {
    places at;
    tr_dropping dropping;
    float scale;
    tr_precision type;
} plan;

/* False: a layout of another kind than n (h w c), n c h w and those with blocks of channels. */
static bool find_places(tr_layout layout, places *at)
{
    tr_blocking b;
    if (!tr_md_blocking(tr_layout_md(layout), &b) || b.n_inner > 1 ||
        (b.n_inner == 1 && b.inner_dim[0] != 1))
        return false;
    const bool image = b.n_dims == 4;
    *at = (places){.n = b.dims[0],
                   .c = b.dims[1],
                   .h = image ? b.dims[2] : 1,
                   .w = image ? b.dims[3] : 1,
                   .step_sample = b.strides[0],
                   .step_run = b.strides[1],
                   .step_y = image ? b.strides[2] : 0,
                   .step_x = image ? b.strides[3] : 0};
    const bool together = b.n_inner == 0 && (b.strides[1] == 1 || at->c == 1);
    at->run = b.n_inner == 1 ? b.inner_size[0] : together ? at->c : 1;
    at->n_memory = at->n * at->step_sample;
    const size_t item = tr_layout_type(layout) == TR_FLOAT32 ? sizeof(float) : sizeof(uint16_t);
    return (size_t)at->n_memory * item == tr_layout_bytes(layout);
}

static tr_dropping dropping_of(double rate, uint32_t layer)
{
    return (tr_dropping){
        .rate = rate, .layer = layer, .keep_of_65536 = (uint32_t)lround((1.0 - rate) * 65536.0)};
}

/* ---- the mask ---- */

static void place(const places *at, const uint8_t *keep, uint8_t *mask)
{
    memset(mask, 0, (size_t)at->step_sample);
    for (int64_t y = 0; y < at->h; y++)
        for (int64_t x = 0; x < at->w; x++, keep += at->c) {
            uint8_t *to = mask + y * at->step_y + x * at->step_x;
            int64_t c = 0;
            for (; c + 16 <= at->c && at->run == 16; c += 16, to += at->step_run)
                memcpy(to, keep + c, 16); /* of a size that the compiler knows: one instruction */
            for (; c < at->c; c += at->run, to += at->step_run)
                memcpy(to, keep + c, (size_t)(at->c - c < at->run ? at->c - c : at->run));
        }
}

static bool in_order(const places *at)
{
    return at->run == at->c && (at->w == 1 || at->step_x == at->c) &&
           (at->h == 1 || at->step_y == at->w * at->c) && at->step_sample == at->h * at->w * at->c;
}

static void make_mask(const plan *self, const tr_draw *draw, uint8_t *mask, uint8_t *scratch)
{
    const places *at = &self->at;
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

/* A bfloat16 is the upper half of a float32; rounded to the nearest, ties to even. */
TR_SIMD_CLONES
static void apply_bfloat16(const uint8_t *restrict mask, const uint16_t *restrict src,
                           uint16_t *restrict dst, int64_t n, float scale)
{
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)src[i] << 16;
        float value;
        memcpy(&value, &bits, sizeof value);
        value *= scale;
        memcpy(&bits, &value, sizeof bits);
        const uint16_t rounded = (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
        const uint16_t result = value != value ? 0x7fc0u : rounded;
        dst[i] = mask[i] ? result : 0;
    }
}

static void apply(const plan *self, const uint8_t *mask, const void *src, void *dst)
{
    if (self->type == TR_FLOAT32)
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

static plan *new_plan(tr_layout layout, double rate, uint32_t layer)
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    find_places(layout, &self->at);
    self->dropping = dropping_of(rate, layer);
    self->scale = (float)(1.0 / (1.0 - rate));
    self->type = tr_layout_type(layout);
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
    places at;
    tr_layout layout = tr_program_layout(program, src);
    if (!find_places(layout, &at)) {
        layout = tr_layout_plain(program->dnn, layout);
        TR_TRY(tr_program_reorder(program, src, layout, &src, err));
        find_places(layout, &at);
    }
    const int64_t image = at.h * at.w * at.c;
    const tr_native native = {
        .run = run_forward,
        .plan = new_plan(layout, rate, layer),
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
    TR_TRY(tr_program_reorder(program, diff_dst, layout, &diff_dst, err));
    const tr_native native = {.run = run_backward, .plan = new_plan(layout, rate, layer)};
    const tr_value out = tr_program_value(program, layout);
    const tr_arg args[] = {
        {DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_DIFF_SRC, out}, {DNNL_ARG_WORKSPACE, mask}};
    const tr_meaning meaning = meaning_of(TR_DIR_BACKWARD_DATA, rate, layer);
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 3, err));
    *diff_src = out;
    return TR_OK;
}
