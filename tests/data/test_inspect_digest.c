/* test_inspect_digest.c -- a digest says what the values are, not how they are packed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "digest.h"
#include "inspect.h"
#include "net.h"

enum { ROWS = 7000, COLUMNS = 700 }; /* more than a slab */

static uint8_t values[ROWS * COLUMNS];

/* One dataset `x` of `type`; chunk 0: contiguous. The digest is in a static buffer. */
static const char *digest_of(hid_t type, hsize_t chunk)
{
    static char digest[33];
    const hsize_t dims[2] = {ROWS, COLUMNS}, chunks[2] = {chunk, 13};
    char path[512];
    tr_error err = {0};
    tr_inspection *found = NULL;
    snprintf(path, sizeof path, "%s/d.h5", test_folder());
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(2, dims, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
    if (chunk > 0) {
        H5Pset_chunk(plist, 2, chunks);
        H5Pset_deflate(plist, 1);
    }
    const hid_t set = H5Dcreate2(file, "x", type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    cr_assert(H5Dwrite(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(set);
    H5Pclose(plist);
    H5Sclose(space);
    H5Fclose(file);
    cr_assert_eq(tr_inspect(&found, path, TR_H5_DATASET, &err), TR_OK, "%s", err.text);
    cr_assert_str_eq(found->items[0].digest, "");
    cr_assert_eq(tr_inspect_digests(found, path, TR_H5_DATASET, &err), TR_OK, "%s", err.text);
    snprintf(digest, sizeof digest, "%s", found->items[0].digest);
    tr_inspection_free(found);
    return digest;
}

Test(inspect_digest, is_of_the_values)
{
    char expected[33];
    for (size_t i = 0; i < sizeof values; i++)
        values[i] = (uint8_t)(i * i >> 3);
    tr_digest *digest = tr_digest_new();
    tr_digest_add(digest, values, sizeof values);
    tr_digest_text(digest, expected);
    tr_digest_free(digest);
    cr_expect_str_eq(digest_of(H5T_STD_U8LE, 0), expected);
    cr_expect_str_eq(digest_of(H5T_STD_U8LE, 999), expected);
    cr_expect_str_neq(digest_of(H5T_STD_U16LE, 0), expected);
    char other[33];
    snprintf(other, sizeof other, "%s", digest_of(H5T_STD_U16BE, 0));
    cr_expect_str_neq(digest_of(H5T_STD_U16LE, 0), other);
    values[sizeof values - 1] ^= 1;
    cr_expect_str_neq(digest_of(H5T_STD_U8LE, 0), expected);
}

/* Keras's and our optimizers count their steps in one number. */
Test(inspect_digest, of_one_number)
{
    char path[512], expected[33];
    const int64_t number = 375;
    tr_error err = {0};
    tr_inspection *found = NULL;
    snprintf(path, sizeof path, "%s/one.h5", test_folder());
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t set =
        H5Dcreate2(file, "n", H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert(H5Dwrite(set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, &number) >= 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Fclose(file);
    cr_assert_eq(tr_inspect(&found, path, TR_H5_DATASET, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_inspect_digests(found, path, TR_H5_DATASET, &err), TR_OK, "%s", err.text);
    tr_digest *digest = tr_digest_new();
    tr_digest_add(digest, &number, sizeof number); /* little-endian, as in the file */
    tr_digest_text(digest, expected);
    tr_digest_free(digest);
    cr_expect_str_eq(found->items[0].digest, expected);
    tr_inspection_free(found);
}
