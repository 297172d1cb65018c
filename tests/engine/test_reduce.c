/* test_reduce.c -- the tree, spelled out, for every number of leaves up to 70. */
#include <criterion/criterion.h>
#include <string.h>

#include "net.h"
#include "reduce.h"

enum { LEAVES = 70, N = 37, STRIDE = 48 };

static float leaves[LEAVES * STRIDE];

/* The definition in reduce.h, one element at a time. */
static float tree(int64_t first, int64_t n, size_t i)
{
    if (n == 1)
        return leaves[(size_t)first * STRIDE + i];
    int64_t left = 1;
    while (left * 2 < n)
        left *= 2;
    return tree(first, left, i) + tree(first + left, n - left, i);
}

Test(reduce, is_the_defined_tree_bit_for_bit)
{
    float out[N];
    test_fill(leaves, LEAVES * STRIDE, 3);
    for (int64_t n = 1; n <= LEAVES; n++) {
        tr_reduce_leaves(out, leaves, STRIDE, n, N);
        for (size_t i = 0; i < N; i++) {
            const float expected = tree(0, n, i);
            cr_assert_eq(memcmp(&out[i], &expected, sizeof expected), 0, "%d leaves, element %zu",
                         (int)n, i);
        }
    }
}

Test(reduce, order_is_visible_in_float32)
{
    /* 1e8 + 1 - 1e8: a plain left-to-right sum of these leaves is not the tree's. */
    memset(leaves, 0, sizeof leaves);
    leaves[0 * STRIDE] = 1e8f;
    leaves[1 * STRIDE] = 1.0f;
    leaves[2 * STRIDE] = -1e8f;
    leaves[3 * STRIDE] = 1.0f;
    float out;
    tr_reduce_leaves(&out, leaves, STRIDE, 4, 1);
    cr_assert_eq(out, (1e8f + 1.0f) + (-1e8f + 1.0f));
}

Test(reduce, sums_of_samples)
{
    tr_sums sums[11];
    for (int i = 0; i < 11; i++)
        sums[i] = (tr_sums){.loss = 0.5 * i, .metrics = {i, 2 * i}, .n = 8};
    const tr_sums total = tr_reduce_sums(sums, 11);
    cr_assert_eq(total.loss, 27.5);
    cr_assert_eq(total.metrics[0], 55);
    cr_assert_eq(total.metrics[1], 110);
    cr_assert_eq(total.metrics[2], 0);
    cr_assert_eq(total.n, 88);
}
