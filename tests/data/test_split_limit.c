/* test_split_limit.c -- a limit takes of the training part what scikit-learn would take: rows of
 * tests/golden/split_limit.py (scikit-learn 1.9.1).
 */
#include "data_fixture.h"

enum { MOST = 5000 };

typedef struct limit_case {
    int64_t n;
    double validation_split;
    int64_t limit;
    uint32_t seed;
    bool by_class;
    uint32_t head[3];
    uint64_t fnv;
} limit_case;

static const limit_case cases[] = {
    {10, 0, 3, 0u, false, {3, 0, 5}, UINT64_C(0x69bb3061753d6793)},
    {10, 0, 3, 42u, false, {4, 3, 6}, UINT64_C(0xde49c17269324514)},
    {10, 0, 3, 4294967295u, false, {4, 2, 3}, UINT64_C(0xdd5f2c51c514e060)},
    {100, 0.2, 40, 0u, false, {57, 37, 62}, UINT64_C(0x97dc2139ec2c4b6f)},
    {100, 0.2, 40, 0u, true, {40, 55, 80}, UINT64_C(0x4b340c11519a3b10)},
    {100, 0.2, 40, 42u, false, {71, 42, 65}, UINT64_C(0x7d6b24b461a68516)},
    {100, 0.2, 40, 42u, true, {38, 91, 7}, UINT64_C(0xfe9289eea4b8b107)},
    {100, 0.2, 40, 4294967295u, false, {50, 38, 85}, UINT64_C(0x3bdd1419e61fd01d)},
    {100, 0.2, 40, 4294967295u, true, {37, 61, 99}, UINT64_C(0xc1f2cc5ba9d88bea)},
    {1000, 0.1, 333, 0u, false, {286, 339, 288}, UINT64_C(0x2da6d0c76e0d89f3)},
    {1000, 0.1, 333, 0u, true, {277, 892, 693}, UINT64_C(0x2b03812dce79723a)},
    {1000, 0.1, 333, 42u, false, {822, 871, 27}, UINT64_C(0x3459082def44ccf4)},
    {1000, 0.1, 333, 42u, true, {496, 555, 236}, UINT64_C(0xff3d4eb765f936c8)},
    {1000, 0.1, 333, 4294967295u, false, {313, 15, 884}, UINT64_C(0x901bcd909a921f6b)},
    {1000, 0.1, 333, 4294967295u, true, {960, 559, 855}, UINT64_C(0x158fc01683657ca9)},
    {5000, 0, 4990, 0u, false, {4070, 1261, 4682}, UINT64_C(0x4e98e223dbbdd430)},
    {5000, 0, 4990, 0u, true, {3608, 262, 703}, UINT64_C(0xbe43539612560fbc)},
    {5000, 0, 4990, 42u, false, {2464, 228, 915}, UINT64_C(0xf42c756bc4b045ce)},
    {5000, 0, 4990, 42u, true, {391, 1968, 2617}, UINT64_C(0x597c9306d9d3025c)},
    {5000, 0, 4990, 4294967295u, false, {4316, 40, 4801}, UINT64_C(0x6d73e2436f8d6b7d)},
    {5000, 0, 4990, 4294967295u, true, {3878, 714, 4441}, UINT64_C(0x4075275f912a6b76)},
    {50, 0.5, 4, 0u, false, {20, 3, 36}, UINT64_C(0xcd5f048583a8521e)},
    {50, 0.5, 4, 0u, true, {48, 42, 3}, UINT64_C(0x28563d07c8c1ac14)},
    {50, 0.5, 4, 42u, false, {2, 40, 20}, UINT64_C(0x0ca4cc68864acfe0)},
    {50, 0.5, 4, 42u, true, {30, 10, 0}, UINT64_C(0x3c930bd3984fc775)},
    {50, 0.5, 4, 4294967295u, false, {43, 23, 24}, UINT64_C(0xd1a38dfa245a9ac4)},
    {50, 0.5, 4, 4294967295u, true, {39, 13, 37}, UINT64_C(0x7443d27788d2c5fa)},
};

static uint64_t fnv1a(const uint32_t *numbers, int64_t count)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (int64_t i = 0; i < count; i++)
        for (int shift = 0; shift < 32; shift += 8)
            digest = (digest ^ (numbers[i] >> shift & 0xff)) * UINT64_C(0x100000001b3);
    return digest;
}

static void make_labels(int32_t *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (int32_t)(i * i % 7);
}

static void expect_case(const limit_case *c)
{
    static int32_t y[MOST];
    tr_split split;
    tr_error err = {0};
    make_labels(y, c->n);
    cr_assert_eq(c->by_class
                     ? tr_split_make_stratified(&split, y, c->n, c->validation_split, c->seed, &err)
                     : tr_split_make(&split, c->n, c->validation_split, c->seed, &err),
                 TR_OK, "%s", err.text);
    const int64_t n_validation = split.n_validation;
    cr_assert_eq(tr_split_limit(&split, c->by_class ? y : NULL, c->limit, c->seed, &err), TR_OK,
                 "%s", err.text);
    cr_assert_eq(split.n_train, c->limit);
    cr_expect_eq(split.n_validation, n_validation);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(split.train[i], c->head[i], "%lld of %lld: train[%d] is %u, not %u",
                     (long long)c->limit, (long long)c->n, i, split.train[i], c->head[i]);
    cr_expect_eq(fnv1a(split.train, split.n_train), c->fnv, "%lld of %lld, seed %u",
                 (long long)c->limit, (long long)c->n, c->seed);
    tr_split_release(&split);
}

Test(split_limit, is_scikit_learns)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_case(&cases[i]);
    expect_no_leak();
}

Test(split_limit, none_or_more_than_there_are_keeps_all)
{
    static const int64_t limits[] = {0, 8, 9, 1000000};
    for (int i = 0; i < 4; i++) {
        tr_split split;
        cr_assert_eq(tr_split_make(&split, 10, 0.2, 0, NULL), TR_OK);
        const uint32_t first = split.train[0], last = split.train[7];
        cr_assert_eq(tr_split_limit(&split, NULL, limits[i], 3, NULL), TR_OK);
        cr_expect(split.n_train == 8 && split.train[0] == first && split.train[7] == last);
        tr_split_release(&split);
    }
}

Test(split_limit, fewer_than_the_classes_is_refused_where_they_matter)
{
    static int32_t y[100];
    tr_split split;
    tr_error err = {0};
    make_labels(y, 100);
    cr_assert_eq(tr_split_make(&split, 100, 0, 0, NULL), TR_OK);
    cr_assert_eq(tr_split_limit(&split, y, 3, 0, &err), TR_ERR_DATA);
    expect_texts(&err, "limit_train = 3 of 100 samples leaves 3 for training, fewer than the 4",
                 "make limit_train larger", NULL);
    cr_assert_eq(tr_split_limit(&split, y, 98, 0, &err), TR_ERR_DATA);
    expect_texts(&err, "leaves 2 for those left out", "make limit_train smaller", NULL);
    cr_expect_eq(split.n_train, 100);
    tr_split_release(&split);
    expect_no_leak();
}
