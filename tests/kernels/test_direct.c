/* test_direct.c -- our direct convolutions: right by a float64 definition, and the same bits on
 * every instruction set.
 */
#include <criterion/criterion.h>

#include "conv_batch.h"

/* What a window of `k` sees of `size` pixels. */
typedef struct side {
    int64_t size, result, k, stride, before;
} side;

typedef struct shape {
    int64_t n, ic, oc;
    side h, w;
} shape;

#define SAME(size, k)                                                                              \
    {                                                                                              \
        size, size, k, 1, ((k)-1) / 2                                                              \
    }
#define VALID(size, k)                                                                             \
    {                                                                                              \
        size, (size) - (k) + 1, k, 1, 0                                                            \
    }

static const shape shapes[] = {
    {1, 1, 1, VALID(1, 1), VALID(1, 1)},               /* a product */
    {2, 7, 5, VALID(3, 1), VALID(5, 1)},               /* one long row */
    {3, 64, 40, VALID(9, 1), VALID(7, 1)},             /* longer than a part */
    {2, 1, 32, SAME(28, 3), SAME(28, 3)},              /* one channel, several vectors */
    {2, 1, 6, VALID(28, 5), VALID(28, 5)},             /* filters that fill no vector */
    {2, 6, 16, VALID(14, 5), VALID(14, 5)},            /* LeNet's second */
    {1, 3, 16, SAME(32, 3), SAME(32, 3)},              /* colours */
    {3, 13, 17, SAME(7, 3), SAME(5, 3)},               /* primes */
    {9, 5, 33, SAME(4, 3), SAME(4, 3)},                /* more images than a part has */
    {1, 16, 3, SAME(6, 2), SAME(7, 4)},                /* even kernels */
    {2, 3, 7, {1, 1, 5, 1, 2}, {2, 2, 5, 1, 2}},       /* kernel larger than the image */
    {1, 4, 9, {3, 1, 3, 1, 0}, {3, 1, 3, 1, 0}},       /* a kernel of the image's size */
    {2, 5, 24, {9, 5, 3, 2, 1}, {10, 5, 3, 2, 0}},     /* strides; same pads behind only */
    {2, 16, 32, {8, 4, 1, 2, 0}, {8, 4, 1, 2, 0}},     /* pixels that no window covers */
    {1, 3, 4, {11, 3, 2, 4, 0}, {13, 5, 1, 3, 0}},     /* strides over the kernel */
    {2, 2, 3, {10, 4, 5, 3, 2}, {7, 3, 4, 3, 1}},      /* phases of unequal taps */
    {1, 2, 3, {4, 7, 3, 1, 3}, {4, 8, 3, 1, 4}},       /* windows in padding alone */
    {1, 1, 2, {2, 3, 2, 3, 3}, {2, 2, 2, 4, 2}},       /* the same, with strides */
    {1, 2, 11, {1, 1, 1, 1, 0}, {300, 298, 3, 1, 0}},  /* a row longer than a part */
    {1, 700, 5, {1, 1, 1, 1, 0}, {100, 100, 3, 1, 1}}, /* the same, forward, by bytes */
    {1, 200, 3, SAME(20, 3), SAME(20, 3)},             /* rows in parts, forward */
    {1, 2, 150, {21, 11, 3, 2, 1}, {41, 21, 3, 2, 1}}, /* the same, backward */
    {2, 3, 5, {6, 6, 3, 1, 1}, {1, 1, 1, 1, 0}},       /* a column */
    {5, 24, 48, VALID(1, 1), VALID(1, 1)},             /* dense, nearly */
    {3, 1, 10, SAME(5, 3), SAME(6, 3)},                /* short runs, odd filters */
    {2, 1, 20, SAME(9, 7), SAME(8, 5)},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static tr_window_sizes sizes_of(const shape *s)
{
    return (tr_window_sizes){.n = s->n,
                             .ih = s->h.size,
                             .iw = s->w.size,
                             .ic = s->ic,
                             .oh = s->h.result,
                             .ow = s->w.result,
                             .oc = s->oc,
                             .kh = s->h.k,
                             .kw = s->w.k,
                             .sh = s->h.stride,
                             .sw = s->w.stride,
                             .top = s->h.before,
                             .left = s->w.before};
}

static const tr_conv_kernels *direct(const tr_kernels *set)
{
    return set->direct;
}

static void each(void (*expect)(const tr_window_sizes *sizes, int i, conv_of *of))
{
    for (int i = 0; i < SHAPES; i++) {
        const tr_window_sizes sizes = sizes_of(&shapes[i]);
        expect(&sizes, i, direct);
    }
}

Test(direct, is_a_convolution)
{
    each(conv_expect_right);
}

Test(direct, has_the_same_bits_on_every_set)
{
    each(conv_expect_same_bits);
}

Test(direct, directions_are_adjoint)
{
    each(conv_expect_adjoint);
}

Test(direct, functions_come_after_the_sum)
{
    each(conv_expect_functions);
}

Test(direct, images_do_not_depend_on_their_number)
{
    each(conv_expect_images_alone);
}

Test(direct, bias_is_optional)
{
    each(conv_expect_bias_optional);
}
