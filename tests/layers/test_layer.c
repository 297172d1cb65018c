/* test_layer.c -- windows of TensorFlow: sizes and padding, worked out by hand. */
#include <criterion/criterion.h>

#include "layer.h"

static void expect(tr_padding padding, int64_t in, int64_t kernel, int64_t stride, int64_t out,
                   int64_t before, int64_t after)
{
    int64_t o, b, a;
    cr_assert(tr_window_axis(padding, in, kernel, stride, &o, &b, &a));
    cr_assert(o == out && b == before && a == after,
              "in %d kernel %d stride %d: %d (%d, %d), expected %d (%d, %d)", (int)in, (int)kernel,
              (int)stride, (int)o, (int)b, (int)a, (int)out, (int)before, (int)after);
}

Test(layer, same_padding_puts_the_odd_one_behind)
{
    expect(TR_PADDING_SAME, 28, 3, 1, 28, 1, 1);
    expect(TR_PADDING_SAME, 28, 4, 1, 28, 1, 2);
    expect(TR_PADDING_SAME, 28, 3, 2, 14, 0, 1);
    expect(TR_PADDING_SAME, 7, 3, 2, 4, 1, 1);
    expect(TR_PADDING_SAME, 5, 2, 3, 2, 0, 0); /* stride over kernel: nothing to pad */
    expect(TR_PADDING_SAME, 1, 5, 1, 1, 2, 2);
    expect(TR_PADDING_SAME, 1, 1, 7, 1, 0, 0);
}

Test(layer, valid_padding_drops_what_does_not_fit)
{
    expect(TR_PADDING_VALID, 28, 3, 1, 26, 0, 0);
    expect(TR_PADDING_VALID, 7, 2, 2, 3, 0, 0);
    expect(TR_PADDING_VALID, 5, 2, 3, 2, 0, 0);
    expect(TR_PADDING_VALID, 3, 3, 9, 1, 0, 0);
    int64_t out, before, after;
    cr_assert_not(tr_window_axis(TR_PADDING_VALID, 2, 3, 1, &out, &before, &after));
}
