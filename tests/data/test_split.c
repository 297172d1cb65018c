/* test_split.c -- the split is scikit-learn's: index for index, golden file of split.py. */
#include "data_fixture.h"

#include <math.h>

enum { MAX_CASES = 1000 };

static int64_t n[MAX_CASES], n_train[MAX_CASES], n_validation[MAX_CASES], labels[MAX_CASES];
static double validation_split[MAX_CASES];
static uint32_t seed[MAX_CASES], head[MAX_CASES][2][4];
static uint64_t fnv[MAX_CASES][2];

static void read_golden(hid_t file, const char *name, hid_t type, void *values)
{
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    cr_assert_geq(dataset, 0, "%s", name);
    cr_assert_geq(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
    H5Dclose(dataset);
}

/* The number of cases in the group, "/" or "/stratified". */
static int golden_cases(const char *group)
{
    const hid_t root = H5Fopen(TR_GOLDEN "/split.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t file = H5Gopen2(root, group, H5P_DEFAULT);
    cr_assert(root >= 0 && file >= 0);
    hsize_t cases = 0;
    const hid_t dataset = H5Dopen2(file, "n", H5P_DEFAULT), space = H5Dget_space(dataset);
    H5Sget_simple_extent_dims(space, &cases, NULL);
    cr_assert(cases > 0 && cases <= MAX_CASES);
    H5Sclose(space);
    H5Dclose(dataset);
    read_golden(file, "n", H5T_NATIVE_INT64, n);
    read_golden(file, "n_train", H5T_NATIVE_INT64, n_train);
    read_golden(file, "n_validation", H5T_NATIVE_INT64, n_validation);
    read_golden(file, "validation_split", H5T_NATIVE_DOUBLE, validation_split);
    read_golden(file, "seed", H5T_NATIVE_UINT32, seed);
    read_golden(file, "head", H5T_NATIVE_UINT32, head);
    read_golden(file, "fnv", H5T_NATIVE_UINT64, fnv);
    if (H5Lexists(file, "labels", H5P_DEFAULT) > 0)
        read_golden(file, "labels", H5T_NATIVE_INT64, labels);
    H5Gclose(file);
    H5Fclose(root);
    return (int)cases;
}

static uint64_t fnv1a(const uint32_t *numbers, int64_t count)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (int64_t i = 0; i < count; i++)
        for (int shift = 0; shift < 32; shift += 8)
            digest = (digest ^ (numbers[i] >> shift & 0xff)) * UINT64_C(0x100000001b3);
    return digest;
}

static void expect_part(int k, int part, const uint32_t *numbers, int64_t count)
{
    for (int i = 0; i < 4 && i < count; i++)
        cr_expect_eq(numbers[i], head[k][part][i], "n=%lld split=%g seed=%u: %s[%d] is %u, not %u",
                     (long long)n[k], validation_split[k], seed[k],
                     part == 0 ? "train" : "validation", i, numbers[i], head[k][part][i]);
    cr_expect_eq(fnv1a(numbers, count), fnv[k][part], "n=%lld split=%g seed=%u: part %d differs",
                 (long long)n[k], validation_split[k], seed[k], part);
}

Test(split, is_scikit_learns)
{
    const int cases = golden_cases("/");
    cr_assert_gt(cases, 100);
    for (int k = 0; k < cases; k++) {
        tr_split split;
        tr_error err = {0};
        cr_assert_eq(tr_split_make(&split, n[k], validation_split[k], seed[k], &err), TR_OK, "%s",
                     err.text);
        cr_assert_eq(split.n_train, n_train[k]);
        cr_assert_eq(split.n_validation, n_validation[k]);
        expect_part(k, 0, split.train, split.n_train);
        expect_part(k, 1, split.validation, split.n_validation);
        tr_split_release(&split);
    }
    expect_no_leak();
}

/* labels_<k> into y[n]. */
static void read_labels(int64_t k, int32_t *y)
{
    char name[64];
    const hid_t file = H5Fopen(TR_GOLDEN "/split.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
    snprintf(name, sizeof name, "stratified/labels_%lld", (long long)k);
    read_golden(file, name, H5T_NATIVE_INT32, y);
    H5Fclose(file);
}

Test(split, is_scikit_learns_by_class)
{
    static int32_t y[100000];
    const int cases = golden_cases("/stratified");
    cr_assert_gt(cases, 200);
    for (int k = 0; k < cases; k++) {
        tr_split split;
        tr_error err = {0};
        read_labels(labels[k], y);
        cr_assert_eq(tr_split_make_stratified(&split, y, n[k], validation_split[k], seed[k], &err),
                     TR_OK, "%s", err.text);
        cr_assert_eq(split.n_train, n_train[k]);
        cr_assert_eq(split.n_validation, n_validation[k]);
        expect_part(k, 0, split.train, split.n_train);
        expect_part(k, 1, split.validation, split.n_validation);
        tr_split_release(&split);
    }
    expect_no_leak();
}

/* Typed from a Python session: train_test_split(np.arange(10), test_size=0.4, random_state=1,
 * stratify=[1, 1, 1, 1, 1, 1, 0, 0, 0, 0]) */
Test(split, ten_samples_of_two_classes_by_hand)
{
    const int32_t y[10] = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
    const uint32_t train[6] = {4, 9, 5, 2, 0, 8}, validation[4] = {1, 6, 7, 3};
    tr_split split;
    cr_assert_eq(tr_split_make_stratified(&split, y, 10, 0.4, 1, NULL), TR_OK);
    cr_expect_arr_eq(split.train, train, sizeof train);
    cr_expect_arr_eq(split.validation, validation, sizeof validation);
    tr_split_release(&split);
}

Test(split, what_scikit_learn_refuses_by_class_is_refused)
{
    const int32_t lonely[6] = {7, 7, -3, 7, 7, 7}, pairs[8] = {0, 1, 2, 3, 3, 2, 1, 0};
    const struct {
        const int32_t *y;
        int64_t n;
        double validation_split;
        const char *text;
    } cases[] = {{lonely, 6, 0.5, "class -3 has only 1 sample"},
                 {pairs, 8, 0.25, "leaves 2 for validation, fewer than the 4 classes"},
                 {pairs, 8, 0.75, "leaves 2 for training, fewer than the 4 classes"},
                 {pairs, 8, 0.99, "none is left"},
                 {pairs, 0, 0.5, "no samples"},
                 {pairs, 8, 1, "less than 1"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tr_split split = {0};
        tr_error err = {0};
        cr_expect_eq(tr_split_make_stratified(&split, cases[i].y, cases[i].n,
                                              cases[i].validation_split, 0, &err),
                     TR_ERR_DATA, "case %zu", i);
        expect_texts(&err, cases[i].text, NULL);
        cr_expect(split.train == NULL && split.validation == NULL);
    }
    tr_split split;
    cr_assert_eq(tr_split_make_stratified(&split, lonely, 6, 0, 0, NULL), TR_OK); /* nothing cut */
    cr_expect(split.n_train == 6 && split.n_validation == 0 && split.train[5] == 5);
    tr_split_release(&split);
    expect_no_leak();
}

/* Typed from a Python session, so that one case rests on no file:
 * train_test_split(np.arange(10), test_size=0.2, random_state=0) */
Test(split, ten_samples_by_hand)
{
    const uint32_t train[8] = {4, 9, 1, 6, 7, 3, 0, 5}, validation[2] = {2, 8};
    tr_split split;
    cr_assert_eq(tr_split_make(&split, 10, 0.2, 0, NULL), TR_OK);
    cr_expect_arr_eq(split.train, train, sizeof train);
    cr_expect_arr_eq(split.validation, validation, sizeof validation);
    tr_split_release(&split);
}

Test(split, zero_keeps_all_in_order)
{
    tr_split split;
    cr_assert_eq(tr_split_make(&split, 1000, 0, 5, NULL), TR_OK);
    cr_expect(split.n_train == 1000 && split.n_validation == 0);
    for (uint32_t i = 0; i < 1000; i++)
        cr_assert_eq(split.train[i], i);
    tr_split_release(&split);
    tr_split_release(&split); /* again: nothing left */
    tr_split_release(NULL);
}

Test(split, empty_parts_are_refused)
{
    const struct {
        int64_t n;
        double validation_split;
        const char *text;
    } cases[] = {{0, 0.2, "no samples"},        {-1, 0, "no samples"},
                 {1, 0.2, "none is left"},      {2, 0.9, "none is left"},
                 {10, 1, "less than 1"},        {10, -0.1, "less than 1"},
                 {10, NAN, "less than 1"},      {INT64_C(1) << 32, 0.2, "4294967295"},
                 {INT64_MAX, 0.2, "4294967295"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tr_split split = {0};
        tr_error err = {0};
        cr_expect_eq(tr_split_make(&split, cases[i].n, cases[i].validation_split, 0, &err),
                     TR_ERR_DATA, "case %zu", i);
        expect_texts(&err, cases[i].text, NULL);
        cr_expect(split.train == NULL && split.validation == NULL);
    }
}

Test(split, survives_any_failed_allocation)
{
    int32_t y[100];
    for (int i = 0; i < 100; i++)
        y[i] = i % 3;
    tr_status status = TR_ERR_INTERNAL;
    int64_t k = 0;
    for (; status != TR_OK && k < 1000; k++) {
        tr_split split = {0};
        tr_error err = {0};
        tr_alloc_fail_after(k);
        status = tr_split_make_stratified(&split, y, 100, 0.25, 0, &err);
        tr_alloc_fail_after(-1);
        cr_assert(status == TR_OK || status == TR_ERR_INTERNAL);
        cr_expect(status == TR_OK || split.train == NULL);
        tr_split_release(&split);
    }
    cr_expect_geq(k, 12);
    expect_no_leak();
}
