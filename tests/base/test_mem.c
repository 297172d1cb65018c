/* test_mem.c -- the door to the heap: aligned, zeroed, checked, counted, and made to fail. */
#include "mem.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_aligned(const void *block)
{
    return (uintptr_t)block % TR_ALIGN == 0;
}

Test(mem, blocks_are_aligned_and_zero)
{
    for (size_t n = 1; n < 5000; n = n * 3 / 2 + 1) {
        unsigned char *block = tr_alloc(n, 1);
        cr_assert_not_null(block);
        cr_expect(is_aligned(block));
        for (size_t i = 0; i < n; i++)
            cr_assert_eq(block[i], 0);
        memset(block, 0xab, n); /* so that the next one of this size is not zero by luck */
        tr_free(block);
    }
    tr_free(NULL);
}

Test(mem, zero_bytes_are_a_block)
{
    void *a = tr_alloc(0, 8), *b = tr_alloc(8, 0);
    cr_expect(a != NULL && b != NULL && a != b);
    tr_free(a);
    tr_free(b);
}

Test(mem, too_much_is_null)
{
    cr_expect_null(tr_alloc(SIZE_MAX, 1));
    cr_expect_null(tr_alloc(SIZE_MAX / 2 + 1, 2));
    cr_expect_null(tr_alloc((size_t)1 << 33, (size_t)1 << 33));
}

Test(mem, realloc_keeps_and_zeroes)
{
    uint32_t *block = tr_realloc(NULL, 0, 3, sizeof *block);
    cr_assert_not_null(block);
    for (uint32_t i = 0; i < 3; i++)
        block[i] = i + 1;
    block = tr_realloc(block, 3, 100, sizeof *block);
    cr_assert(block != NULL && is_aligned(block));
    for (uint32_t i = 0; i < 100; i++)
        cr_expect_eq(block[i], i < 3 ? i + 1 : 0);
    block = tr_realloc(block, 100, 2, sizeof *block);
    cr_expect(block[0] == 1 && block[1] == 2);
    cr_expect_null(tr_realloc(block, 2, SIZE_MAX, sizeof *block));
    cr_expect(block[0] == 1 && block[1] == 2, "a failed growth must leave the block");
    tr_free(block);
}

Test(mem, text)
{
    char *copy = tr_strdup("abc"), *empty = tr_strdup("");
    char *text = tr_format("%s-%d%c", "x", 12, '!');
    cr_expect_str_eq(copy, "abc");
    cr_expect_str_eq(empty, "");
    cr_expect_str_eq(text, "x-12!");
    tr_free(copy);
    tr_free(empty);
    tr_free(text);
}

Test(mem, counts)
{
    const uint64_t before = tr_alloc_count();
    void *a = tr_alloc(1, 1);
    char *b = tr_strdup("b");
    cr_expect_eq(tr_alloc_count(), before + 2);
    tr_free(a);
    tr_free(b);
    cr_expect_eq(tr_alloc_count(), before + 2);
}

Test(mem, fails_once_on_request)
{
    tr_alloc_fail_after(2);
    void *blocks[5];
    for (int i = 0; i < 5; i++)
        blocks[i] = tr_alloc(1, 1);
    for (int i = 0; i < 5; i++) {
        cr_expect_eq(blocks[i] == NULL, i == 2, "allocation %d", i);
        tr_free(blocks[i]);
    }
    tr_alloc_fail_after(0);
    tr_alloc_fail_after(-1); /* called off */
    void *block = tr_alloc(1, 1);
    cr_expect_not_null(block);
    tr_free(block);
}

Test(mem, shared_blocks_are_shared)
{
    enum { N = 100000 };
    unsigned char *block = tr_shared_alloc(N, 1);
    cr_assert(block != NULL && is_aligned(block));
    for (size_t i = 0; i < N; i++)
        cr_assert_eq(block[i], 0);
    const pid_t child = fork();
    if (child == 0) {
        memset(block, 7, N);
        memset(block - 64, 7, 64); /* astray */
        _exit(0);
    }
    cr_assert_eq(waitpid(child, NULL, 0), child);
    cr_expect(block[0] == 7 && block[N - 1] == 7);
    cr_expect_eq(block[-1], 0, "what stands before the block is ours alone");
    tr_shared_free(block);
    tr_shared_free(NULL);
}

Test(mem, shared_blocks_count_and_fail)
{
    cr_expect_null(tr_shared_alloc(SIZE_MAX, 1));
    cr_expect_null(tr_shared_alloc(SIZE_MAX / 2 + 1, 2));
    cr_expect_null(tr_shared_alloc((size_t)1 << 33, (size_t)1 << 20));
    const uint64_t before = tr_alloc_count();
    tr_alloc_fail_after(1);
    void *first = tr_shared_alloc(0, 8), *second = tr_shared_alloc(1, 1);
    tr_alloc_fail_after(-1);
    cr_expect(first != NULL && second == NULL);
    cr_expect_eq(tr_alloc_count(), before + 1);
    tr_shared_free(first);
}
