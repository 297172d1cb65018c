/* tinting.c -- contrast, brightness, colour and sharpness changed at random; see primitives.h.
 *
 *     dst      = clip((src - base) factor + base + shift)
 *     diff_src = factor g + (1 - factor) base'(g),  g = diff_dst where nothing was cut off, else 0
 *
 * base is linear in src, and base' is its adjoint: of means and smoothing the same function.
 * Backward looks at src again to know what was cut off.
 */
#include "tinting.h"

#include <string.h>

#include "mem.h"
#include "simd.h"

const double tr_grey_shares[3] = {0.2989, 0.587, 0.114};

typedef struct plan {
    tr_tinting how;
    int64_t n, h, w, c;
} plan;

/* ---- bases ---- */

static void means(const float *src, int64_t pixels, int64_t c, float *to)
{
    for (int64_t k = 0; k < c; k++) {
        double sum = 0.0;
        for (int64_t i = 0; i < pixels; i++)
            sum += (double)src[i * c + k];
        for (int64_t i = 0; i < pixels; i++)
            to[i * c + k] = (float)(sum / (double)pixels);
    }
}

static void greys(const float *src, int64_t pixels, float *to)
{
    const double *share = tr_grey_shares;
    for (int64_t i = 0; i < pixels; i++, src += 3, to += 3)
        to[0] = to[1] = to[2] = (float)(share[0] * (double)src[0] + share[1] * (double)src[1] +
                                        share[2] * (double)src[2]);
}

/* The adjoint: what a grey pixel's gradient gives to each colour. */
static void greys_back(const float *diff, int64_t pixels, float *to)
{
    for (int64_t i = 0; i < pixels; i++, diff += 3, to += 3) {
        const double sum = (double)diff[0] + (double)diff[1] + (double)diff[2];
        for (int k = 0; k < 3; k++)
            to[k] = (float)(tr_grey_shares[k] * sum);
    }
}

static void smooth(const float *src, int64_t h, int64_t w, int64_t c, float *to)
{
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++)
            for (int64_t k = 0; k < c; k++) {
                double sum = 4.0 * (double)src[(y * w + x) * c + k];
                for (int64_t j = y > 0 ? y - 1 : 0; j <= y + 1 && j < h; j++)
                    for (int64_t i = x > 0 ? x - 1 : 0; i <= x + 1 && i < w; i++)
                        sum += (double)src[(j * w + i) * c + k];
                to[(y * w + x) * c + k] = (float)(sum / 13.0);
            }
}

void tr_tint_base_of(tr_tint_base base, const float *src, int64_t h, int64_t w, int64_t c,
                     float *to)
{
    if (base == TR_TINT_ZERO)
        memset(to, 0, (size_t)(h * w * c) * sizeof *to);
    else if (base == TR_TINT_MEAN)
        means(src, h * w, c, to);
    else if (base == TR_TINT_GREY)
        greys(src, h * w, to);
    else
        smooth(src, h, w, c, to);
}

/* ---- running ---- */

TR_SIMD_CLONES
static void tint_image(const tr_tinting *how, tr_tint tint, const float *restrict src,
                       const float *restrict base, int64_t n, float *restrict dst)
{
    const float low = (float)how->low, high = (float)how->high;
    const float factor = tint.factor, shift = tint.shift;
    for (int64_t i = 0; i < n; i++) {
        const float y = (src[i] - base[i]) * factor + base[i] + shift;
        const float raised = y < low ? low : y;
        dst[i] = raised > high ? high : raised;
    }
}

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    const plan *self = plan_;
    const int64_t image = self->h * self->w * self->c;
    const float *src = data[0];
    float *dst = data[1];
    tr_tint *tints = data[2];
    for (int64_t i = 0; i < self->n; i++, src += image, dst += image) {
        float chances[TR_N_CHANCES];
        if (i >= draw->n) { /* padding of a short micro-batch */
            memset(dst, 0, (size_t)image * sizeof *dst);
            tints[i] = (tr_tint){0};
            continue;
        }
        tr_chances_of(draw, self->how.layer, i, chances);
        tints[i] = self->how.tint(self->how.settings, chances);
        tr_tint_base_of(self->how.base, src, self->h, self->w, self->c, scratch);
        tint_image(&self->how, tints[i], src, scratch, image, dst);
    }
}

static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw;
    const plan *self = plan_;
    const int64_t image = self->h * self->w * self->c;
    const float *diff_dst = data[0], *src = data[3];
    float *diff_src = data[1], *base = scratch, *passed = base + image;
    const tr_tint *tints = data[2];
    for (int64_t i = 0; i < self->n; i++, src += image, diff_dst += image, diff_src += image) {
        const float factor = tints[i].factor;
        tr_tint_base_of(self->how.base, src, self->h, self->w, self->c, base);
        for (int64_t k = 0; k < image; k++)
            passed[k] = tr_tint_passes(&self->how, tints[i], src[k], base[k]) ? diff_dst[k] : 0.0f;
        if (self->how.base == TR_TINT_GREY)
            greys_back(passed, self->h * self->w, base);
        else
            tr_tint_base_of(self->how.base, passed, self->h, self->w, self->c, base);
        for (int64_t k = 0; k < image; k++)
            diff_src[k] = factor * passed[k] + (1.0f - factor) * base[k];
    }
}

/* ---- planning ---- */

/* Behind the images the scratch memory holds one image forward, two backward. */
static tr_status add(tr_program *program, const tr_tinting *how, bool forward, tr_value src,
                     const tr_arg *args, int n_args, tr_error *err)
{
    int64_t d[4];
    tr_layout_dims(tr_program_layout(program, src), d);
    plan *self = tr_alloc(1, sizeof *self);
    if (self != NULL)
        *self = (plan){.how = *how, .n = d[0], .h = d[2], .w = d[3], .c = d[1]};
    const size_t image = (size_t)(d[1] * d[2] * d[3]) * sizeof(float);
    const tr_native native = {.run = forward ? run_forward : run_backward,
                              .plan = self,
                              .scratch_bytes = forward ? image : 2 * image};
    const tr_meaning meaning = {.kind = TR_KIND_TINTING,
                                .direction = forward ? TR_DIR_FORWARD : TR_DIR_BACKWARD_DATA,
                                .tinting = *how};
    return tr_program_add_native(program, &native, &meaning, args, n_args, err);
}

tr_status tr_tint_forward(tr_program *program, const tr_tinting *how, tr_value src, tr_value *dst,
                          tr_value *tints, tr_error *err)
{
    TR_TRY(tr_as_plain_images(program, &src, err));
    *dst = tr_program_value(program, tr_program_layout(program, src));
    *tints = tr_for_each_sample(program, src, sizeof(tr_tint));
    const tr_arg args[] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, *dst}, {DNNL_ARG_WORKSPACE, *tints}};
    return add(program, how, true, src, args, 3, err);
}

tr_status tr_tint_backward(tr_program *program, const tr_tinting *how, tr_value src, tr_value tints,
                           tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    TR_TRY(tr_as_plain_images(program, &src, err));
    TR_TRY(tr_as_plain_images(program, &diff_dst, err));
    *diff_src = tr_program_value(program, tr_program_layout(program, src));
    const tr_arg args[] = {{DNNL_ARG_DIFF_DST, diff_dst},
                           {DNNL_ARG_DIFF_SRC, *diff_src},
                           {DNNL_ARG_WORKSPACE, tints},
                           {DNNL_ARG_SRC, src}};
    return add(program, how, false, src, args, 4, err);
}
