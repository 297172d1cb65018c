/* erasing.c -- a rectangle of an image filled with a number or with noise; see primitives.h.
 *
 * The noise of an element is a function of the sample's address and its place in the image. The
 * gradient of what was erased is 0.
 */
#include "erasing.h"

#include <string.h>

#include "mem.h"

typedef struct plan {
    tr_erasing how;
    int64_t n, h, w, c;
} plan;

tr_rectangle tr_erasing_rectangle(const tr_erasing *how, const tr_draw *draw, int64_t i)
{
    float chances[TR_N_CHANCES];
    tr_chances_of(draw, how->layer, i, chances);
    return how->rectangle(how->settings, chances);
}

static float within(const tr_erasing *how, double value)
{
    const float low = (float)how->low, high = (float)how->high, x = (float)value;
    return x < low ? low : x > high ? high : x;
}

void tr_erasing_fill(const tr_erasing *how, const tr_draw *draw, int64_t i, int64_t first,
                     int64_t n, int64_t c, float *to)
{
    if (how->n_fills > 0) {
        for (int64_t k = 0; k < n; k++)
            to[k] = within(how, how->fill[how->n_fills == 1 ? 0 : (first + k) % c]);
        return;
    }
    const tr_mask_address address = tr_chance_address(draw, how->layer, i);
    float normals[4];
    for (int64_t k = 0; k < n; k++) {
        const int64_t element = first + k;
        if (k == 0 || element % 4 == 0)
            tr_random_normals(&address, element / 4 * 4, 4, normals);
        to[k] = within(how, (double)normals[element % 4] * how->deviation);
    }
}

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    const plan *self = plan_;
    const int64_t row = self->w * self->c;
    const float *src = data[0];
    float *dst = data[1], *fill = scratch;
    tr_rectangle *rectangles = data[2];
    memcpy(dst, src, (size_t)(self->n * self->h * row) * sizeof *dst);
    for (int64_t i = 0; i < self->n; i++) {
        if (i >= draw->n) { /* padding of a short micro-batch */
            rectangles[i] = (tr_rectangle){0};
            continue;
        }
        rectangles[i] = tr_erasing_rectangle(&self->how, draw, i);
        for (int64_t y = 0; y < self->h; y++) {
            int64_t from = 0, to = self->w;
            while (from < to && !tr_rectangle_has(&rectangles[i], y, from))
                from++;
            while (to > from && !tr_rectangle_has(&rectangles[i], y, to - 1))
                to--;
            if (from == to)
                continue;
            const int64_t at = y * row + from * self->c, n = (to - from) * self->c;
            tr_erasing_fill(&self->how, draw, i, at, n, self->c, fill);
            memcpy(dst + i * self->h * row + at, fill, (size_t)n * sizeof *dst);
        }
    }
}

static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    const tr_rectangle *rectangles = data[2];
    const float *diff_dst = data[0];
    float *diff_src = data[1];
    for (int64_t i = 0; i < self->n; i++)
        for (int64_t y = 0; y < self->h; y++)
            for (int64_t x = 0; x < self->w; x++, diff_src += self->c, diff_dst += self->c)
                if (tr_rectangle_has(&rectangles[i], y, x))
                    memset(diff_src, 0, (size_t)self->c * sizeof *diff_src);
                else
                    memcpy(diff_src, diff_dst, (size_t)self->c * sizeof *diff_src);
}

/* ---- planning ---- */

static tr_status add(tr_program *program, const tr_erasing *how, bool forward, tr_value from,
                     tr_value rectangles, tr_value *to, tr_error *err)
{
    int64_t d[4];
    const tr_layout layout = tr_program_layout(program, from);
    tr_layout_dims(layout, d);
    plan *self = tr_alloc(1, sizeof *self);
    if (self != NULL)
        *self = (plan){.how = *how, .n = d[0], .h = d[2], .w = d[3], .c = d[1]};
    const tr_native native = {.run = forward ? run_forward : run_backward,
                              .plan = self,
                              .scratch_bytes = (size_t)(d[3] * d[1]) * sizeof(float)};
    const tr_meaning meaning = {.kind = TR_KIND_ERASING,
                                .direction = forward ? TR_DIR_FORWARD : TR_DIR_BACKWARD_DATA,
                                .erasing = *how};
    *to = tr_program_value(program, layout);
    const tr_arg args[] = {{forward ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST, from},
                           {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC, *to},
                           {DNNL_ARG_WORKSPACE, rectangles}};
    return tr_program_add_native(program, &native, &meaning, args, 3, err);
}

tr_status tr_erase_forward(tr_program *program, const tr_erasing *how, tr_value src, tr_value *dst,
                           tr_value *rectangles, tr_error *err)
{
    TR_TRY(tr_as_plain_images(program, &src, err));
    *rectangles = tr_for_each_sample(program, src, sizeof(tr_rectangle));
    return add(program, how, true, src, *rectangles, dst, err);
}

tr_status tr_erase_backward(tr_program *program, const tr_erasing *how, tr_value rectangles,
                            tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    TR_TRY(tr_as_plain_images(program, &diff_dst, err));
    return add(program, how, false, diff_dst, rectangles, diff_src, err);
}
