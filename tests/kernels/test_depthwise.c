/* test_depthwise.c -- our convolutions with groups or a dilated window, of which a group for each
 * channel is depthwise: what test_direct.c asks of dense ones.
 */
#include <criterion/criterion.h>

#include "conv_batch.h"

/* An axis of `size` pixels with such a window, padded as `same` pads it or not at all. */
typedef struct side {
    int64_t size, k, stride, dilation;
    bool same;
} side;

typedef struct shape {
    int64_t n, ic, oc, groups;
    side h, w;
} shape;

static const shape depthwise[] = {
    {2, 8, 8, 8, {7, 3, 1, 1, true}, {6, 3, 1, 1, true}},
    {1, 5, 5, 5, {9, 3, 1, 1, false}, {21, 3, 1, 1, false}},  /* no full vector; several blocks */
    {2, 24, 24, 24, {8, 3, 2, 1, true}, {15, 3, 2, 1, true}}, /* strides */
    {1, 17, 17, 17, {9, 3, 2, 1, false}, {30, 3, 2, 1, false}},
    {2, 40, 40, 40, {6, 5, 1, 1, true}, {13, 5, 1, 1, true}},
    {1, 16, 16, 16, {11, 5, 2, 1, true}, {20, 5, 2, 1, true}},
    {1, 9, 9, 9, {8, 7, 1, 1, true}, {9, 7, 1, 1, true}},
    {1, 3, 3, 3, {5, 9, 1, 1, true}, {12, 15, 1, 1, true}}, /* wider than the image, and than a
                                                               block */
    {2, 6, 6, 6, {5, 2, 1, 1, true}, {6, 4, 3, 1, true}},   /* even windows, strides of two sizes */
    {3, 33, 33, 33, {1, 3, 1, 1, true}, {1, 3, 1, 1, true}}, /* one pixel */
    {2, 7, 7, 7, {4, 1, 1, 1, false}, {5, 1, 1, 1, false}},  /* no window */
    {1, 4, 4, 4, {7, 1, 2, 1, false}, {9, 2, 3, 1, false}},  /* pixels that no window covers */
    {2, 8, 8, 8, {9, 3, 1, 2, true}, {8, 3, 1, 3, true}},    /* dilated */
    {1, 10, 10, 10, {9, 3, 1, 1, true}, {12, 3, 1, 4, false}},
    {1, 2, 2, 2, {4, 3, 1, 7, true}, {3, 2, 1, 5, true}},  /* further than the image reaches */
    {2, 5, 15, 5, {6, 3, 1, 1, true}, {7, 3, 1, 1, true}}, /* several results of each channel */
    {1, 8, 16, 8, {7, 3, 2, 1, true}, {9, 5, 2, 1, true}},
    {11, 12, 12, 12, {3, 3, 1, 1, true}, {3, 3, 1, 1, true}}, /* several images in a part */
    {1, 8, 8, 8, {3, 3, 1, 1, true}, {300, 3, 1, 1, true}},   /* rows longer than a part */
};

static const shape split[] = {
    {2, 6, 9, 3, {6, 3, 1, 1, true}, {5, 3, 1, 1, true}},
    {1, 32, 48, 2, {5, 3, 1, 1, false}, {7, 3, 1, 1, false}},
    {2, 8, 4, 4, {6, 3, 2, 1, true}, {7, 2, 1, 1, true}},   /* strides */
    {3, 4, 6, 2, {5, 1, 1, 1, false}, {3, 1, 1, 1, false}}, /* no window */
    {2, 3, 5, 1, {9, 3, 1, 2, true}, {8, 3, 1, 3, true}},   /* dilated */
    {1, 16, 24, 1, {12, 3, 1, 2, false}, {11, 2, 1, 4, false}},
    {1, 2, 3, 1, {4, 3, 1, 7, true}, {3, 2, 1, 5, true}},  /* further than the image reaches */
    {2, 4, 4, 1, {7, 1, 1, 1, false}, {8, 3, 1, 2, true}}, /* along one axis */
    {2, 6, 10, 2, {8, 3, 1, 2, true}, {7, 2, 1, 1, true}}, /* both */
};
enum { DEPTHWISE = sizeof depthwise / sizeof *depthwise, SPLIT = sizeof split / sizeof *split };

/* Results along an axis, and the padding before. */
static int64_t results(const side *a, int64_t *before)
{
    const int64_t covered = (a->k - 1) * a->dilation + 1;
    const int64_t out =
        a->same ? (a->size + a->stride - 1) / a->stride : (a->size - covered) / a->stride + 1;
    const int64_t padding = (out - 1) * a->stride + covered - a->size;
    *before = a->same && padding > 0 ? padding / 2 : 0;
    return out;
}

static tr_window_sizes sizes_of(const shape *s)
{
    tr_window_sizes sizes = {.n = s->n,
                             .ih = s->h.size,
                             .iw = s->w.size,
                             .ic = s->ic,
                             .oc = s->oc,
                             .kh = s->h.k,
                             .kw = s->w.k,
                             .sh = s->h.stride,
                             .sw = s->w.stride,
                             .dh = s->h.dilation - 1,
                             .dw = s->w.dilation - 1,
                             .groups = s->groups};
    sizes.oh = results(&s->h, &sizes.top);
    sizes.ow = results(&s->w, &sizes.left);
    return sizes;
}

static const tr_conv_kernels *of_depthwise(const tr_kernels *set)
{
    return set->depthwise;
}

static const tr_conv_kernels *of_split(const tr_kernels *set)
{
    return set->split;
}

static void each(void (*expect)(const tr_window_sizes *sizes, int i, conv_of *of))
{
    for (int i = 0; i < DEPTHWISE + SPLIT; i++) {
        const tr_window_sizes sizes =
            sizes_of(i < DEPTHWISE ? &depthwise[i] : &split[i - DEPTHWISE]);
        conv_of *of = i < DEPTHWISE ? of_depthwise : of_split;
        cr_assert(of(kernel_set(0))->takes(&sizes), "shape %d", i);
        expect(&sizes, i, of);
    }
}

Test(depthwise, is_a_convolution)
{
    each(conv_expect_right);
}

Test(depthwise, has_the_same_bits_on_every_set)
{
    each(conv_expect_same_bits);
}

Test(depthwise, directions_are_adjoint)
{
    each(conv_expect_adjoint);
}

Test(depthwise, functions_come_after_the_sum)
{
    each(conv_expect_functions);
}

Test(depthwise, images_do_not_depend_on_their_number)
{
    each(conv_expect_images_alone);
}

Test(depthwise, bias_is_optional)
{
    each(conv_expect_bias_optional);
}
