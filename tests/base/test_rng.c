/* test_rng.c -- Philox4x32-10 against its authors' vectors, and the numbers made from it. */
#include "rng.h"

#include <criterion/criterion.h>
#include <math.h>

/* The known-answer vectors published with Random123 (kat_vectors, philox4x32 10). */
Test(rng, known_answers)
{
    const struct {
        uint32_t counter[4], key[2], out[4];
    } cases[] = {
        {{0}, {0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, /* pi */
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t out[4];
        tr_philox(cases[i].counter, cases[i].key, out);
        cr_expect_arr_eq(out, cases[i].out, sizeof out, "vector %zu", i);
    }
}

Test(rng, out_may_be_the_counter)
{
    uint32_t words[4] = {0};
    const uint32_t key[2] = {0}, expected[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    tr_philox(words, key, words);
    cr_expect_arr_eq(words, expected, sizeof words);
}

/* The address is part of what a seed means: (b low, b high, a, purpose) under (seed low, high). */
Test(rng, address_layout)
{
    const uint64_t seed = UINT64_C(0x0123456789abcdef), b = UINT64_C(0xfedcba9876543210);
    const uint32_t counter[4] = {0x76543210, 0xfedcba98, 77, TR_PURPOSE_SHUFFLE};
    const uint32_t key[2] = {0x89abcdef, 0x01234567};
    uint32_t out[4];
    tr_philox(counter, key, out);
    cr_expect_eq(tr_random_bits(seed, TR_PURPOSE_SHUFFLE, 77, b), (uint64_t)out[1] << 32 | out[0]);
    cr_expect_eq(TR_PURPOSE_INIT, 1);
    cr_expect_eq(TR_PURPOSE_SHUFFLE, 2);
}

Test(rng, every_coordinate_counts)
{
    const uint64_t here = tr_random_bits(1, TR_PURPOSE_INIT, 2, 3);
    cr_expect_neq(here, tr_random_bits(2, TR_PURPOSE_INIT, 2, 3));
    cr_expect_neq(here, tr_random_bits(1 + (UINT64_C(1) << 32), TR_PURPOSE_INIT, 2, 3));
    cr_expect_neq(here, tr_random_bits(1, TR_PURPOSE_SHUFFLE, 2, 3));
    cr_expect_neq(here, tr_random_bits(1, TR_PURPOSE_INIT, 3, 3));
    cr_expect_neq(here, tr_random_bits(1, TR_PURPOSE_INIT, 2, 4));
    cr_expect_neq(here, tr_random_bits(1, TR_PURPOSE_INIT, 2, 3 + (UINT64_C(1) << 32)));
}

/* Mean 1/2 and variance 1/12 to five standard errors; the seed is fixed. */
Test(rng, uniform)
{
    enum { N = 100000 };
    double sum = 0, squares = 0;
    for (uint64_t i = 0; i < N; i++) {
        const float u = tr_random_uniform(5, TR_PURPOSE_INIT, 0, i);
        cr_assert(u >= 0 && u < 1);
        cr_assert_eq(u * 0x1p24f, floorf(u * 0x1p24f), "24 bits");
        sum += u;
        squares += (double)u * u;
    }
    const double mean = sum / N, variance = squares / N - mean * mean;
    cr_expect_lt(fabs(mean - 0.5), 5 * sqrt(1.0 / 12 / N), "%g", mean);
    cr_expect_lt(fabs(variance - 1.0 / 12), 5 * sqrt(1.0 / 180 / N), "%g", variance);
}

Test(rng, below)
{
    int counts[7] = {0};
    for (uint64_t i = 0; i < 70000; i++) {
        const uint64_t value = tr_random_below(7, 0, TR_PURPOSE_SHUFFLE, 0, i);
        cr_assert_lt(value, 7);
        counts[value]++;
        cr_assert_eq(tr_random_below(1, 0, TR_PURPOSE_SHUFFLE, 0, i), 0);
    }
    for (int i = 0; i < 7; i++)
        cr_expect_lt(abs(counts[i] - 10000), 500, "%d: %d", i, counts[i]);
    cr_expect_gt(tr_random_below(UINT64_MAX, 0, TR_PURPOSE_SHUFFLE, 0, 0), UINT32_MAX);
}
