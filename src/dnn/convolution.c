/* convolution.c -- 2-D convolution in its three directions; see primitives.h.
 *
 * Cross-correlation, as every framework means it. Padding is explicit and may be asymmetric;
 * layers/conv2d.c places it as TensorFlow does.
 */
#include "primitives.h"

#include "weighted.h"

static tr_status any_layouts(tr_program *program, const tr_geometry *geometry,
                             const tr_param *kernel, const tr_param *bias, tr_value src,
                             tr_weighted_layouts *any, tr_error *err)
{
    const int64_t *k = kernel->dims; /* Keras's (kh, kw, in, out); oneDNN's order is o i h w */
    return tr_weighted_any(program, src, 4, (int64_t[]){k[3], k[2], k[0], k[1]}, bias, 4,
                           (int64_t[]){program->n, k[3], geometry->out[0], geometry->out[1]}, any,
                           err);
}

tr_status tr_conv_forward(tr_program *program, const tr_geometry *geometry, tr_activation fused,
                          tr_param *kernel, tr_param *bias, tr_value src, tr_value *dst,
                          tr_hint *hint, tr_error *err)
{
    const tr_window window = tr_window_of(geometry);
    tr_weighted_layouts any;
    TR_TRY(any_layouts(program, geometry, kernel, bias, src, &any, err));
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_status_t status = tr_attr_fused(&attr, fused);
    if (status == dnnl_success) {
        tr_desc_context context = tr_program_context(program);
        context.attr = attr;
        status =
            tr_desc_conv_forward(&desc, context, &window, tr_layout_md(any.src),
                                 tr_layout_md(any.kernel), tr_bias_md(&any), tr_layout_md(any.dst));
        dnnl_primitive_attr_destroy(attr);
    }
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, "convolution");
    const int64_t *k = kernel->dims;
    return tr_weighted_forward(program, desc, "convolution", kernel,
                               tr_layout_hwio(program->dnn, k[0], k[1], k[2], k[3]), bias, src, dst,
                               hint, err);
}

tr_status tr_conv_backward_weights(tr_program *program, const tr_geometry *geometry,
                                   const tr_param *kernel, const tr_param *bias, tr_value src,
                                   tr_value diff_dst, tr_hint hint, tr_error *err)
{
    const tr_window window = tr_window_of(geometry);
    tr_weighted_layouts any;
    TR_TRY(any_layouts(program, geometry, kernel, bias, src, &any, err));
    dnnl_primitive_desc_t desc;
    const dnnl_status_t status = tr_desc_conv_backward_weights(
        &desc, tr_program_context(program), &window, tr_layout_md(any.src),
        tr_layout_md(any.kernel), tr_bias_md(&any), tr_layout_md(any.dst), hint);
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, "convolution's weights gradient");
    return tr_weighted_backward_weights(program, desc, "convolution", kernel, bias, src, diff_dst,
                                        err);
}

tr_status tr_conv_backward_data(tr_program *program, const tr_geometry *geometry, tr_param *kernel,
                                tr_value src, tr_value diff_dst, tr_hint hint, tr_value *diff_src,
                                tr_error *err)
{
    const tr_window window = tr_window_of(geometry);
    tr_weighted_layouts any;
    TR_TRY(any_layouts(program, geometry, kernel, NULL, src, &any, err));
    dnnl_primitive_desc_t desc;
    const dnnl_status_t status = tr_desc_conv_backward_data(
        &desc, tr_program_context(program), &window, tr_layout_md(any.src),
        tr_layout_md(any.kernel), tr_layout_md(any.dst), hint);
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, "convolution's data gradient");
    return tr_weighted_backward_data(program, desc, "convolution", kernel, diff_dst, diff_src, err);
}
