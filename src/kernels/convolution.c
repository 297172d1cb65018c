/* convolution.c -- direct convolution, forward.
 *
 * dst[n,oh,ow,oc] = functions(sum), where the chain of sum is: bias[oc], or 0; then, for kh, for
 * kw, for ic, each in ascending order: sum = fma(src[n,ih,iw,ic], kernel[kh,kw,ic,oc], sum) with ih
 * = oh * sh + kh - top, iw = ow * sw + kw - left. A row outside of the image is left out, a column
 * outside is 0 and counts.
 *
 * Channels-last, so what a window covers of a row is one run of kw * ic numbers; only where there
 * are columns of padding, rows are copied with them. Without a window (1 x 1, stride 1) all pixels
 * of a micro-batch are one long row. A relu that comes first is applied in registers, the other
 * functions as soon as a part is there.
 */
#include "direct.h"

static bool takes(const tr_window_sizes *s)
{
    return s->groups <= 1 && s->dh == 0 && s->dw == 0;
}

static tr_direct_part largest_part(const tr_window_sizes *s)
{
    const int64_t bytes = (s->sh * s->sw * s->ic + s->oc) * (int64_t)sizeof(float);
    return tr_direct_largest(s->n, s->oh, s->ow, tr_direct_pixels(bytes));
}

/* Is every column there that a window reaches? */
static bool has_columns(const tr_window_sizes *s)
{
    return s->left == 0 && (s->ow - 1) * s->sw + s->kw <= s->iw;
}

static int vectors_of(const tr_window_sizes *s)
{
    return TR_OF_SET(tr_direct_vectors)(tr_direct_is_row(s) ? TR_DIRECT_LONG_ROW : s->ow, s->oc,
                                        s->kh * s->kw * s->ic);
}

/* ---- weights ---- */

static size_t forward_packed(const tr_window_sizes *sizes)
{
    return (size_t)tr_direct_packed_size(sizes->oc, sizes->kh * sizes->kw * sizes->ic);
}

static void pack_forward(const tr_window_sizes *sizes, const float *kernel, float *packed)
{
    const int64_t oc = sizes->oc, taps = sizes->kh * sizes->kw * sizes->ic;
    const int vectors = vectors_of(sizes);
    for (int64_t o = 0; o < oc; o += VL) {
        int64_t pitch;
        float *to = packed + tr_direct_packed_at(o, oc, taps, vectors, &pitch);
        for (int64_t tap = 0; tap < taps; tap++)
            v_store(to + tap * pitch, o + VL <= oc ? v_load(kernel + tap * oc + o)
                                                   : v_load_n(kernel + tap * oc + o, oc - o));
    }
}

/* ---- results ---- */

static size_t forward_scratch(const tr_window_sizes *sizes)
{
    const tr_window_sizes s = tr_direct_as_row(*sizes);
    const tr_direct_part part = largest_part(&s);
    const int64_t rows = (part.rows - 1) * s.sh + s.kh, columns = (part.columns - 1) * s.sw + s.kw;
    return has_columns(&s) ? 0 : (size_t)(part.images * rows * columns * s.ic) * sizeof(float);
}

/* The source of a part: in place, or copied with its columns of padding. */
static void set_source(tr_direct_pass *pass, const tr_window_sizes *s, const tr_direct_part *part,
                       const float *src, float *scratch)
{
    const float *image = src + part->image * s->ih * s->iw * s->ic;
    const int64_t first = part->row * s->sh - s->top, column = part->column * s->sw - s->left,
                  end = first + (part->rows - 1) * s->sh + s->kh,
                  columns = (part->columns - 1) * s->sw + s->kw;
    if (has_columns(s)) {
        pass->src = image + column * s->ic;
        pass->src_row = s->iw * s->ic;
        pass->src_rows = s->ih;
        pass->top = -first;
    } else {
        const int64_t from = first > 0 ? first : 0, to = end < s->ih ? end : s->ih;
        pass->src = scratch;
        pass->src_row = columns * s->ic;
        pass->src_rows = to > from ? to - from : 0;
        pass->top = from - first;
        tr_direct_copy(image, part->images, s->ih, s->iw, s->ic, from, pass->src_rows, column,
                       columns, scratch);
    }
    pass->src_image = has_columns(s) ? s->ih * s->iw * s->ic : pass->src_rows * pass->src_row;
}

/* What is left to be done with the results of a part, which lie together. */
static void apply_functions(const tr_direct_pass *pass, const tr_epilogue *epilogue, int first)
{
    const int64_t count = pass->images * pass->rows * pass->columns * pass->channels;
    for (int f = first; f < epilogue->n_functions; f++)
        TR_OF_SET(tr_functions).forward(&epilogue->functions[f], count, pass->dst, pass->dst);
}

static void forward(const tr_window_sizes *sizes, const float *src, const float *packed,
                    const tr_epilogue *epilogue, float *dst, void *scratch)
{
    const tr_window_sizes s = tr_direct_as_row(*sizes);
    const tr_direct_part largest = largest_part(&s);
    const bool relu = epilogue->n_functions > 0 && epilogue->functions[0].kind == TR_FN_RELU;
    tr_direct_pass pass = {
        .src_pixel = s.sw * s.ic,
        .step = s.sh,
        .kernel_rows = s.kh,
        .run = s.kw * s.ic,
        .dst_image = s.oh * s.ow * s.oc,
        .dst_row = s.ow * s.oc,
        .dst_pixel = s.oc,
        .channels = s.oc,
        .packed = packed,
        .bias = epilogue->bias,
        .relu = relu ? &epilogue->functions[0] : NULL,
        .vectors = vectors_of(sizes),
    };
    for (tr_direct_part part = largest; part.image < s.n;
         part = tr_direct_next(part, largest, s.n, s.oh, s.ow)) {
        set_source(&pass, &s, &part, src, scratch);
        pass.dst = dst + ((part.image * s.oh + part.row) * s.ow + part.column) * s.oc;
        pass.images = part.images;
        pass.rows = part.rows;
        pass.columns = part.columns;
        TR_OF_SET(tr_direct_compute)(&pass);
        apply_functions(&pass, epilogue, relu ? 1 : 0);
    }
}

const tr_conv_kernels TR_OF_SET(tr_direct) = {
    .name = "direct",
    .takes = takes,
    .forward_packed = forward_packed,
    .pack_forward = pack_forward,
    .forward_scratch = forward_scratch,
    .forward = forward,
    .backward_data_packed = TR_OF_SET(tr_direct_data_packed),
    .pack_backward_data = TR_OF_SET(tr_direct_pack_data),
    .backward_data_scratch = TR_OF_SET(tr_direct_data_scratch),
    .backward_data = TR_OF_SET(tr_direct_data),
    .backward_weights_scratch = TR_OF_SET(tr_direct_weights_scratch),
    .backward_weights = TR_OF_SET(tr_direct_weights),
};
