/* padding.c -- an image with zeros around it, and without its rim, in plain C; see primitives.h.
 * Each is the gradient of the other.
 *
 * On channels-last images, where a row is contiguous; others are copied into that order first.
 */
#include <string.h>

#include "mem.h"
#include "primitives.h"
#include "program_internal.h"

/* Bytes; rows of the image within, and of the one with zeros around it. */
typedef struct plan {
    int64_t images, rows, above, below;
    size_t left, row, right;
} plan;

static void run_widen(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    const size_t width = self->left + self->row + self->right;
    const unsigned char *src = data[0];
    unsigned char *dst = data[1];
    for (int64_t i = 0; i < self->images; i++) {
        memset(dst, 0, (size_t)self->above * width);
        dst += (size_t)self->above * width;
        for (int64_t y = 0; y < self->rows; y++, src += self->row, dst += width) {
            memset(dst, 0, self->left);
            memcpy(dst + self->left, src, self->row);
            memset(dst + self->left + self->row, 0, self->right);
        }
        memset(dst, 0, (size_t)self->below * width);
        dst += (size_t)self->below * width;
    }
}

static void run_narrow(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    const size_t width = self->left + self->row + self->right;
    const unsigned char *src = data[0];
    unsigned char *dst = data[1];
    for (int64_t i = 0; i < self->images; i++) {
        src += (size_t)self->above * width + self->left;
        for (int64_t y = 0; y < self->rows; y++, dst += self->row, src += width)
            memcpy(dst, src, self->row);
        src += (size_t)self->below * width - self->left;
    }
}

/* `within`: the image without the zeros. */
static tr_native native_of(const tr_geometry *geometry, tr_layout within, bool widens)
{
    int64_t d[4];
    tr_layout_dims(within, d);
    const size_t item = tr_layout_type(within) == TR_FLOAT32 ? sizeof(float) : sizeof(uint16_t);
    const size_t pixel = (size_t)d[1] * item;
    plan *self = tr_alloc(1, sizeof *self);
    if (self != NULL)
        *self = (plan){.images = d[0],
                       .rows = d[2],
                       .above = geometry->pad_before[0],
                       .below = geometry->pad_after[0],
                       .left = (size_t)geometry->pad_before[1] * pixel,
                       .row = (size_t)d[3] * pixel,
                       .right = (size_t)geometry->pad_after[1] * pixel};
    return (tr_native){.run = widens ? run_widen : run_narrow, .plan = self};
}

/* Channels last, with another height and width. */
static tr_layout resized(tr_program *program, tr_layout layout, int64_t h, int64_t w)
{
    int64_t d[4];
    tr_layout_dims(layout, d);
    const tr_layout any =
        tr_layout_any(program->dnn, tr_layout_type(layout), 4, (int64_t[]){d[0], d[1], h, w});
    return any == NULL ? NULL : tr_layout_channels_last(program->dnn, any);
}

/* `widens`: the result has the frame of zeros, else it is without it. */
static tr_status frame(tr_program *program, const tr_geometry *geometry, tr_kind kind, bool widens,
                       tr_value from, tr_value *to, tr_error *err)
{
    const tr_layout own = tr_program_layout(program, from);
    const int64_t *before = geometry->pad_before, *after = geometry->pad_after;
    const tr_layout given = tr_layout_channels_last(program->dnn, own);
    const tr_layout other = widens ? resized(program, own, geometry->out[0], geometry->out[1])
                                   : resized(program, own, geometry->out[0] - before[0] - after[0],
                                             geometry->out[1] - before[1] - after[1]);
    TR_TRY(tr_program_reorder(program, from, given, &from, err));
    const tr_value out = tr_program_value(program, other);
    if (out == TR_NO_VALUE)
        return tr_out_of_memory(err, program->layer);
    const bool forward = (kind == TR_KIND_ZERO_PADDING) == widens;
    const tr_native native = native_of(geometry, widens ? given : other, widens);
    const tr_arg args[] = {{forward ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST, from},
                           {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC, out}};
    const tr_meaning meaning = {.kind = kind,
                                .direction = forward ? TR_DIR_FORWARD : TR_DIR_BACKWARD_DATA,
                                .geometry = *geometry};
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 2, err));
    *to = out;
    return TR_OK;
}

tr_status tr_pad_forward(tr_program *program, const tr_geometry *geometry, tr_value src,
                         tr_value *dst, tr_error *err)
{
    return frame(program, geometry, TR_KIND_ZERO_PADDING, true, src, dst, err);
}

tr_status tr_pad_backward(tr_program *program, const tr_geometry *geometry, tr_value diff_dst,
                          tr_value *diff_src, tr_error *err)
{
    return frame(program, geometry, TR_KIND_ZERO_PADDING, false, diff_dst, diff_src, err);
}

tr_status tr_crop_forward(tr_program *program, const tr_geometry *geometry, tr_value src,
                          tr_value *dst, tr_error *err)
{
    return frame(program, geometry, TR_KIND_CROPPING, false, src, dst, err);
}

tr_status tr_crop_backward(tr_program *program, const tr_geometry *geometry, tr_value diff_dst,
                           tr_value *diff_src, tr_error *err)
{
    return frame(program, geometry, TR_KIND_CROPPING, true, diff_dst, diff_src, err);
}
