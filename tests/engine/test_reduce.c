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

/* The same tree over doubles: (1e16 + 1) + (-1e16 + 1) is 0, in any order of pairs but that one 1
 * or 2. */
Test(reduce, sums_of_samples)
{
    double rows[11 * 3] = {0}, total[3], room[TR_REDUCE_ROOM * 3];
    for (int i = 0; i < 11; i++) {
        rows[i * 3] = 0.5 * i;
        rows[i * 3 + 1] = 2 * i;
    }
    rows[0 * 3 + 2] = 1e16;
    rows[1 * 3 + 2] = rows[3 * 3 + 2] = 1;
    rows[2 * 3 + 2] = -1e16;
    tr_reduce_doubles(total, rows, 3, 11, 3, room);
    cr_assert_eq(total[0], 27.5);
    cr_assert_eq(total[1], 110);
    cr_assert_eq(total[2], (1e16 + 1.0) + (-1e16 + 1.0));
}
