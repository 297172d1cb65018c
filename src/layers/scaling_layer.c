/* scaling_layer.c -- see scaling_layer.h. */
#include "scaling_layer.h"

tr_status tr_scaling_check(const tr_layer *layer, const char *key, const tr_reals *numbers,
                           tr_error *err)
{
    if (numbers->n == 1 || numbers->n == layer->src.c)
        return TR_OK;
    return tr_fail(err, TR_ERR_CONFIG,
                   "%s has %d numbers for %lld channels; give one for each, or one for all", key,
                   numbers->n, (long long)layer->src.c);
}

tr_status tr_scaling_forward(const tr_layer *layer, tr_program *program,
                             const tr_normalization *with, tr_tape *tape, tr_value *dst,
                             tr_error *err)
{
    tr_value src;
    TR_TRY(tr_normalization_enter(layer, program, tape->src, &src, err));
    return tr_normalize_forward(program, with, src, dst, err);
}

tr_status tr_scaling_backward(const tr_layer *layer, tr_program *program,
                              const tr_normalization *with, const tr_tape *tape, tr_value diff_dst,
                              tr_value *diff_src, tr_error *err)
{
    tr_value diff;
    if (diff_src == NULL)
        return TR_OK;
    TR_TRY(tr_normalization_enter(layer, program, diff_dst, &diff, err));
    TR_TRY(tr_normalize_backward(program, with, diff, &diff, err));
    return tr_normalization_leave(layer, program, tape, diff, diff_src, err);
}
