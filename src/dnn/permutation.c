/* permutation.c -- an image with its axes in another order, in plain C; see primitives.h.
 *
 * Between channels-last images; others are copied into that order first. Where the last axis stays
 * the last, whole pixels are copied.
 */
#include <string.h>

#include "mem.h"
#include "pixels.h"

typedef struct plan {
    int64_t images, image; /* their number; elements of one */
    int64_t out[3];        /* h w c of the result */
    int64_t steps[3];      /* in the source, along the axes of the result */
    tr_precision type;
} plan;

static void copy_line(const plan *self, const void *src, int64_t from, void *dst, int64_t to)
{
    const int64_t n = self->out[2], step = self->steps[2];
    const size_t item = self->type == TR_FLOAT32 ? sizeof(float) : sizeof(uint16_t);
    if (step == 1) {
        memcpy(tr_element(dst, self->type, to), tr_element(src, self->type, from),
               (size_t)n * item);
    } else if (self->type == TR_FLOAT32) {
        const float *values = (const float *)src + from;
        for (int64_t i = 0; i < n; i++)
            ((float *)dst)[to + i] = values[i * step];
    } else {
        const uint16_t *halves = (const uint16_t *)src + from;
        for (int64_t i = 0; i < n; i++)
            ((uint16_t *)dst)[to + i] = halves[i * step];
    }
}

static void run(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    int64_t to = 0;
    for (int64_t i = 0; i < self->images; i++)
        for (int64_t y = 0; y < self->out[0]; y++)
            for (int64_t x = 0; x < self->out[1]; x++, to += self->out[2])
                copy_line(self, data[0], i * self->image + y * self->steps[0] + x * self->steps[1],
                          data[1], to);
}

/* ---- planning ---- */

static tr_status permute(tr_program *program, const tr_axes *axes, bool forward, tr_value from,
                         tr_value *to, tr_error *err)
{
    const tr_layout own = tr_program_layout(program, from);
    int64_t d[4];
    tr_layout_dims(own, d);
    TR_TRY(
        tr_program_reorder(program, from, tr_layout_channels_last(program->dnn, own), &from, err));
    const int64_t in[3] = {d[2], d[3], d[1]}, steps[3] = {d[3] * d[1], d[1], 1};
    plan made = {.images = d[0], .image = in[0] * in[1] * in[2], .type = tr_layout_type(own)};
    for (int i = 0; i < 3; i++) { /* backward goes the other way */
        const int a = forward ? i : axes->of[i], b = forward ? axes->of[i] : i;
        made.out[a] = in[b];
        made.steps[a] = steps[b];
    }
    const tr_layout any = tr_layout_any(program->dnn, made.type, 4,
                                        (int64_t[]){d[0], made.out[2], made.out[0], made.out[1]});
    const tr_value out =
        tr_program_value(program, any == NULL ? NULL : tr_layout_channels_last(program->dnn, any));
    plan *self = tr_alloc(1, sizeof *self);
    if (self != NULL)
        *self = made;
    const tr_native native = {.run = run, .plan = self};
    const tr_arg args[] = {{forward ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST, from},
                           {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC, out}};
    const tr_meaning meaning = {.kind = TR_KIND_PERMUTATION,
                                .direction = forward ? TR_DIR_FORWARD : TR_DIR_BACKWARD_DATA,
                                .axes = *axes};
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 2, err));
    *to = out;
    return TR_OK;
}

tr_status tr_permute_forward(tr_program *program, const tr_axes *axes, tr_value src, tr_value *dst,
                             tr_error *err)
{
    return permute(program, axes, true, src, dst, err);
}

tr_status tr_permute_backward(tr_program *program, const tr_axes *axes, tr_value diff_dst,
                              tr_value *diff_src, tr_error *err)
{
    return permute(program, axes, false, diff_dst, diff_src, err);
}
