/* transposed_convolution.c -- a convolution the other way round; see primitives.h.
 *
 * Its three directions are those of the convolution from its result to its source: that one's
 * backward data, its weights' gradient with the two tensors in each other's place, and its forward.
 * So it has no kernels of its own. A bias, and an activation that cuts off, come in one pass
 * behind.
 */
#include "pixels.h"

static tr_status add_bias(tr_program *program, tr_activation fused, tr_param *bias, tr_value *dst,
                          tr_error *err)
{
    const tr_normalization with = {.beta = bias, .fused = fused};
    if (bias == NULL && tr_activation_is_linear(fused))
        return TR_OK;
    return tr_normalize_forward(program, &with, *dst, dst, err);
}

tr_status tr_transposed_forward(tr_program *program, const tr_geometry *geometry,
                                tr_activation fused, tr_param *kernel, tr_param *bias, tr_value src,
                                const int64_t dims[4], tr_value *dst, tr_error *err)
{
    tr_hint hint;
    const tr_layout layout = tr_layout_nhwc(program->dnn, dims[0], dims[2], dims[3], dims[1]);
    const tr_value like = tr_program_like(program, layout);
    if (like == TR_NO_VALUE)
        return tr_out_of_memory(err, program->layer);
    TR_TRY(tr_conv_place_kernel(program, geometry, kernel, like, &hint, err));
    TR_TRY(tr_conv_backward_data(program, geometry, kernel, like, src, hint, dst, err));
    return add_bias(program, fused, bias, dst, err);
}

tr_status tr_transposed_backward_weights(tr_program *program, const tr_geometry *geometry,
                                         tr_param *kernel, const tr_param *bias, tr_value src,
                                         tr_value diff_dst, tr_error *err)
{
    tr_hint hint;
    TR_TRY(tr_conv_place_kernel(program, geometry, kernel, diff_dst, &hint, err));
    TR_TRY(tr_conv_backward_weights(program, geometry, kernel, NULL, diff_dst, src, hint, err));
    return bias == NULL
               ? TR_OK
               : tr_channel_sums(program, diff_dst, tr_program_gradient(program, bias), err);
}

tr_status tr_transposed_backward_data(tr_program *program, const tr_geometry *geometry,
                                      tr_param *kernel, tr_value diff_dst, tr_value *diff_src,
                                      tr_error *err)
{
    tr_hint hint;
    return tr_conv_forward(program, geometry, TR_NOTHING_FUSED, kernel, NULL, diff_dst, diff_src,
                           &hint, err);
}
