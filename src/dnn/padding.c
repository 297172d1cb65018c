/* padding.c -- an image with zeros around it, and back, in plain C; see primitives.h.
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

static void run_forward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
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

static void run_backward(const void *plan_, const tr_draw *draw, void *const *data, void *scratch)
{
    (void)draw, (void)scratch;
    const plan *self = plan_;
    const size_t width = self->left + self->row + self->right;
    const unsigned char *diff_dst = data[0];
    unsigned char *diff_src = data[1];
    for (int64_t i = 0; i < self->images; i++) {
        diff_dst += (size_t)self->above * width + self->left;
        for (int64_t y = 0; y < self->rows; y++, diff_src += self->row, diff_dst += width)
            memcpy(diff_src, diff_dst, self->row);
        diff_dst += (size_t)self->below * width - self->left;
    }
}

/* `within`: the image without the zeros. */
static tr_native native_of(const tr_geometry *geometry, tr_layout within, bool forward)
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
    return (tr_native){.run = forward ? run_forward : run_backward, .plan = self};
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

tr_status tr_pad_forward(tr_program *program, const tr_geometry *geometry, tr_value src,
                         tr_value *dst, tr_error *err)
{
    const tr_layout own = tr_program_layout(program, src);
    const tr_layout within = tr_layout_channels_last(program->dnn, own);
    TR_TRY(tr_program_reorder(program, src, within, &src, err));
    const tr_value out =
        tr_program_value(program, resized(program, own, geometry->out[0], geometry->out[1]));
    const tr_native native = native_of(geometry, within, true);
    const tr_arg args[] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, out}};
    const tr_meaning meaning = {
        .kind = TR_KIND_ZERO_PADDING, .direction = TR_DIR_FORWARD, .geometry = *geometry};
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 2, err));
    *dst = out;
    return TR_OK;
}

tr_status tr_pad_backward(tr_program *program, const tr_geometry *geometry, tr_value diff_dst,
                          tr_value *diff_src, tr_error *err)
{
    const tr_layout own = tr_program_layout(program, diff_dst);
    TR_TRY(tr_program_reorder(program, diff_dst, tr_layout_channels_last(program->dnn, own),
                              &diff_dst, err));
    const tr_layout within =
        resized(program, own, geometry->out[0] - geometry->pad_before[0] - geometry->pad_after[0],
                geometry->out[1] - geometry->pad_before[1] - geometry->pad_after[1]);
    const tr_value out = tr_program_value(program, within);
    if (out == TR_NO_VALUE)
        return tr_out_of_memory(err, program->layer);
    const tr_native native = native_of(geometry, within, false);
    const tr_arg args[] = {{DNNL_ARG_DIFF_DST, diff_dst}, {DNNL_ARG_DIFF_SRC, out}};
    const tr_meaning meaning = {
        .kind = TR_KIND_ZERO_PADDING, .direction = TR_DIR_BACKWARD_DATA, .geometry = *geometry};
    TR_TRY(tr_program_add_native(program, &native, &meaning, args, 2, err));
    *diff_src = out;
    return TR_OK;
}
