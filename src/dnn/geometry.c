/* geometry.c -- a sliding window in oneDNN's terms, and in those of our own kernels. */
#include "program_internal.h"

tr_window tr_window_of(const tr_geometry *geometry)
{
    tr_window window = {0};
    for (int i = 0; i < 2; i++) {
        window.kernel[i] = geometry->kernel[i];
        window.strides[i] = geometry->strides[i];
        window.pad_before[i] = geometry->pad_before[i];
        window.pad_after[i] = geometry->pad_after[i];
        window.dilates[i] = geometry->dilates[i];
    }
    return window;
}

int64_t tr_groups_of(const tr_geometry *geometry)
{
    return geometry->groups > 0 ? geometry->groups : 1;
}

tr_window_sizes tr_conv_sizes(const tr_program *program, const tr_geometry *geometry,
                              const tr_param *kernel, tr_value src)
{
    int64_t d[4];
    tr_layout_dims(tr_program_layout(program, src), d);
    return (tr_window_sizes){.n = d[0],
                             .ih = d[2],
                             .iw = d[3],
                             .ic = d[1],
                             .oh = geometry->out[0],
                             .ow = geometry->out[1],
                             .oc =
                                 kernel->dims[2] * kernel->dims[3] * tr_groups_of(geometry) / d[1],
                             .kh = kernel->dims[0],
                             .kw = kernel->dims[1],
                             .sh = geometry->strides[0],
                             .sw = geometry->strides[1],
                             .top = geometry->pad_before[0],
                             .left = geometry->pad_before[1],
                             .dh = geometry->dilates[0],
                             .dw = geometry->dilates[1],
                             .groups = tr_groups_of(geometry)};
}

tr_layout tr_kernel_layout(tr_dnn *dnn, const tr_window_sizes *s)
{
    return s->groups > 1
               ? tr_layout_hwigo(dnn, s->groups, s->kh, s->kw, s->ic / s->groups, s->oc / s->groups)
               : tr_layout_hwio(dnn, s->kh, s->kw, s->ic, s->oc);
}
