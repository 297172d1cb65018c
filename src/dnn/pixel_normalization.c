/* pixel_normalization.c -- each pixel's channels shifted and scaled by their own mean and
 * deviation, in plain C; see primitives.h.
 *
 *     dst = (src - mean) * reciprocal * gamma + beta,      reciprocal = 1 / sqrt(variance +
 * epsilon) diff_src = (d - mean(d) - xhat mean(d xhat)) * reciprocal,      d = diff_dst gamma
 *     diff_gamma = sum diff_dst xhat, diff_beta = sum diff_dst
 *
 * Over tensors whose channels lie next to each other; others are copied into that order. The mean
 * is taken off before squares are added; sums are in double, in an order that c alone decides.
 * Backward measures again: a pixel is in the first-level cache, a remembered tensor would not be.
 */
#include <math.h>
#include <string.h>

#include "mem.h"
#include "normalization.h"
#include "simd.h"

typedef struct plan {
    tr_walk walk; /* one run of all channels */
    double epsilon;
    int gamma, beta;           /* numbers of the parameters among the arguments, -1: absent; */
    int diff_gamma, diff_beta; /* and of their gradients */
} plan;

/* ---- a pixel ---- */

enum { LANES = 8 };

static double add_lanes(const double *lanes)
{
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
           ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

TR_SIMD_CLONES
static double sum(const float *restrict x, int64_t c)
{
    double lanes[LANES] = {0};
    int64_t k = 0;
    for (; k + LANES <= c; k += LANES)
        for (int i = 0; i < LANES; i++)
            lanes[i] += (double)x[k + i];
    for (int i = 0; k + i < c; i++)
        lanes[i] += (double)x[k + i];
    return add_lanes(lanes);
}

TR_SIMD_CLONES
static double sum_products(const float *restrict x, const float *restrict y, int64_t c)
{
    double lanes[LANES] = {0};
    int64_t k = 0;
    for (; k + LANES <= c; k += LANES)
        for (int i = 0; i < LANES; i++)
            lanes[i] += (double)x[k + i] * (double)y[k + i];
    for (int i = 0; k + i < c; i++)
        lanes[i] += (double)x[k + i] * (double)y[k + i];
    return add_lanes(lanes);
}

/* off = x - mean; what a mean far from 0 lost when it was rounded is taken off, too. */
TR_SIMD_CLONES
static void take_off(const float *restrict x, double mean, float *restrict off, int64_t c)
{
    const float rounded = (float)mean, lost = (float)(mean - (double)rounded);
    for (int64_t k = 0; k < c; k++)
        off[k] = (x[k] - rounded) - lost;
}

/* Returns 1 / deviation. */
static float measure(const plan *self, const float *x, float *off)
{
    const int64_t c = self->walk.at.c;
    const double n = (double)c;
    take_off(x, sum(x, c) / n, off, c);
    return (float)(1.0 / sqrt(sum_products(off, off, c) / n + self->epsilon));
}

TR_SIMD_CLONES
static void apply(const float *restrict off, float reciprocal, const float *restrict gamma,
                  const float *restrict beta, float *restrict dst, int64_t c)
{
    for (int64_t k = 0; k < c; k++)
        dst[k] = off[k] * reciprocal * gamma[k] + beta[k];
}

/* off becomes xhat; d = diff gamma. */
TR_SIMD_CLONES
static void scale(float *restrict off, float reciprocal, const float *restrict diff,
                  const float *restrict gamma, float *restrict d, int64_t c)
{
    for (int64_t k = 0; k < c; k++) {
        off[k] *= reciprocal;
        d[k] = diff[k] * gamma[k];
    }
}

TR_SIMD_CLONES
static void apply_backward(const float *restrict xhat, const float *restrict d, float mean,
                           float slope, float reciprocal, float *restrict dst, int64_t c)
{
    for (int64_t k = 0; k < c; k++)
        dst[k] = ((d[k] - mean) - xhat[k] * slope) * reciprocal;
}

TR_SIMD_CLONES
static void add_gradients(const float *restrict xhat, const float *restrict diff,
                          double *restrict diff_gamma, double *restrict diff_beta, int64_t c)
{
    for (int64_t k = 0; k < c; k++) {
        diff_gamma[k] += (double)diff[k] * (double)xhat[k];
        diff_beta[k] += (double)diff[k];
    }
}

/* ---- all pixels ---- */

/* Rows of c floats, behind c doubles twice. */
typedef struct rooms {
    double *diff_gamma, *diff_beta;
    float *ones, *zeros, *off, *d, *dst, *src, *diff;
} rooms;
enum { N_ROWS = 7 };

static size_t scratch_of(int64_t c)
{
    return (size_t)c * (2 * sizeof(double) + N_ROWS * sizeof(float));
}

static rooms make_rooms(void *scratch, int64_t c)
{
    rooms made = {.diff_gamma = scratch};
    made.diff_beta = made.diff_gamma + c;
    float **rows[] = {&made.ones, &made.zeros, &made.off, &made.d,
                      &made.dst,  &made.src,   &made.diff};
    for (int i = 0; i < N_ROWS; i++)
        *rows[i] = (float *)(made.diff_beta + c) + i * c;
    memset(scratch, 0, scratch_of(c));
    for (int64_t k = 0; k < c; k++)
        made.ones[k] = 1.0f;
    return made;
}

static const float *read_pixel(const plan *self, const void *memory, int64_t begin, float *room)
{
    return tr_pixels_read(memory, &self->walk.at, begin, 0, 1, room).values;
}

/* Element where pixel p of a sample begins. */
static int64_t place(const plan *self, int64_t sample, int64_t p)
{
    const tr_pixels *at = &self->walk.at;
    return sample * at->step_sample + (self->walk.sharing.n_pixels == 1 ? 0 : p * at->step_pixel);
}

static const float *row(void *const *data, int argument, const float *absent)
{
    return argument < 0 ? absent : data[argument];
}

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    const tr_pixels *at = &self->walk.at;
    const rooms room = make_rooms(scratch, at->c);
    const float *gamma = row(data, self->gamma, room.ones);
    const float *beta = row(data, self->beta, room.zeros);
    for (int64_t i = 0; i < self->walk.n_samples; i++)
        for (int64_t p = 0; p < self->walk.sharing.n_pixels; p++) {
            const int64_t begin = place(self, i, p);
            const float reciprocal =
                measure(self, read_pixel(self, data[0], begin, room.src), room.off);
            apply(room.off, reciprocal, gamma, beta, room.dst, at->c);
            tr_pixels_write(room.dst, at->c, at->type, tr_element(data[1], at->type, begin));
        }
}

static void backward_pixel(const plan *self, void *const *data, const rooms *room,
                           const float *gamma, int64_t begin)
{
    const tr_pixels *at = &self->walk.at;
    const double n = (double)at->c;
    const float *diff = read_pixel(self, data[1], begin, room->diff);
    const float reciprocal = measure(self, read_pixel(self, data[0], begin, room->src), room->off);
    scale(room->off, reciprocal, diff, gamma, room->d, at->c);
    const float mean = (float)(sum(room->d, at->c) / n);
    const float slope = (float)(sum_products(room->d, room->off, at->c) / n);
    apply_backward(room->off, room->d, mean, slope, reciprocal, room->dst, at->c);
    tr_pixels_write(room->dst, at->c, at->type, tr_element(data[2], at->type, begin));
    add_gradients(room->off, diff, room->diff_gamma, room->diff_beta, at->c);
}

static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    const plan *self = plan_;
    const tr_pixels *at = &self->walk.at;
    const rooms room = make_rooms(scratch, at->c);
    const float *gamma = row(data, self->gamma, room.ones);
    for (int64_t i = 0; i < draw->n; i++)
        for (int64_t p = 0; p < self->walk.sharing.n_pixels; p++)
            backward_pixel(self, data, &room, gamma, place(self, i, p));
    tr_walk_clear(&self->walk, data[2], draw->n);
    if (self->diff_gamma >= 0)
        tr_pixels_store(room.diff_gamma, at->c, TR_FLOAT32, data[self->diff_gamma]);
    if (self->diff_beta >= 0)
        tr_pixels_store(room.diff_beta, at->c, TR_FLOAT32, data[self->diff_beta]);
}

/* ---- planning ---- */

/* The value with channels next to each other, and its pixels. */
static tr_status enter(tr_program *program, tr_value *value, tr_pixels *at, tr_error *err)
{
    const tr_layout plain = tr_layout_plain(program->dnn, tr_program_layout(program, *value));
    TR_TRY(tr_program_reorder(program, *value, plain, value, err));
    tr_pixels_of(plain, at);
    return TR_OK;
}

static plan *new_plan(const tr_pixels *at, double epsilon)
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self != NULL)
        *self = (plan){.walk = tr_walk_of(at, 1, at->c),
                       .epsilon = epsilon,
                       .gamma = -1,
                       .beta = -1,
                       .diff_gamma = -1,
                       .diff_beta = -1};
    return self;
}

static tr_meaning meaning_of(const plan *self, tr_direction direction)
{
    return (tr_meaning){.kind = TR_KIND_PIXEL_NORMALIZATION,
                        .direction = direction,
                        .epsilon = self->epsilon,
                        .sharing = self->walk.sharing};
}

tr_status tr_pixel_normalize_forward(tr_program *program, const tr_normalization *with,
                                     tr_value src, tr_normalization_tape *tape, tr_value *dst,
                                     tr_error *err)
{
    tr_pixels at;
    tape->src = src;
    TR_TRY(enter(program, &tape->src, &at, err));
    plan *self = new_plan(&at, with->epsilon);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    const tr_value out = tr_program_value(program, tr_program_layout(program, tape->src));
    tr_arg args[TR_MAX_ARGS] = {{DNNL_ARG_SRC, tape->src}, {DNNL_ARG_DST, out}};
    int n_args = 2;
    self->gamma = tr_add_vector_arg(program, with->gamma, DNNL_ARG_SCALE, args, &n_args);
    self->beta = tr_add_vector_arg(program, with->beta, DNNL_ARG_SHIFT, args, &n_args);
    const tr_native native = {
        .run = run_forward, .plan = self, .scratch_bytes = scratch_of(at.c), .cheap = true};
    const tr_meaning meaning = meaning_of(self, TR_DIR_FORWARD);
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, n_args, err));
    *dst = out;
    return TR_OK;
}

tr_status tr_pixel_normalize_backward(tr_program *program, const tr_normalization *with,
                                      const tr_normalization_tape *tape, tr_value diff_dst,
                                      tr_value *diff_src, tr_error *err)
{
    tr_pixels at;
    const tr_layout layout = tr_program_layout(program, tape->src);
    TR_TRY(tr_program_reorder(program, diff_dst, layout, &diff_dst, err));
    tr_pixels_of(layout, &at);
    plan *self = new_plan(&at, with->epsilon);
    if (self == NULL)
        return tr_out_of_memory(err, program->layer);
    const tr_value out = tr_program_value(program, layout);
    tr_arg args[TR_MAX_ARGS] = {
        {DNNL_ARG_SRC, tape->src}, {DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_DIFF_SRC, out}};
    int n_args = 3;
    self->gamma = tr_add_vector_arg(program, with->gamma, DNNL_ARG_SCALE, args, &n_args);
    self->diff_gamma =
        tr_add_gradient_arg(program, with->gamma, DNNL_ARG_DIFF_SCALE, args, &n_args);
    self->diff_beta = tr_add_gradient_arg(program, with->beta, DNNL_ARG_DIFF_SHIFT, args, &n_args);
    const tr_native native = {.run = run_backward, .plan = self, .scratch_bytes = scratch_of(at.c)};
    const tr_meaning meaning = meaning_of(self, TR_DIR_BACKWARD_DATA);
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, n_args, err));
    if (diff_src != NULL)
        *diff_src = out;
    return TR_OK;
}
