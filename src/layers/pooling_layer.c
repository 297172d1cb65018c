/* pooling_layer.c -- see pooling_layer.h. */
#include "pooling_layer.h"

#include <inttypes.h>
#include <stdio.h>

bool tr_pooling_defaults(tr_layer *layer, tr_section *section)
{
    tr_pooling_layer *self = (tr_pooling_layer *)layer;
    if (tr_section_find(section, "strides") != NULL)
        return true;
    char text[48];
    snprintf(text, sizeof text, "%" PRId64 ", %" PRId64, self->pool_size[0], self->pool_size[1]);
    self->strides[0] = self->pool_size[0];
    self->strides[1] = self->pool_size[1];
    return tr_section_default(section, "strides", text);
}

tr_status tr_pooling_shape(tr_layer *layer, tr_pooling pooling, tr_error *err)
{
    tr_pooling_layer *self = (tr_pooling_layer *)layer;
    self->pooling = pooling;
    return tr_window_shape(layer, (tr_padding)self->padding, self->pool_size, self->strides,
                           &self->geometry, err);
}

/* One window that is the whole image. */
tr_status tr_global_pooling_shape(tr_layer *layer, tr_pooling pooling, tr_error *err)
{
    tr_pooling_layer *self = (tr_pooling_layer *)layer;
    const int64_t whole[2] = {layer->src.h, layer->src.w};
    self->pooling = pooling;
    TR_TRY(tr_window_shape(layer, TR_PADDING_VALID, whole, whole, &self->geometry, err));
    layer->dst.flat = !self->keepdims;
    return TR_OK;
}

/* A flat result stays the tensor that it is, of 1 x 1 pixels, as behind flatten. */
tr_status tr_pooling_forward(tr_layer *layer, tr_program *program, tr_tape *tape, tr_value *dst,
                             tr_error *err)
{
    const tr_pooling_layer *self = (const tr_pooling_layer *)layer;
    tr_pool_tape pool = {.src = tape->src};
    TR_TRY(tr_pool_forward(program, self->pooling, &self->geometry, &pool, err));
    *dst = pool.dst;
    tape->workspace = pool.workspace;
    tape->hint = pool.hint;
    return TR_OK;
}

tr_status tr_pooling_backward(tr_layer *layer, tr_program *program, const tr_tape *tape,
                              tr_value diff_dst, tr_value *diff_src, tr_error *err)
{
    const tr_pooling_layer *self = (const tr_pooling_layer *)layer;
    if (diff_src == NULL)
        return TR_OK;
    const tr_pool_tape pool = {tape->src, tape->dst, tape->workspace, tape->hint};
    return tr_pool_backward(program, self->pooling, &self->geometry, &pool, diff_dst, diff_src,
                            err);
}
