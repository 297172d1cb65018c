/* averaging.c -- average pooling in plain C, for windows too large for a running float32 sum; see
 * pooling.h.
 *
 *     dst = sum over the window / (number of its elements within the image)
 *     diff_src = sum over the windows that hold the element of diff_dst / (likewise)
 *
 * Sums are pixels.h's, or in double.
 */
#include <string.h>

#include "mem.h"
#include "pooling.h"

typedef struct plan {
    tr_geometry geometry;
    tr_pixels large, small;
} plan;

/* [first, end) */
typedef struct range {
    int64_t first, end;
} range;

static range clipped(int64_t first, int64_t end, int64_t size)
{
    return (range){first > 0 ? first : 0, end < size ? end : size};
}

/* The part of window `at` that lies in the image, along one axis. */
static range window(const tr_geometry *g, int axis, int64_t size, int64_t at)
{
    const int64_t begin = at * g->strides[axis] - g->pad_before[axis];
    return clipped(begin, begin + g->kernel[axis], size);
}

/* The windows that hold pixel `at`, along one axis. */
static range holders(const tr_geometry *g, int axis, int64_t at)
{
    const int64_t stride = g->strides[axis], last = at + g->pad_before[axis];
    const int64_t before = last - g->kernel[axis]; /* the last begin that does not reach it */
    return clipped(before < 0 ? 0 : before / stride + 1, last / stride + 1, g->out[axis]);
}

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    const tr_pixels *from = &self->large, *to = &self->small;
    const int64_t run = from->run;
    double *sums = scratch;
    for (int64_t i = 0; i < from->n * from->n_runs; i++) {
        const int64_t n = i / from->n_runs, r = i % from->n_runs;
        const int64_t src = n * from->step_sample + r * from->step_run;
        const int64_t dst = n * to->step_sample + r * to->step_run;
        for (int64_t o = 0; o < to->h * to->w; o++) {
            const range y = window(&self->geometry, 0, from->h, o / to->w);
            const range x = window(&self->geometry, 1, from->w, o % to->w);
            const bool whole = x.first == 0 && x.end == from->w; /* one row behind the other */
            const int64_t rows = y.end - y.first, columns = x.end - x.first;
            memset(sums, 0, (size_t)run * sizeof *sums);
            for (int64_t row = 0; row < (whole ? 1 : rows); row++)
                tr_pixels_add(
                    tr_element(data[0], from->type,
                               src + ((y.first + row) * from->w + x.first) * from->step_pixel),
                    from->type, whole ? rows * columns : columns, from->step_pixel, run, sums);
            for (int64_t k = 0; k < run; k++)
                sums[k] /= (double)(rows * columns);
            tr_pixels_store(sums, run, to->type,
                            tr_element(data[1], to->type, dst + o * to->step_pixel));
        }
    }
}

/* One pixel's gradient, in sums: over the windows that hold it. */
static void gather(const plan *self, const void *diff, range y, range x, double *sums)
{
    const tr_pixels *from = &self->small, *to = &self->large;
    memset(sums, 0, (size_t)from->run * sizeof *sums);
    for (int64_t oy = y.first; oy < y.end; oy++)
        for (int64_t ox = x.first; ox < x.end; ox++) {
            const range rows = window(&self->geometry, 0, to->h, oy);
            const range columns = window(&self->geometry, 1, to->w, ox);
            const double elements =
                (double)((rows.end - rows.first) * (columns.end - columns.first));
            tr_pixels_add_share(
                tr_element(diff, from->type, (oy * from->w + ox) * from->step_pixel), from->type,
                from->run, 1.0 / elements, sums);
        }
}

static bool same(range a, range b)
{
    return a.first == b.first && a.end == b.end;
}

/* Neighbours that lie in the same windows have the same gradient: in the whole image, all. */
static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    const tr_pixels *from = &self->small, *to = &self->large;
    const size_t bytes =
        (size_t)to->run * (to->type == TR_FLOAT32 ? sizeof(float) : sizeof(uint16_t));
    for (int64_t i = 0; i < to->n * to->n_runs; i++) {
        const int64_t n = i / to->n_runs, r = i % to->n_runs;
        const void *diff =
            tr_element(data[0], from->type, n * from->step_sample + r * from->step_run);
        unsigned char *out = tr_element(data[1], to->type, n * to->step_sample + r * to->step_run);
        const unsigned char *before = NULL;
        range last_y = {0, 0}, last_x = {0, 0};
        for (int64_t p = 0; p < to->h * to->w; p++) {
            const range y = holders(&self->geometry, 0, p / to->w);
            const range x = holders(&self->geometry, 1, p % to->w);
            if (before != NULL && same(y, last_y) && same(x, last_x)) {
                memcpy(out, before, bytes);
            } else {
                gather(self, diff, y, x, scratch);
                tr_pixels_store(scratch, to->run, to->type, out);
            }
            before = out;
            last_y = y, last_x = x;
            out = tr_element(out, to->type, to->step_pixel);
        }
    }
}

/* ---- planning ---- */

static tr_status add(tr_program *program, const tr_geometry *geometry, const tr_pool_ends *ends,
                     bool forward, tr_error *err)
{
    plan *self = tr_alloc(1, sizeof *self);
    if (self != NULL)
        *self = (plan){.geometry = *geometry, .large = ends->of_large, .small = ends->of_small};
    const tr_native native = {.run = forward ? run_forward : run_backward,
                              .plan = self,
                              .scratch_bytes = (size_t)ends->of_large.run * sizeof(double)};
    const tr_arg forwards[] = {{DNNL_ARG_SRC, ends->large}, {DNNL_ARG_DST, ends->small}};
    const tr_arg backwards[] = {{DNNL_ARG_DIFF_DST, ends->small}, {DNNL_ARG_DIFF_SRC, ends->large}};
    const tr_meaning meaning = {.kind = TR_KIND_AVERAGE_POOLING,
                                .direction = forward ? TR_DIR_FORWARD : TR_DIR_BACKWARD_DATA,
                                .geometry = *geometry};
    return tr_program_add_native(program, &native, &meaning, forward ? forwards : backwards, 2,
                                 err);
}

tr_status tr_average_forward(tr_program *program, const tr_geometry *geometry,
                             const tr_pool_ends *ends, tr_error *err)
{
    return add(program, geometry, ends, true, err);
}

tr_status tr_average_backward(tr_program *program, const tr_geometry *geometry,
                              const tr_pool_ends *ends, tr_error *err)
{
    return add(program, geometry, ends, false, err);
}
