/* split.c -- convolution with groups of channels or a dilated window: several dense ones.
 *
 * A part has the channels of one group and, where neighbours of the window lie d rows apart, the
 * rows of the result with one remainder by d, which see rows of the source with one remainder, and
 * neighbours among them neighbours; likewise columns. Each part is gathered, with the border of
 * zeros that a dilated window sees, is convolved by the direct kernels, and its result is put back.
 *
 * So the chains of results are those of convolution.c and convolution_data.c; of a dilated window
 * rows and columns outside of the image are 0 and count. The weights' gradient of a group is
 * ((part 0 + part 1) + part 2) ..., by remainders of rows, then of columns, each as in
 * convolution_weights.c; diff_bias likewise.
 */
#include <string.h>

#include "set.h"

static int64_t groups_of(const tr_window_sizes *s)
{
    return s->groups > 0 ? s->groups : 1;
}

/* Strides and dilation together are nobody's. */
static bool takes(const tr_window_sizes *s)
{
    const bool dilated = s->dh > 0 || s->dw > 0;
    return dilated ? s->sh == 1 && s->sw == 1 : groups_of(s) > 1;
}

/* The sizes of every part: where remainders leave one smaller, its last rows are 0. */
static tr_window_sizes part_of(const tr_window_sizes *s)
{
    tr_window_sizes part = *s;
    part.ic = s->ic / groups_of(s);
    part.oc = s->oc / groups_of(s);
    part.groups = part.dh = part.dw = 0;
    if (s->dh > 0) {
        part.oh = (s->oh + s->dh) / (s->dh + 1);
        part.ih = part.oh + s->kh - 1;
        part.top = 0;
    }
    if (s->dw > 0) {
        part.ow = (s->ow + s->dw) / (s->dw + 1);
        part.iw = part.ow + s->kw - 1;
        part.left = 0;
    }
    return part;
}

/* ---- gathering ---- */

/* Pixels of a part in whole images: its row i is row i * step + first there. */
typedef struct line {
    int64_t step, first, whole, part; /* sizes of both */
} line;

typedef struct view {
    line h, w;
    int64_t images, channels, of_part, channel;
} view;

static view src_of(const tr_window_sizes *s, const tr_window_sizes *part, int64_t group,
                   int64_t row, int64_t column)
{
    return (view){{s->dh + 1, s->dh > 0 ? row - s->top : 0, s->ih, part->ih},
                  {s->dw + 1, s->dw > 0 ? column - s->left : 0, s->iw, part->iw},
                  s->n,
                  s->ic,
                  part->ic,
                  group * part->ic};
}

static view dst_of(const tr_window_sizes *s, const tr_window_sizes *part, int64_t group,
                   int64_t row, int64_t column)
{
    return (view){{s->dh + 1, row, s->oh, part->oh},
                  {s->dw + 1, column, s->ow, part->ow},
                  s->n,
                  s->oc,
                  part->oc,
                  group * part->oc};
}

/* The place of a pixel in whole images, or -1. */
static int64_t place(const view *v, int64_t image, int64_t row, int64_t column)
{
    const int64_t h = row * v->h.step + v->h.first, w = column * v->w.step + v->w.first;
    if (h < 0 || h >= v->h.whole || w < 0 || w >= v->w.whole)
        return -1;
    return ((image * v->h.whole + h) * v->w.whole + w) * v->channels + v->channel;
}

static void gather(const view *v, const float *whole, float *part)
{
    const size_t bytes = (size_t)v->of_part * sizeof *part;
    for (int64_t image = 0; image < v->images; image++)
        for (int64_t row = 0; row < v->h.part; row++)
            for (int64_t column = 0; column < v->w.part; column++, part += v->of_part) {
                const int64_t at = place(v, image, row, column);
                if (at < 0)
                    memset(part, 0, bytes);
                else
                    memcpy(part, whole + at, bytes);
            }
}

static void put(const view *v, const float *part, float *whole)
{
    for (int64_t image = 0; image < v->images; image++)
        for (int64_t row = 0; row < v->h.part; row++)
            for (int64_t column = 0; column < v->w.part; column++, part += v->of_part) {
                const int64_t at = place(v, image, row, column);
                if (at >= 0)
                    memcpy(whole + at, part, (size_t)v->of_part * sizeof *part);
            }
}

/* ---- memory ---- */

enum { LINE = 16 }; /* floats */

static int64_t in_lines(int64_t floats)
{
    return (floats + LINE - 1) / LINE * LINE;
}

static int64_t src_floats(const tr_window_sizes *part)
{
    return in_lines(part->n * part->ih * part->iw * part->ic);
}

static int64_t dst_floats(const tr_window_sizes *part)
{
    return in_lines(part->n * part->oh * part->ow * part->oc);
}

static int64_t kernel_floats(const tr_window_sizes *part)
{
    return in_lines(part->kh * part->kw * part->ic * part->oc);
}

/* With `inner` bytes for the direct kernels behind. */
static size_t scratch_of(const tr_window_sizes *part, size_t inner)
{
    return (size_t)(src_floats(part) + dst_floats(part)) * sizeof(float) + inner;
}

/* ---- weights ---- */

/* Behind the packed groups, a group's kernel lies as it is packed. */
static size_t packed_of(const tr_window_sizes *s, const tr_window_sizes *part, size_t of_group)
{
    return (size_t)groups_of(s) * of_group + (size_t)kernel_floats(part);
}

static void
pack(const tr_window_sizes *s, const tr_window_sizes *part, const float *kernel, size_t of_group,
     void (*pack_group)(const tr_window_sizes *sizes, const float *kernel, float *packed),
     float *packed)
{
    float *own = packed + (size_t)groups_of(s) * of_group;
    for (int64_t group = 0; group < groups_of(s); group++, packed += of_group) {
        for (int64_t tap = 0; tap < s->kh * s->kw * part->ic; tap++)
            memcpy(own + tap * part->oc, kernel + tap * s->oc + group * part->oc,
                   (size_t)part->oc * sizeof *own);
        pack_group(part, own, packed);
    }
}

static size_t forward_packed(const tr_window_sizes *s)
{
    const tr_window_sizes part = part_of(s);
    return packed_of(s, &part, TR_OF_SET(tr_direct).forward_packed(&part));
}

static void pack_forward(const tr_window_sizes *s, const float *kernel, float *packed)
{
    const tr_window_sizes part = part_of(s);
    pack(s, &part, kernel, TR_OF_SET(tr_direct).forward_packed(&part),
         TR_OF_SET(tr_direct).pack_forward, packed);
}

static size_t backward_data_packed(const tr_window_sizes *s)
{
    const tr_window_sizes part = part_of(s);
    return packed_of(s, &part, TR_OF_SET(tr_direct).backward_data_packed(&part));
}

static void pack_backward_data(const tr_window_sizes *s, const float *kernel, float *packed)
{
    const tr_window_sizes part = part_of(s);
    pack(s, &part, kernel, TR_OF_SET(tr_direct).backward_data_packed(&part),
         TR_OF_SET(tr_direct).pack_backward_data, packed);
}

/* ---- results ---- */

static size_t forward_scratch(const tr_window_sizes *s)
{
    const tr_window_sizes part = part_of(s);
    return scratch_of(&part, TR_OF_SET(tr_direct).forward_scratch(&part));
}

static void forward(const tr_window_sizes *s, const float *src, const float *packed,
                    const tr_epilogue *epilogue, float *dst, void *scratch)
{
    const tr_window_sizes part = part_of(s);
    const size_t of_group = TR_OF_SET(tr_direct).forward_packed(&part);
    float *own_src = scratch, *own_dst = own_src + src_floats(&part);
    for (int64_t group = 0; group < groups_of(s); group++) {
        tr_epilogue own = *epilogue;
        if (own.bias != NULL)
            own.bias += group * part.oc;
        for (int64_t row = 0; row <= s->dh; row++)
            for (int64_t column = 0; column <= s->dw; column++) {
                const view from = src_of(s, &part, group, row, column),
                           to = dst_of(s, &part, group, row, column);
                gather(&from, src, own_src);
                TR_OF_SET(tr_direct).forward(&part, own_src, packed + (size_t)group * of_group,
                                             &own, own_dst, own_dst + dst_floats(&part));
                put(&to, own_dst, dst);
            }
    }
}

static size_t backward_data_scratch(const tr_window_sizes *s)
{
    const tr_window_sizes part = part_of(s);
    return scratch_of(&part, TR_OF_SET(tr_direct).backward_data_scratch(&part));
}

static void backward_data(const tr_window_sizes *s, const float *diff_dst, const float *packed,
                          float *diff_src, void *scratch)
{
    const tr_window_sizes part = part_of(s);
    const size_t of_group = TR_OF_SET(tr_direct).backward_data_packed(&part);
    float *own_src = scratch, *own_dst = own_src + src_floats(&part);
    for (int64_t group = 0; group < groups_of(s); group++)
        for (int64_t row = 0; row <= s->dh; row++)
            for (int64_t column = 0; column <= s->dw; column++) {
                const view from = dst_of(s, &part, group, row, column),
                           to = src_of(s, &part, group, row, column);
                gather(&from, diff_dst, own_dst);
                TR_OF_SET(tr_direct).backward_data(&part, own_dst,
                                                   packed + (size_t)group * of_group, own_src,
                                                   own_dst + dst_floats(&part));
                put(&to, own_src, diff_src);
            }
}

/* ---- gradients of the weights ---- */

/* `kernel` (taps, of_part) into or onto the columns of a group in `whole` (taps, all). */
static void add_columns(const float *kernel, int64_t taps, int64_t of_part, bool first,
                        float *whole, int64_t all)
{
    for (int64_t tap = 0; tap < taps; tap++, kernel += of_part, whole += all)
        for (int64_t o = 0; o < of_part; o++)
            whole[o] = first ? kernel[o] : whole[o] + kernel[o];
}

static size_t backward_weights_scratch(const tr_window_sizes *s)
{
    const tr_window_sizes part = part_of(s);
    return scratch_of(&part, (size_t)(kernel_floats(&part) + in_lines(part.oc)) * sizeof(float) +
                                 TR_OF_SET(tr_direct).backward_weights_scratch(&part));
}

static void backward_weights(const tr_window_sizes *s, const float *src, const float *diff_dst,
                             float *diff_kernel, float *diff_bias, void *scratch)
{
    const tr_window_sizes part = part_of(s);
    const int64_t taps = part.kh * part.kw * part.ic, columns = s->dw + 1;
    float *own_src = scratch, *own_dst = own_src + src_floats(&part),
          *kernel = own_dst + dst_floats(&part), *bias = kernel + kernel_floats(&part),
          *inner = bias + in_lines(part.oc);
    for (int64_t group = 0; group < groups_of(s); group++)
        for (int64_t i = 0; i < (s->dh + 1) * columns; i++) {
            const view of_src = src_of(s, &part, group, i / columns, i % columns),
                       of_dst = dst_of(s, &part, group, i / columns, i % columns);
            gather(&of_src, src, own_src);
            gather(&of_dst, diff_dst, own_dst);
            TR_OF_SET(tr_direct).backward_weights(&part, own_src, own_dst, kernel,
                                                  diff_bias == NULL ? NULL : bias, inner);
            add_columns(kernel, taps, part.oc, i == 0, diff_kernel + group * part.oc, s->oc);
            if (diff_bias != NULL)
                add_columns(bias, 1, part.oc, i == 0, diff_bias + group * part.oc, s->oc);
        }
}

const tr_conv_kernels TR_OF_SET(tr_split) = {
    .name = "split",
    .takes = takes,
    .forward_packed = forward_packed,
    .pack_forward = pack_forward,
    .forward_scratch = forward_scratch,
    .forward = forward,
    .backward_data_packed = backward_data_packed,
    .pack_backward_data = pack_backward_data,
    .backward_data_scratch = backward_data_scratch,
    .backward_data = backward_data,
    .backward_weights_scratch = backward_weights_scratch,
    .backward_weights = backward_weights,
};
