/* convolution.c -- 2-D convolution in its three directions; see primitives.h.
 *
 * Cross-correlation, as every framework means it. Padding is explicit and may be asymmetric;
 * layers/conv2d.c places it as TensorFlow does. With [engine] convolution = winograd each direction
 * takes that algorithm where oneDNN has it for these shapes, and the direct one elsewhere.
 */
#include <string.h>

#include "primitives.h"

#include "own.h"
#include "pixels.h"
#include "weighted.h"

static bool full_blocks(int64_t in, int64_t out)
{
    return in % 16 == 0 && out % 16 == 0;
}

/* Asked with `any`, oneDNN 2.6 trains under AVX-512 on blocks of 16 channels. Its kernels for
 * channels-last images are faster where such blocks are padded (1.1 to 1.7 times, all directions
 * together), and in float32 for larger windows on images that leave room in the second-level cache
 * (1.05 to 1.2 times; in bfloat16 as fast, and a dense layer behind them needs no copy); not for
 * few input channels, nor for many. Measured, but a rule: layouts decide kernels, and these are
 * part of the numeric result. */
static bool wants_channels_last(const tr_program *program, const tr_geometry *geometry,
                                const tr_param *kernel, const tr_weighted_layouts *any)
{
    enum { IMAGE_MAX = 64 << 10 }; /* numbers */
    const int64_t *k = kernel->dims;
    int64_t src[4];
    if (geometry->groups > 1)
        return false; /* its kernels for groups want blocks */
    /* With one filter the result's channels-last layout goes by the name of nchw (dnn.c), for
     * which, beside a channels-last source, oneDNN has its reference kernel alone. */
    if (tr_dnn_isa() != TR_ISA_AVX512 || k[2] < 4 || k[3] == 1 ||
        tr_dnn_convolution(program->dnn) == TR_CONVOLUTION_WINOGRAD)
        return false;
    if (!full_blocks(k[2], k[3]))
        return true;
    tr_layout_dims(any->src, src);
    return k[0] * k[1] > 1 && k[2] >= 32 && k[2] < 512 && k[3] >= 32 &&
           src[1] * src[2] * src[3] <= IMAGE_MAX &&
           k[3] * geometry->out[0] * geometry->out[1] <= IMAGE_MAX;
}

static tr_status any_layouts(tr_program *program, tr_direction direction,
                             const tr_geometry *geometry, const tr_param *kernel,
                             const tr_param *bias, tr_value src, tr_weighted_layouts *any,
                             tr_error *err)
{
    /* Keras's (kh, kw, in, out); oneDNN's order is g o i h w */
    const tr_window_sizes s = tr_conv_sizes(program, geometry, kernel, src);
    const int64_t dims[5] = {s.groups, s.oc / s.groups, s.ic / s.groups, s.kh, s.kw};
    const bool plain = s.groups == 1;
    TR_TRY(tr_weighted_any(program, direction, src, plain ? 4 : 5, dims + plain, bias, 4,
                           (int64_t[]){s.n, s.oc, s.oh, s.ow}, any, err));
    if (program->backward_follows && wants_channels_last(program, geometry, kernel, any)) {
        any->src = tr_layout_channels_last(program->dnn, any->src);
        any->dst = tr_layout_channels_last(program->dnn, any->dst);
        if (any->src == NULL || any->dst == NULL)
            return tr_out_of_memory(err, program->layer);
    }
    return TR_OK;
}

/* Winograd works on blocks of 16 channels; where they would be filled up with zeros, as the one
 * channel of a grey image, it is slower than the direct algorithm. A rule and not a measurement:
 * the algorithm is part of the numeric result. */
static tr_desc_context convolution_context(const tr_program *program, const tr_geometry *geometry,
                                           const tr_param *kernel)
{
    tr_desc_context context = tr_program_context(program);
    if (kernel->dims[2] % 16 != 0 || kernel->dims[3] % 16 != 0 || geometry->groups > 1 ||
        geometry->dilates[0] > 0 || geometry->dilates[1] > 0)
        context.convolution = dnnl_convolution_direct;
    return context;
}

/* Whether to ask again, now for the direct algorithm. */
static bool fall_back(tr_desc_context *context, dnnl_status_t status)
{
    if (status != dnnl_unimplemented || context->convolution == dnnl_convolution_direct)
        return false;
    context->convolution = dnnl_convolution_direct;
    return true;
}

/* ---- the three descriptors ---- */

static tr_status describe_forward(tr_program *program, const tr_geometry *geometry,
                                  tr_activation fused, const tr_param *kernel, const tr_param *bias,
                                  tr_value src, dnnl_primitive_desc_t *desc, tr_error *err)
{
    const tr_window window = tr_window_of(geometry);
    tr_weighted_layouts any;
    TR_TRY(any_layouts(program, TR_DIR_FORWARD, geometry, kernel, bias, src, &any, err));
    dnnl_primitive_attr_t attr;
    dnnl_status_t status = tr_attr_fused(&attr, fused);
    if (status == dnnl_success) {
        tr_desc_context context = convolution_context(program, geometry, kernel);
        context.attr = attr;
        /* For inference, Winograd would want the kernel transformed beforehand, in a layout that
         * nothing but a plain kernel can be reordered to. */
        if (context.convolution == dnnl_convolution_winograd)
            context.prop = dnnl_forward_training;
        do {
            status = tr_desc_conv_forward(desc, context, &window, tr_layout_md(any.src),
                                          tr_layout_md(any.kernel), tr_bias_md(&any),
                                          tr_layout_md(any.dst));
        } while (fall_back(&context, status));
        dnnl_primitive_attr_destroy(attr);
    }
    return status == dnnl_success ? TR_OK : tr_dnn_fail(err, status, program->layer, "convolution");
}

/* oneDNN 2.6's AVX2 kernel takes three times as long for a grey image (one input channel) on the
 * blocked layouts that it asks for as on channels-last ones. */
static bool wants_channels_last_gradient(const tr_geometry *geometry, const tr_param *kernel)
{
    return kernel->dims[2] == 1 && geometry->groups <= 1 && tr_dnn_isa() == TR_ISA_AVX2;
}

static dnnl_status_t describe_channels_last(const tr_program *program, const tr_window *window,
                                            const tr_weighted_layouts *any, tr_hint hint,
                                            dnnl_primitive_desc_t *desc)
{
    /* Not as layouts: for a single channel nhwc and nchw are the same bytes and so the same layout,
     * but oneDNN looks its kernels up by the one or the other. */
    tr_md_store src, dst;
    dnnl_dims_t src_dims, dst_dims;
    tr_layout_dims(any->src, src_dims);
    tr_layout_dims(any->dst, dst_dims);
    dnnl_status_t status = tr_md_init(&src, 4, src_dims, dnnl_f32, dnnl_nhwc);
    if (status != dnnl_success)
        return status;
    status = tr_md_init(&dst, 4, dst_dims, dnnl_f32, dnnl_nhwc);
    if (status == dnnl_success) {
        status = tr_desc_conv_backward_weights(desc, tr_program_context(program), window,
                                               tr_md_of(&src), tr_layout_md(any->kernel),
                                               tr_bias_md(any), tr_md_of(&dst), hint);
        tr_md_release(&dst);
    }
    tr_md_release(&src);
    return status;
}

/* Whether the bias's gradient is a sum of our own (pixels.h) and not oneDNN's, which adds all
 * pixels of a micro-batch in one running float32 sum. Measured against float64, it errs by 1e-2 for
 * 10^6 equal terms, 1e-4 for 8192 and 1.5e-5 for 1024; for terms of one sign that vary by a third
 * of sqrt(K) 2^-24, 1.8e-6 for 8192; for terms of both signs, as gradients mostly are, by less than
 * 1e-7 of their absolute sum. So up to 32 x 32 pixels, and 8192 in all, it is left to oneDNN, which
 * has diff_dst at hand. A rule on shapes: part of the numeric result. */
static bool sums_own_bias(const tr_program *program, const tr_geometry *geometry)
{
    enum { IMAGE_MAX = 1024, ALL_MAX = 8192 };
    const int64_t pixels = geometry->out[0] * geometry->out[1];
    return pixels > IMAGE_MAX || program->n * pixels > ALL_MAX;
}

static tr_status describe_backward_weights(tr_program *program, const tr_geometry *geometry,
                                           const tr_param *kernel, const tr_param *bias,
                                           tr_value src, tr_hint hint, dnnl_primitive_desc_t *desc,
                                           tr_error *err)
{
    const tr_window window = tr_window_of(geometry);
    tr_weighted_layouts any;
    if (sums_own_bias(program, geometry))
        bias = NULL;
    TR_TRY(any_layouts(program, TR_DIR_BACKWARD_WEIGHTS, geometry, kernel, bias, src, &any, err));
    if (wants_channels_last_gradient(geometry, kernel) &&
        describe_channels_last(program, &window, &any, hint, desc) == dnnl_success)
        return TR_OK;
    tr_desc_context context = convolution_context(program, geometry, kernel);
    dnnl_status_t status;
    do {
        status = tr_desc_conv_backward_weights(desc, context, &window, tr_layout_md(any.src),
                                               tr_layout_md(any.kernel), tr_bias_md(&any),
                                               tr_layout_md(any.dst), hint);
    } while (fall_back(&context, status));
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, "convolution's weights gradient");
    return TR_OK;
}

static tr_status describe_backward_data(tr_program *program, const tr_geometry *geometry,
                                        const tr_param *kernel, tr_value src, tr_hint hint,
                                        dnnl_primitive_desc_t *desc, tr_error *err)
{
    const tr_window window = tr_window_of(geometry);
    tr_weighted_layouts any;
    TR_TRY(any_layouts(program, TR_DIR_BACKWARD_DATA, geometry, kernel, NULL, src, &any, err));
    tr_desc_context context = convolution_context(program, geometry, kernel);
    dnnl_status_t status;
    do {
        status = tr_desc_conv_backward_data(desc, context, &window, tr_layout_md(any.src),
                                            tr_layout_md(any.kernel), tr_layout_md(any.dst), hint);
    } while (fall_back(&context, status));
    if (status != dnnl_success)
        return tr_dnn_fail(err, status, program->layer, "convolution's data gradient");
    return TR_OK;
}

/* The kernel's float32 layout in the flat vectors, decided by its first use: that of the gradient,
 * which every micro-batch writes; the forward's copy is made once a step. */
static tr_status packed_layout(tr_program *program, const tr_geometry *geometry,
                               const tr_param *kernel, const tr_param *bias, tr_value src,
                               dnnl_primitive_desc_t forward, tr_layout plain, tr_layout *packed,
                               tr_error *err)
{
    *packed = plain;
    if (kernel->packed != NULL || !program->backward_follows) /* decided, or nothing to ask */
        return TR_OK;
    dnnl_primitive_desc_t gradient;
    TR_TRY(
        describe_backward_weights(program, geometry, kernel, bias, src, forward, &gradient, err));
    *packed = tr_chosen_layout(program, gradient, dnnl_query_diff_weights_md);
    dnnl_primitive_desc_destroy(gradient);
    return TR_OK;
}

/* ---- kernels of our own in place of oneDNN's ---- */

/* Plain C, or a matrix product for each channel: with AVX2, where oneDNN 2.6 has nothing else for
 * the weights' gradient of 5 x 5 windows, 12 to 17 times as long as our depthwise kernels take. */
static bool is_of_no_use(const_dnnl_primitive_desc_t desc)
{
    const char *impl = NULL;
    return dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &impl) == dnnl_success &&
           impl != NULL && (strstr(impl, "ref") != NULL || strstr(impl, "gemm") != NULL);
}

/* Whether that holds of a direction that this convolution has. */
static tr_status look_for_useless(tr_program *program, const tr_geometry *geometry,
                                  const tr_param *kernel, tr_value src, bool *found, tr_error *err)
{
    dnnl_primitive_desc_t forward, backward;
    TR_TRY(describe_forward(program, geometry, TR_NOTHING_FUSED, kernel, NULL, src, &forward, err));
    tr_status status = TR_OK;
    *found = is_of_no_use(forward);
    for (int direction = 0; program->backward_follows && direction < 2 && !*found; direction++) {
        status = direction == 0 ? describe_backward_weights(program, geometry, kernel, NULL, src,
                                                            forward, &backward, err)
                                : describe_backward_data(program, geometry, kernel, src, forward,
                                                         &backward, err);
        if (status != TR_OK)
            break;
        *found = is_of_no_use(backward);
        dnnl_primitive_desc_destroy(backward);
    }
    dnnl_primitive_desc_destroy(forward);
    return status;
}

/* Whether kernels of our own compute it: with [engine] kernels = fast or portable, and where oneDNN
 * has none of use for a depthwise convolution: for all of its directions, so that they find their
 * tensors in one layout. */
static tr_status asks_own(tr_program *program, const tr_geometry *geometry, const tr_param *kernel,
                          tr_value src, bool *own, tr_error *err)
{
    const bool follows = program->backward_follows;
    const tr_window_sizes sizes = tr_conv_sizes(program, geometry, kernel, src);
    *own = tr_program_own(program) != NULL;
    if (*own || sizes.groups == 1 || sizes.groups < sizes.ic || tr_program_beside(program) == NULL)
        return TR_OK;
    program->backward_follows = follows || program->phase == TR_BACKWARD;
    const tr_status status = look_for_useless(program, geometry, kernel, src, own, err);
    program->backward_follows = follows;
    return status;
}

/* ---- planning ---- */

/* Backward descriptors want one of a training as their hint, also where no forward stands before
 * them. The program keeps it. */
static tr_status make_hint(tr_program *program, const tr_geometry *geometry, const tr_param *kernel,
                           tr_value src, tr_hint *hint, tr_error *err)
{
    const bool follows = program->backward_follows;
    dnnl_primitive_desc_t desc;
    program->backward_follows = true;
    const tr_status status =
        describe_forward(program, geometry, TR_NOTHING_FUSED, kernel, NULL, src, &desc, err);
    program->backward_follows = follows;
    if (status == TR_OK)
        *hint = desc;
    return status == TR_OK ? tr_program_keep(program, desc, err) : status;
}

tr_status tr_conv_place_kernel(tr_program *program, const tr_geometry *geometry, tr_param *kernel,
                               tr_value src, tr_hint *hint, tr_error *err)
{
    const tr_window_sizes sizes = tr_conv_sizes(program, geometry, kernel, src);
    const tr_layout plain = tr_kernel_layout(program->dnn, &sizes);
    tr_layout packed = plain;
    *hint = NULL;
    if (tr_program_own(program) == NULL) {
        TR_TRY(make_hint(program, geometry, kernel, src, hint, err));
        TR_TRY(packed_layout(program, geometry, kernel, NULL, src, *hint, plain, &packed, err));
    }
    return tr_program_param(program, kernel, plain, packed) == TR_NO_VALUE
               ? tr_out_of_memory(err, program->layer)
               : TR_OK;
}

static tr_meaning meaning_of(tr_direction direction, tr_activation fused,
                             const tr_geometry *geometry)
{
    return (tr_meaning){.kind = TR_KIND_CONVOLUTION,
                        .direction = direction,
                        .activation = fused,
                        .geometry = *geometry};
}

tr_status tr_conv_forward(tr_program *program, const tr_geometry *geometry, tr_activation fused,
                          tr_param *kernel, tr_param *bias, tr_value src, tr_value *dst,
                          tr_hint *hint, tr_error *err)
{
    bool own;
    *hint = NULL;
    TR_TRY(asks_own(program, geometry, kernel, src, &own, err));
    if (own)
        return tr_own_conv_forward(program, geometry, fused, kernel, bias, src, dst, err);
    const tr_window_sizes sizes = tr_conv_sizes(program, geometry, kernel, src);
    const tr_layout plain = tr_kernel_layout(program->dnn, &sizes);
    tr_layout packed;
    dnnl_primitive_desc_t desc;
    TR_TRY(describe_forward(program, geometry, fused, kernel, bias, src, &desc, err));
    const tr_status status =
        packed_layout(program, geometry, kernel, bias, src, desc, plain, &packed, err);
    if (status != TR_OK) {
        dnnl_primitive_desc_destroy(desc);
        return status;
    }
    const tr_meaning meaning = meaning_of(TR_DIR_FORWARD, fused, geometry);
    return tr_weighted_forward(program, desc, &meaning, kernel, plain, packed, bias, src, dst, hint,
                               err);
}

/* Whether a row or column of the window sees nothing but padding, at every place: such weights get
 * no terms, and their gradient is 0. */
static bool has_blind_taps(const tr_geometry *geometry, tr_program *program, tr_value src)
{
    int64_t dims[4];
    tr_layout_dims(tr_program_layout(program, src), dims);
    for (int axis = 0; axis < 2; axis++)
        for (int64_t k = 0; k < geometry->kernel[axis]; k++) {
            bool sees = false;
            for (int64_t i = 0; i < geometry->out[axis]; i++) {
                const int64_t at = i * geometry->strides[axis] - geometry->pad_before[axis] +
                                   k * (1 + geometry->dilates[axis]);
                sees = sees || (at >= 0 && at < dims[2 + axis]);
            }
            if (!sees)
                return true;
        }
    return false;
}

/* In bfloat16, oneDNN (2.6.3 and 3.7.2 were met) leaves the gradient of blind taps unwritten where
 * strides[1] > 1: whatever lay in that memory would be learned from. Cleared first, it is right. A
 * rule of the geometry alone, as clearing it costs next to nothing. */
tr_status tr_conv_backward_weights(tr_program *program, const tr_geometry *geometry,
                                   const tr_param *kernel, const tr_param *bias, tr_value src,
                                   tr_value diff_dst, tr_hint hint, tr_error *err)
{
    const bool apart = bias != NULL && sums_own_bias(program, geometry);
    const tr_param *theirs = apart ? NULL : bias;
    bool own;
    TR_TRY(asks_own(program, geometry, kernel, src, &own, err));
    if (own) {
        TR_TRY(tr_own_conv_backward_weights(program, geometry, kernel, theirs, src, diff_dst, err));
    } else {
        dnnl_primitive_desc_t desc;
        TR_TRY(describe_backward_weights(program, geometry, kernel, bias, src, hint, &desc, err));
        const tr_meaning meaning = meaning_of(TR_DIR_BACKWARD_WEIGHTS, TR_NOTHING_FUSED, geometry);
        TR_TRY(tr_weighted_backward_weights(program, desc, &meaning, kernel, theirs,
                                            has_blind_taps(geometry, program, src), src, diff_dst,
                                            err));
    }
    return apart ? tr_channel_sums(program, diff_dst, tr_program_gradient(program, bias), err)
                 : TR_OK;
}

tr_status tr_conv_backward_data(tr_program *program, const tr_geometry *geometry, tr_param *kernel,
                                tr_value src, tr_value diff_dst, tr_hint hint, tr_value *diff_src,
                                tr_error *err)
{
    bool own;
    TR_TRY(asks_own(program, geometry, kernel, src, &own, err));
    if (own)
        return tr_own_conv_backward_data(program, geometry, kernel, src, diff_dst, diff_src, err);
    dnnl_primitive_desc_t desc;
    TR_TRY(describe_backward_data(program, geometry, kernel, src, hint, &desc, err));
    const tr_meaning meaning = meaning_of(TR_DIR_BACKWARD_DATA, TR_NOTHING_FUSED, geometry);
    return tr_weighted_backward_data(program, desc, &meaning, kernel, diff_dst, diff_src, err);
}
