/* merging.c -- tensors made one, element by element, in plain C; see primitives.h.
 *
 *     dst = fused(sum, product or maximum of the sources / divisor)
 *
 * Sources that lie otherwise are brought into the layout of the first, or of the first in float32
 * where types differ. Then all is one run through memory, padding of blocks included, which stays 0
 * under each of the three. From left to right, as Keras does it; bfloat16 is added up in float32.
 * Block after block, so that what is half done stays in the first-level cache.
 *
 * A source with an axis of 1 where another has more is repeated along it: its elements are read
 * again and again (repeating.h), and its gradient is the sum over them.
 */
#include <math.h>

#include "bfloat16.h"
#include "mem.h"
#include "pixels.h"
#include "repeating.h"
#include "simd.h"

enum { BLOCK = 512 }; /* elements */

typedef struct plan {
    tr_merge merge;
    int n;
    float divisor;
    tr_bounds bounds; /* of the result; not of what is half done */
    int part;         /* of a maximum's gradient: which source it is of */
    int64_t n_memory;
    tr_precision type;
    bool repeats; /* some source is smaller than the result */
    tr_repetition sources[TR_MAX_SOURCES];
} plan;

bool tr_merge_fuses(tr_activation activation)
{
    tr_bounds bounds;
    return tr_activation_cuts(activation, &bounds);
}

/* ---- arithmetic ---- */

#define EACH(expression)                                                                           \
    for (int64_t i = 0; i < n; i++) {                                                              \
        const float value = (expression);                                                          \
        const float cut = at.low > value ? at.low : value;                                         \
        out[i] = at.high < cut ? at.high : cut;                                                    \
    }

/* Where one of two numbers is a NaN the larger is a NaN. */
TR_SIMD_CLONES
static void merge_two(tr_merge merge, const float *a, const float *b, tr_bounds at,
                      float *restrict out, int64_t n)
{
    if (merge == TR_MERGE_PRODUCT)
        EACH(a[i] * b[i])
    else if (merge == TR_MERGE_MAXIMUM)
        EACH(a[i] >= b[i] || a[i] != a[i] ? a[i] : b[i])
    else
        EACH(a[i] + b[i])
}

TR_SIMD_CLONES
static void divide(const float *a, float divisor, tr_bounds at, float *restrict out,
                   int64_t n){EACH(a[i] / divisor)}

/* Keeps the larger of `best` and b, and remembers whether it is source number k. Ties: the earlier;
 * behind a NaN the last. */
TR_SIMD_CLONES static void keep_larger(const float *restrict b, int32_t k, float *restrict best,
                                       int32_t *restrict winner, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const bool stays = best[i] >= b[i];
        best[i] = stays || best[i] != best[i] ? best[i] : b[i];
        winner[i] = stays ? winner[i] : k;
    }
}

TR_SIMD_CLONES
static void give_to(int32_t k, const int32_t *restrict winner, const float *restrict diff,
                    float *restrict out, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = winner[i] == k ? diff[i] : 0.0f;
}

/* ---- running ---- */

/* n elements of source k from number `at` on, as float32: where they are, or in `room`. */
static const float *read_block(const plan *self, int k, const void *memory, int64_t at, int64_t n,
                               float *room)
{
    if (self->repeats && self->sources[k].repeats)
        return tr_repetition_read(&self->sources[k], memory, self->type, at, n, room);
    const uint16_t *halves = tr_element(memory, self->type, at);
    if (self->type == TR_FLOAT32)
        return (const float *)(const void *)halves;
    for (int64_t i = 0; i < n; i++)
        room[i] = tr_from_bfloat16(halves[i]);
    return room;
}

/* Source after source, from one of two rooms into the other, the last into `out`. */
static void merge_block(const plan *self, void *const *data, int64_t at, int64_t n,
                        float rooms[4][BLOCK], float *out)
{
    static const tr_bounds anything = {-INFINITY, INFINITY};
    const bool divides = self->divisor != 1.0f;
    const float *so_far = read_block(self, 0, data[0], at, n, rooms[0]);
    for (int k = 1; k < self->n; k++) {
        const float *next = read_block(self, k, data[k], at, n, rooms[1]);
        const bool last = k == self->n - 1 && !divides;
        float *to = last ? out : rooms[2 + k % 2];
        merge_two(self->merge, so_far, next, last ? self->bounds : anything, to, n);
        so_far = to;
    }
    if (divides)
        divide(so_far, self->divisor, self->bounds, out, n);
}

static void run_merge(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    float(*rooms)[BLOCK] = scratch;
    void *dst = data[self->n];
    for (int64_t at = 0; at < self->n_memory; at += BLOCK) {
        const int64_t n = self->n_memory - at < BLOCK ? self->n_memory - at : BLOCK;
        void *to = tr_element(dst, self->type, at);
        float *out = self->type == TR_FLOAT32 ? to : rooms[4];
        merge_block(self, data, at, n, rooms, out);
        if (out != to)
            tr_pixels_write(out, n, self->type, to);
    }
}

/* data: the sources, the gradient of their maximum, that of one source. */
static void run_maximum_gradient(const void *plan_, const tr_draw *draw, void *const *data,
                                 void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    float(*rooms)[BLOCK] = scratch;
    int32_t *winner = (int32_t *)(void *)rooms[3];
    for (int64_t at = 0; at < self->n_memory; at += BLOCK) {
        const int64_t n = self->n_memory - at < BLOCK ? self->n_memory - at : BLOCK;
        const float *first = read_block(self, 0, data[0], at, n, rooms[0]);
        for (int64_t i = 0; i < n; i++) {
            rooms[1][i] = first[i];
            winner[i] = 0;
        }
        for (int k = 1; k < self->n; k++)
            keep_larger(read_block(self, k, data[k], at, n, rooms[0]), k, rooms[1], winner, n);
        const float *diff = read_block(self, self->n, data[self->n], at, n, rooms[0]);
        give_to(self->part, winner, diff, rooms[2], n);
        tr_pixels_write(rooms[2], n, self->type, tr_element(data[self->n + 1], self->type, at));
    }
}

/* ---- planning ---- */

tr_layout tr_merged_layout(const tr_program *program, const tr_value *srcs, int n)
{
    int first = 0;
    while (first < n - 1 && tr_layout_type(tr_program_layout(program, srcs[first])) != TR_FLOAT32)
        first++;
    const tr_layout layout = tr_program_layout(program, srcs[first]);
    return tr_layout_type(layout) == TR_FLOAT32 ? layout : tr_program_layout(program, srcs[0]);
}

/* The layout of the result, and of each source; true: some are repeated. */
static bool find_layouts(const tr_program *program, const tr_value *srcs, int n, tr_layout *whole,
                         tr_layout parts[TR_MAX_SOURCES])
{
    *whole = tr_merged_layout(program, srcs, n);
    const bool repeats = tr_repeated_whole(program, srcs, n, tr_layout_type(*whole), whole);
    for (int k = 0; k < n; k++)
        parts[k] = repeats ? tr_repeated_part(program, srcs[k], *whole) : *whole;
    return repeats;
}

static plan *new_plan(const plan *with, bool repeats, tr_layout whole, const tr_layout *parts)
{
    const int item = tr_layout_type(whole) == TR_FLOAT32 ? sizeof(float) : sizeof(uint16_t);
    plan *self = tr_alloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    *self = *with;
    self->type = tr_layout_type(whole);
    self->n_memory = (int64_t)tr_layout_bytes(whole) / item;
    self->repeats = repeats;
    for (int k = 0; repeats && k < self->n; k++)
        self->sources[k] = tr_repetition_of(parts[k], whole);
    return self;
}

/* Appends the operation on n values to `args`; they come first, and a result last. */
static tr_status add_op(tr_program *program, const plan *with, const tr_value *srcs, tr_value diff,
                        const tr_meaning *meaning, tr_value *dst, tr_error *err)
{
    tr_arg args[TR_MAX_ARGS];
    tr_layout whole, parts[TR_MAX_SOURCES];
    const bool repeats = find_layouts(program, srcs, with->n, &whole, parts);
    int n_args = 0;
    for (; n_args < with->n; n_args++) {
        args[n_args].role = DNNL_ARG_MULTIPLE_SRC + n_args;
        TR_TRY(tr_program_reorder(program, srcs[n_args], parts[n_args], &args[n_args].value, err));
    }
    if (diff != TR_NO_VALUE) {
        args[n_args].role = DNNL_ARG_DIFF_DST;
        TR_TRY(tr_program_reorder(program, diff, whole, &args[n_args++].value, err));
    }
    *dst = tr_program_value(program, whole);
    args[n_args].role = meaning->direction == TR_DIR_FORWARD ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC;
    args[n_args++].value = *dst;
    const tr_native native = {.run = diff == TR_NO_VALUE ? run_merge : run_maximum_gradient,
                              .plan = new_plan(with, repeats, whole, parts),
                              .scratch_bytes = 5 * BLOCK * sizeof(float)};
    return tr_program_add_native(program, &native, meaning, args, n_args, err);
}

static tr_status merge(tr_program *program, tr_merge how, int divisor, tr_activation fused,
                       const tr_value *srcs, int n, tr_value *dst, tr_error *err)
{
    plan with = {.merge = how, .n = n, .divisor = (float)divisor};
    const tr_meaning meaning = {.kind = TR_KIND_MERGE,
                                .direction = program->phase == TR_BACKWARD ? TR_DIR_BACKWARD_DATA
                                                                           : TR_DIR_FORWARD,
                                .activation = fused,
                                .merging = {.merge = how, .divisor = divisor}};
    tr_value merged;
    tr_activation_cuts(fused, &with.bounds);
    TR_TRY(add_op(program, &with, srcs, TR_NO_VALUE, &meaning, &merged, err));
    *dst = merged;
    return TR_OK;
}

tr_status tr_merge_forward(tr_program *program, tr_merge how, tr_activation fused,
                           const tr_value *srcs, int n, tr_value *dst, tr_error *err)
{
    return merge(program, how, how == TR_MERGE_MEAN ? n : 1, fused, srcs, n, dst, err);
}

tr_status tr_add(tr_program *program, tr_value a, tr_value b, tr_value *sum, tr_error *err)
{
    return merge(program, TR_MERGE_SUM, 1, TR_NOTHING_FUSED, (const tr_value[]){a, b}, 2, sum, err);
}

/* diff * all sources but number k. */
static tr_status product_gradient(tr_program *program, const tr_value *srcs, int n, int k,
                                  tr_value diff, tr_value *diff_src, tr_error *err)
{
    tr_value factors[TR_MAX_SOURCES] = {diff};
    int n_factors = 1;
    for (int i = 0; i < n; i++)
        if (i != k)
            factors[n_factors++] = srcs[i];
    return merge(program, TR_MERGE_PRODUCT, 1, TR_NOTHING_FUSED, factors, n_factors, diff_src, err);
}

static tr_status maximum_gradient(tr_program *program, const tr_value *srcs, int n, int k,
                                  tr_value diff, tr_value *diff_src, tr_error *err)
{
    const plan with = {.merge = TR_MERGE_MAXIMUM, .n = n, .part = k};
    const tr_meaning meaning = {.kind = TR_KIND_MERGE,
                                .direction = TR_DIR_BACKWARD_DATA,
                                .merging = {.merge = TR_MERGE_MAXIMUM, .divisor = 1, .part = k}};
    return add_op(program, &with, srcs, diff, &meaning, diff_src, err);
}

tr_status tr_merge_backward(tr_program *program, tr_merge how, const tr_value *srcs, int n,
                            const bool *wanted, tr_value diff_dst, tr_value *diff_srcs,
                            tr_error *err)
{
    tr_value share = diff_dst; /* of each source of a sum or a mean */
    if (how == TR_MERGE_MEAN)
        TR_TRY(merge(program, TR_MERGE_MEAN, n, TR_NOTHING_FUSED, &diff_dst, 1, &share, err));
    for (int k = 0; k < n; k++) {
        if (!wanted[k])
            continue;
        if (how == TR_MERGE_PRODUCT)
            TR_TRY(product_gradient(program, srcs, n, k, diff_dst, &diff_srcs[k], err));
        else if (how == TR_MERGE_MAXIMUM)
            TR_TRY(maximum_gradient(program, srcs, n, k, diff_dst, &diff_srcs[k], err));
        else
            diff_srcs[k] = share;
        TR_TRY(tr_add_repeated(program, srcs[k], &diff_srcs[k], err));
    }
    return TR_OK;
}
