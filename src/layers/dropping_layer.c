/* dropping_layer.c -- see dropping_layer.h. */
#include "dropping_layer.h"

tr_status tr_noise_shape(tr_layer *layer, tr_error *err)
{
    (void)err;
    layer->dst = layer->src;
    return TR_OK;
}

tr_status tr_dropping_shape(tr_layer *layer, tr_error *err)
{
    const double rate = ((const tr_dropping_layer *)layer)->rate;
    const uint32_t kept = tr_dropping_of(TR_DROP_ELEMENTS, rate, 0).keep_of_65536;
    if (rate > 0.0 && (kept == 0 || kept == 65536))
        return tr_fail(
            err, TR_ERR_CONFIG,
            "rate = %.10g: the probability is a multiple of 1/65536, and this rate would "
            "drop %s; use one from 0.00001 to 0.99999, or 0",
            rate, kept == 0 ? "everything" : "nothing");
    return tr_noise_shape(layer, err);
}

tr_status tr_dropping_layer_forward(tr_layer *layer, tr_drop how, double rate, tr_program *program,
                                    tr_tape *tape, tr_value *dst, tr_error *err)
{
    const tr_dropping dropping = tr_dropping_of(how, rate, (uint32_t)layer->number);
    *dst = tape->src;
    if (!tr_program_training(program) || rate == 0.0)
        return TR_OK;
    return tr_drop_forward(program, &dropping, tape->src, dst, &tape->workspace, err);
}

tr_status tr_dropping_layer_backward(tr_layer *layer, tr_drop how, double rate, tr_program *program,
                                     const tr_tape *tape, tr_value diff_dst, tr_value *diff_src,
                                     tr_error *err)
{
    const tr_dropping dropping = tr_dropping_of(how, rate, (uint32_t)layer->number);
    if (diff_src == NULL)
        return TR_OK;
    *diff_src = diff_dst;
    if (rate == 0.0)
        return TR_OK;
    return tr_drop_backward(program, &dropping, tape->dst, tape->workspace, diff_dst, diff_src,
                            err);
}
