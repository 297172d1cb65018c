/* test_folds.c -- folds are scikit-learn's: index for index, golden file of folds.py. */
#include "data_fixture.h"

#include <string.h>

static int64_t number(hid_t group, const char *name)
{
    int64_t value = -1;
    const hid_t attribute = H5Aopen(group, name, H5P_DEFAULT);
    cr_assert(H5Aread(attribute, H5T_NATIVE_INT64, &value) >= 0, "%s", name);
    H5Aclose(attribute);
    return value;
}

static uint64_t fnv1a(const uint32_t *numbers, int64_t count)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (int64_t i = 0; i < count; i++)
        for (int shift = 0; shift < 32; shift += 8)
            digest = (digest ^ (numbers[i] >> shift & 0xff)) * UINT64_C(0x100000001b3);
    return digest;
}

static void expect_case(const char *name, hid_t group)
{
    static int32_t labels[10000];
    uint64_t fnv[2];
    const hid_t attribute = H5Aopen(group, "fnv", H5P_DEFAULT);
    H5Aread(attribute, H5T_NATIVE_UINT64, fnv);
    H5Aclose(attribute);
    const bool stratified = number(group, "stratified") == 1;
    if (stratified) {
        const hid_t set = H5Dopen2(group, "labels", H5P_DEFAULT);
        cr_assert(H5Dread(set, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, labels) >= 0);
        H5Dclose(set);
    }
    tr_split split;
    tr_error err = {0};
    cr_assert_eq(tr_split_fold(&split, stratified ? labels : NULL, number(group, "n"),
                               number(group, "folds"), number(group, "fold"),
                               (uint32_t)number(group, "seed"), &err),
                 TR_OK, "%s: %s", name, err.text);
    cr_expect_eq(split.n_train, number(group, "n_train"), "%s", name);
    cr_expect_eq(split.n_validation, number(group, "n_validation"), "%s", name);
    cr_expect_eq(fnv1a(split.train, split.n_train), fnv[0], "%s: train", name);
    cr_expect_eq(fnv1a(split.validation, split.n_validation), fnv[1], "%s: validation", name);
    tr_split_release(&split);
}

Test(folds, are_scikit_learns)
{
    const hid_t file = H5Fopen(TR_GOLDEN "/folds.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
    H5G_info_t info;
    cr_assert(H5Gget_info(file, &info) >= 0 && info.nlinks > 50);
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[64];
        H5Lget_name_by_idx(file, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                           H5P_DEFAULT);
        const hid_t group = H5Gopen2(file, name, H5P_DEFAULT);
        expect_case(name, group);
        H5Gclose(group);
    }
    H5Fclose(file);
    expect_no_leak();
}

Test(folds, refuse_what_scikit_learn_refuses)
{
    const int32_t y[6] = {1, 1, 1, 0, 0, 0};
    tr_split split;
    tr_error err = {0};
    cr_expect_eq(tr_split_fold(&split, NULL, 3, 4, 1, 0, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "folds = 4 of 3 training samples"), "%s", err.text);
    cr_expect_eq(tr_split_fold(&split, y, 6, 4, 1, 0, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "no class has so many samples, the largest has 3"), "%s",
                       err.text);
    expect_no_leak();
}
