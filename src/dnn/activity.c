/* activity.c -- what results cost by themselves, in plain C; see primitives.h.
 *
 *     cost[n] = l1 sum |x| + l2 sum x^2            of each sample's elements
 *     diff_src = diff_dst + (l1 sign(x) + 2 l2 x) / samples of the batch
 *
 * Both run through memory as it lies: padding of blocks is 0 and costs nothing. Padding samples are
 * counted by nobody and get no gradient. Sums are in double, in eight parts.
 */
#include <math.h>

#include "bfloat16.h"
#include "mem.h"
#include "pixels.h"
#include "simd.h"

enum { BLOCK = 512 }; /* elements */

typedef struct plan {
    tr_pixels at;
    tr_penalty penalty;
} plan;

static const float *read_block(const plan *self, const void *memory, int64_t at, int64_t n,
                               float *room)
{
    const uint16_t *halves = tr_element(memory, self->at.type, at);
    if (self->at.type == TR_FLOAT32)
        return (const float *)(const void *)halves;
    for (int64_t i = 0; i < n; i++)
        room[i] = tr_from_bfloat16(halves[i]);
    return room;
}

static int64_t block_at(int64_t at, int64_t end)
{
    return end - at < BLOCK ? end - at : BLOCK;
}

/* data: the source, the costs. */
static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    float room[BLOCK], *costs = data[1];
    (void)scratch;
    for (int64_t i = 0; i < self->at.n; i++) {
        const int64_t end = (i + 1) * self->at.step_sample;
        double cost = 0.0;
        for (int64_t at = i * self->at.step_sample; at < end; at += BLOCK) {
            const int64_t n = block_at(at, end);
            cost +=
                tr_penalty_value(self->penalty, read_block(self, data[0], at, n, room), (size_t)n);
        }
        costs[i] = (float)cost;
    }
}

/* out = diff + gradient * share */
TR_SIMD_CLONES
static void add_gradient(tr_penalty penalty, float share, const float *src, const float *diff,
                         float *restrict out, int64_t n)
{
    const float l1 = penalty.l1 * share, l2 = 2.0f * penalty.l2 * share;
    for (int64_t i = 0; i < n; i++) {
        const float sign = (float)(src[i] > 0.0f) - (float)(src[i] < 0.0f);
        out[i] = diff[i] + (l1 * sign + l2 * src[i]);
    }
}

/* data: the source, the gradient of its readers, the gradient with its own. */
static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    const plan *self = plan_;
    const tr_precision type = self->at.type;
    const int64_t batch = draw->batch > 0 ? draw->batch : draw->n;
    const int64_t end = self->at.n_memory, real = draw->n * self->at.step_sample;
    float rooms[3][BLOCK];
    (void)scratch;
    for (int64_t at = 0, n; at < end; at += n) {
        n = block_at(at, at < real ? real : end);
        void *to = tr_element(data[2], type, at);
        float *out = type == TR_FLOAT32 ? to : rooms[2];
        add_gradient(self->penalty, at < real ? 1.0f / (float)batch : 0.0f,
                     read_block(self, data[0], at, n, rooms[0]),
                     read_block(self, data[1], at, n, rooms[1]), out, n);
        if (out != to)
            tr_pixels_write(out, n, type, to);
    }
}

/* ---- planning ---- */

static tr_native native_of(const tr_pixels *at, tr_penalty penalty, bool forward)
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self != NULL)
        *self = (plan){.at = *at, .penalty = penalty};
    return (tr_native){.run = forward ? run_forward : run_backward, .plan = self};
}

tr_status tr_activity_forward(tr_program *program, tr_penalty penalty, tr_value src,
                              tr_value *costs, tr_error *err)
{
    tr_pixels at;
    TR_TRY(tr_pixels_walkable(program, &src, &at, err));
    const tr_native native = native_of(&at, penalty, true);
    const tr_meaning meaning = {
        .kind = TR_KIND_ACTIVITY, .direction = TR_DIR_FORWARD, .penalty = penalty};
    *costs = tr_program_value(program, tr_layout_x(program->dnn, at.n));
    const tr_arg args[] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, *costs}};
    return tr_program_add_native(program, &native, &meaning, args, 2, err);
}

tr_status tr_activity_backward(tr_program *program, tr_penalty penalty, tr_value src,
                               tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    tr_pixels at;
    TR_TRY(tr_pixels_walkable(program, &src, &at, err));
    const tr_layout layout = tr_program_layout(program, src);
    TR_TRY(tr_program_reorder(program, diff_dst, layout, &diff_dst, err));
    const tr_native native = native_of(&at, penalty, false);
    const tr_meaning meaning = {
        .kind = TR_KIND_ACTIVITY, .direction = TR_DIR_BACKWARD_DATA, .penalty = penalty};
    const tr_value out = tr_program_value(program, layout);
    const tr_arg args[] = {
        {DNNL_ARG_SRC, src}, {DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_DIFF_SRC, out}};
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 3, err));
    *diff_src = out;
    return TR_OK;
}
