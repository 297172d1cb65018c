/* test_order.c -- epoch orders: permutations, addressed, pinned by order.py's own Philox. */
#include "data_fixture.h"

#include "order.h"

enum { N = 1000 };

static int64_t integer_attribute(hid_t object, const char *name, hid_t type)
{
    uint64_t value = 0;
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    cr_assert_geq(attribute, 0, "%s", name);
    cr_assert_geq(H5Aread(attribute, type, &value), 0);
    H5Aclose(attribute);
    return (int64_t)value;
}

Test(order, follows_the_paper)
{
    const hid_t file = H5Fopen(TR_GOLDEN "/order.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
    cr_assert_geq(file, 0);
    const int64_t cases = integer_attribute(file, "cases", H5T_NATIVE_INT64);
    cr_assert_gt(cases, 10);
    for (int64_t k = 0; k < cases; k++) {
        char name[24];
        snprintf(name, sizeof name, "%lld", (long long)k);
        const hid_t group = H5Gopen2(file, name, H5P_DEFAULT);
        const int64_t n = integer_attribute(group, "n", H5T_NATIVE_INT64);
        const uint64_t seed = (uint64_t)integer_attribute(group, "seed", H5T_NATIVE_UINT64);
        const uint32_t epoch = (uint32_t)integer_attribute(group, "epoch", H5T_NATIVE_UINT64);
        uint32_t *samples = tr_alloc((size_t)n, 4), *order = tr_alloc((size_t)n, 4),
                 *golden = tr_alloc((size_t)n, 4);
        for (int64_t i = 0; i < n; i++)
            samples[i] = (uint32_t)(3 * i + 1);
        const hid_t dataset = H5Dopen2(group, "order", H5P_DEFAULT);
        cr_assert_geq(H5Dread(dataset, H5T_NATIVE_UINT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, golden),
                      0);
        tr_order_shuffled(order, samples, n, seed, epoch);
        cr_expect_arr_eq(order, golden, (size_t)n * 4, "case %lld", (long long)k);
        H5Dclose(dataset);
        H5Gclose(group);
        tr_free(samples);
        tr_free(order);
        tr_free(golden);
    }
    H5Fclose(file);
}

static uint32_t samples[N], a[N], b[N];

static void count_up(void)
{
    for (uint32_t i = 0; i < N; i++)
        samples[i] = 2 * i + 5;
}

TestSuite(order, .init = count_up);

static int ascending(const void *left, const void *right)
{
    const uint32_t l = *(const uint32_t *)left, r = *(const uint32_t *)right;
    return (l > r) - (l < r);
}

Test(order, is_a_permutation)
{
    for (uint32_t epoch = 0; epoch < 20; epoch++) {
        tr_order_shuffled(a, samples, N, 3, epoch);
        qsort(a, N, sizeof a[0], ascending);
        cr_expect_arr_eq(a, samples, sizeof a);
    }
}

Test(order, depends_on_seed_and_epoch_alone)
{
    tr_order_shuffled(a, samples, N, 3, 7);
    tr_order_shuffled(b, samples, N, 3, 7);
    cr_expect_arr_eq(a, b, sizeof a);
    tr_order_shuffled(b, samples, N, 3, 8);
    cr_expect_arr_neq(a, b, sizeof a);
    tr_order_shuffled(b, samples, N, 4, 7);
    cr_expect_arr_neq(a, b, sizeof a);
    tr_order_shuffled(b, samples, N, 3 + (UINT64_C(1) << 32), 7); /* all 64 bits count */
    cr_expect_arr_neq(a, b, sizeof a);
}

/* Over many epochs each sample comes first, and comes last, about equally often: chi-squared with
 * 9 degrees of freedom, 27.9 being passed once in a thousand. The seed is fixed. */
Test(order, is_fair)
{
    enum { FEW = 10, EPOCHS = 20000 };
    int first[FEW] = {0}, last[FEW] = {0};
    for (uint32_t i = 0; i < FEW; i++)
        samples[i] = i;
    for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
        tr_order_shuffled(a, samples, FEW, 0, epoch);
        first[a[0]]++;
        last[a[FEW - 1]]++;
    }
    double chi_first = 0, chi_last = 0;
    for (int i = 0; i < FEW; i++) {
        const double f = first[i] - EPOCHS / FEW, l = last[i] - EPOCHS / FEW;
        chi_first += f * f / (EPOCHS / FEW);
        chi_last += l * l / (EPOCHS / FEW);
    }
    cr_expect_lt(chi_first, 27.9, "%g", chi_first);
    cr_expect_lt(chi_last, 27.9, "%g", chi_last);
}

Test(order, of_nothing_and_of_one)
{
    a[0] = 77;
    tr_order_shuffled(a, samples, 0, 0, 0);
    cr_expect_eq(a[0], 77);
    tr_order_shuffled(a, samples, 1, 0, 0);
    cr_expect_eq(a[0], samples[0]);
}
