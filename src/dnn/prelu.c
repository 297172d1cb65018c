/* prelu.c -- a slope for negative numbers that is learned, in plain C; see primitives.h.
 *
 *     dst = x > 0 ? x : alpha x,    diff_src = diff_dst (x > 0 ? 1 : alpha),
 *     diff_alpha = sum of diff_dst min(x, 0) over samples and whatever shares an alpha
 *
 * Images lie channels-last; alpha has its axes of 1, where it is shared, skipped by steps of 0. The
 * sums are doubles, added up in the order of memory.
 */
#include <string.h>

#include "mem.h"
#include "pixels.h"
#include "simd.h"

typedef struct plan {
    int64_t n, h, w, c, n_alpha;
    tr_slopes slopes;
} plan;

/* Over a row of w x c numbers of which `step_c` is 1 or 0. */
TR_SIMD_CLONES
static void forward_row(const float *restrict x, const float *restrict alpha, int64_t step_c,
                        int64_t c, float *restrict dst)
{
    for (int64_t k = 0; k < c; k++)
        dst[k] = x[k] > 0.0f ? x[k] : alpha[k * step_c] * x[k];
}

TR_SIMD_CLONES
static void backward_row(const float *restrict x, const float *restrict alpha, int64_t step_c,
                         int64_t c, const float *restrict diff, float *restrict dst)
{
    for (int64_t k = 0; k < c; k++)
        dst[k] = x[k] > 0.0f ? diff[k] : alpha[k * step_c] * diff[k];
}

static void add_row(const float *x, int64_t step_c, int64_t c, const float *diff, double *sums)
{
    for (int64_t k = 0; k < c; k++)
        sums[k * step_c] += x[k] > 0.0f ? 0.0 : (double)x[k] * (double)diff[k];
}

/* The first alpha of pixel number p of all samples. */
static int64_t alpha_of(const plan *self, int64_t p)
{
    const int64_t y = p / self->w % self->h, x = p % self->w;
    return y * self->slopes.step_h + x * self->slopes.step_w;
}

/* data: src, dst, alpha */
static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    const float *x = data[0], *alpha = data[2];
    float *dst = data[1];
    for (int64_t p = 0; p < self->n * self->h * self->w; p++)
        forward_row(x + p * self->c, alpha + alpha_of(self, p), self->slopes.step_c, self->c,
                    dst + p * self->c);
}

/* data: src, diff_dst, diff_src, alpha */
static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    const float *x = data[0], *diff = data[1], *alpha = data[3];
    float *dst = data[2];
    for (int64_t p = 0; p < self->n * self->h * self->w; p++)
        backward_row(x + p * self->c, alpha + alpha_of(self, p), self->slopes.step_c, self->c,
                     diff + p * self->c, dst + p * self->c);
}

/* data: src, diff_dst, diff_alpha */
static void run_weights(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    const float *x = data[0], *diff = data[1];
    float *gradient = data[2];
    double *sums = scratch;
    memset(sums, 0, (size_t)self->n_alpha * sizeof *sums);
    for (int64_t p = 0; p < self->n * self->h * self->w; p++)
        add_row(x + p * self->c, self->slopes.step_c, self->c, diff + p * self->c,
                sums + alpha_of(self, p));
    for (int64_t k = 0; k < self->n_alpha; k++)
        gradient[k] = (float)sums[k];
}

/* ---- planning ---- */

static tr_status add(tr_program *program, const tr_slopes *slopes, const tr_param *alpha,
                     tr_direction direction, const tr_arg *args, int n_args, tr_error *err)
{
    int64_t d[4] = {1, 1, 1, 1};
    const tr_meaning meaning = {.kind = TR_KIND_PRELU, .direction = direction, .slopes = *slopes};
    plan *self = tr_alloc(1, sizeof *self);
    tr_layout_dims(tr_program_layout(program, args[0].value), d);
    if (self != NULL)
        *self = (plan){.n = d[0],
                       .h = d[2],
                       .w = d[3],
                       .c = d[1],
                       .n_alpha = tr_param_elements(alpha),
                       .slopes = *slopes};
    const bool sums = direction == TR_DIR_BACKWARD_WEIGHTS;
    const tr_native native = {.run = direction == TR_DIR_FORWARD ? run_forward
                                     : sums                      ? run_weights
                                                                 : run_backward,
                              .plan = self,
                              .scratch_bytes =
                                  sums ? (size_t)tr_param_elements(alpha) * sizeof(double) : 0};
    return tr_program_add_native(program, &native, &meaning, args, n_args, err);
}

/* In Keras's order, whatever its shape. */
static tr_value alpha_value(tr_program *program, tr_param *alpha)
{
    const tr_layout x = tr_layout_x(program->dnn, tr_param_elements(alpha));
    return tr_program_param(program, alpha, x, x);
}

/* Channels-last float32. */
static tr_status order(tr_program *program, tr_value *value, tr_error *err)
{
    int64_t d[4];
    const tr_layout layout = tr_program_layout(program, *value);
    const tr_layout wanted = tr_layout_dims(layout, d) == 4
                                 ? tr_layout_nhwc(program->dnn, d[0], d[2], d[3], d[1])
                                 : tr_layout_nc(program->dnn, d[0], d[1]);
    return tr_program_reorder(program, *value, wanted, value, err);
}

tr_status tr_prelu_forward(tr_program *program, const tr_slopes *slopes, tr_param *alpha,
                           tr_value src, tr_value *dst, tr_error *err)
{
    TR_TRY(order(program, &src, err));
    const tr_value out = tr_program_value(program, tr_program_layout(program, src));
    const tr_arg args[] = {
        {DNNL_ARG_SRC, src}, {DNNL_ARG_DST, out}, {DNNL_ARG_SCALE, alpha_value(program, alpha)}};
    TR_TRY(add(program, slopes, alpha, TR_DIR_FORWARD, args, 3, err));
    *dst = out;
    return TR_OK;
}

tr_status tr_prelu_backward(tr_program *program, const tr_slopes *slopes, tr_param *alpha,
                            tr_value src, tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    TR_TRY(order(program, &src, err));
    TR_TRY(order(program, &diff_dst, err));
    if (alpha->range == TR_TRAINED) {
        const tr_arg args[] = {{DNNL_ARG_SRC, src},
                               {DNNL_ARG_DIFF_DST, diff_dst},
                               {DNNL_ARG_DIFF_SCALE, tr_program_gradient(program, alpha)}};
        TR_TRY(add(program, slopes, alpha, TR_DIR_BACKWARD_WEIGHTS, args, 3, err));
    }
    if (diff_src == NULL)
        return TR_OK;
    const tr_value out = tr_program_value(program, tr_program_layout(program, src));
    const tr_arg args[] = {{DNNL_ARG_SRC, src},
                           {DNNL_ARG_DIFF_DST, diff_dst},
                           {DNNL_ARG_DIFF_SRC, out},
                           {DNNL_ARG_SCALE, alpha_value(program, alpha)}};
    TR_TRY(add(program, slopes, alpha, TR_DIR_BACKWARD_DATA, args, 4, err));
    *diff_src = out;
    return TR_OK;
}
