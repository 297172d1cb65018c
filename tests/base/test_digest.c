/* test_digest.c -- content digests: XXH3-128, the same in one piece or in many. */
#include "digest.h"

#include <criterion/criterion.h>
#include <string.h>

#include "mem.h"

static const char *digest_of(const void *bytes, size_t n, size_t step)
{
    static char text[2][TR_DIGEST_TEXT];
    static int turn;
    char *to = text[turn ^= 1];
    tr_digest *digest = tr_digest_new();
    cr_assert_not_null(digest);
    for (size_t i = 0; i < n; i += step)
        tr_digest_add(digest, (const char *)bytes + i, n - i < step ? n - i : step);
    tr_digest_text(digest, to);
    tr_digest_free(digest);
    return to;
}

/* The published digest of no bytes, and `printf abc | xxhsum -H2`. */
Test(digest, is_xxh3_128)
{
    cr_expect_str_eq(digest_of("", 0, 1), "99aa06d3014798d86001c324468d497f");
    cr_expect_str_eq(digest_of("abc", 3, 3), "06b05ab6733a618578af5f94892f3950");
}

Test(digest, pieces_do_not_matter_but_every_bit_does)
{
    char bytes[1000] = {0};
    char whole[TR_DIGEST_TEXT];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    strcpy(whole, digest_of(bytes, sizeof bytes, sizeof bytes));
    for (size_t step = 1; step < sizeof bytes; step += 97)
        cr_expect_str_eq(digest_of(bytes, sizeof bytes, step), whole);
    bytes[999] ^= 1;
    cr_expect_str_neq(digest_of(bytes, sizeof bytes, 1000), whole);
}

Test(digest, out_of_memory)
{
    tr_alloc_fail_after(0);
    cr_expect_null(tr_digest_new());
    tr_alloc_fail_after(-1);
    tr_digest_free(NULL);
}
