/* tinting_layer.c -- see tinting_layer.h. */
#include "tinting_layer.h"

static tr_tinting tinting_of(const tr_layer *layer, tr_tint_base base, tr_tint_of *tint)
{
    const tr_tinting_layer *self = (const tr_tinting_layer *)layer;
    return (tr_tinting){.base = base,
                        .low = self->limits.low,
                        .high = self->limits.high,
                        .layer = (uint32_t)layer->number,
                        .tint = tint,
                        .settings = layer};
}

tr_status tr_tinting_forward(tr_layer *layer, tr_tint_base base, tr_tint_of *tint,
                             tr_program *program, tr_tape *tape, tr_value *dst, tr_error *err)
{
    const tr_tinting how = tinting_of(layer, base, tint);
    *dst = tape->src;
    if (!tr_program_training(program))
        return TR_OK;
    return tr_tint_forward(program, &how, tape->src, dst, &tape->workspace, err);
}

tr_status tr_tinting_backward(tr_layer *layer, tr_tint_base base, tr_tint_of *tint,
                              tr_program *program, const tr_tape *tape, tr_value diff_dst,
                              tr_value *diff_src, tr_error *err)
{
    const tr_tinting how = tinting_of(layer, base, tint);
    if (diff_src == NULL)
        return TR_OK;
    return tr_tint_backward(program, &how, tape->src, tape->workspace, diff_dst, diff_src, err);
}
