/* test_h5_attributes.c -- lists of names in every form that h5py and Keras have written them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "h5_attributes.h"

static hid_t memory_file(void)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(access, 1 << 16, 0);
    const hid_t file = H5Fcreate("memory.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    cr_assert(file >= 0);
    return file;
}

static void write_fixed(hid_t object, const char *name, size_t width, H5T_str_t padding, hsize_t n,
                        const char *bytes)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, width);
    H5Tset_strpad(type, padding);
    const hid_t space = H5Screate_simple(1, &n, NULL);
    const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert(H5Awrite(attribute, type, bytes) >= 0);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
}

static void expect(hid_t object, const char *name, size_t n, const char *const *expected)
{
    char **names = NULL;
    size_t found = 0;
    cr_assert(tr_h5_read_names(object, name, &names, &found));
    cr_assert_eq(found, n, "%s: %zu", name, found);
    for (size_t i = 0; i < n; i++)
        cr_assert_str_eq(names[i], expected[i]);
    tr_h5_free_names(names, found);
}

static const char *const three[] = {"conv2d", "p", "dense_1"};

Test(h5_attributes, reads_what_it_writes)
{
    const hid_t file = memory_file();
    cr_assert(tr_h5_write_names(file, "names", three, 3));
    cr_assert(tr_h5_write_names(file, "none", NULL, 0));
    expect(file, "names", 3, three);
    expect(file, "none", 0, NULL); /* float64 [0], as h5py writes an empty list */
    expect(file, "absent", 0, NULL);
    H5Fclose(file);
}

Test(h5_attributes, reads_fixed_strings_of_older_h5py)
{
    const hid_t file = memory_file();
    write_fixed(file, "nul", 7, H5T_STR_NULLPAD, 3, "conv2d\0p\0\0\0\0\0\0dense_1");
    write_fixed(file, "space", 7, H5T_STR_SPACEPAD, 3, "conv2d p      dense_1");
    write_fixed(file, "term", 8, H5T_STR_NULLTERM, 3, "conv2d\0\0p\0\0\0\0\0\0\0dense_1");
    expect(file, "nul", 3, three);
    expect(file, "space", 3, three);
    expect(file, "term", 3, three);
    H5Fclose(file);
}

Test(h5_attributes, reads_utf8_and_lists_in_chunks)
{
    const hid_t file = memory_file();
    const char *const first[] = {"conv2d", "p"}, *const second[] = {"dense_1"};
    cr_assert(tr_h5_write_names(file, "names0", first, 2));
    cr_assert(tr_h5_write_names(file, "names1", second, 1));
    expect(file, "names", 3, three);
    cr_assert(tr_h5_write_text(file, "utf8", "h\xc3\xa9", H5T_CSET_UTF8));
    const char *const utf8[] = {"h\xc3\xa9"};
    expect(file, "utf8", 1, utf8);
    H5Fclose(file);
}

Test(h5_attributes, refuses_what_is_no_text)
{
    char **names = NULL;
    size_t n = 0;
    const hid_t file = memory_file();
    cr_assert(tr_h5_write_int(file, "number", 7));
    cr_assert_not(tr_h5_read_names(file, "number", &names, &n));
    H5Fclose(file);
}

/* More names than an attribute can hold. */
Test(h5_attributes, a_long_list_comes_back)
{
    enum { N = 9001 };
    static char texts[N][16];
    static const char *names[N];
    char **found = NULL;
    size_t n = 0;
    for (int i = 0; i < N; i++) {
        snprintf(texts[i], sizeof texts[i], "n%d", i);
        names[i] = texts[i];
    }
    const hid_t file = memory_file();
    cr_assert(tr_h5_write_names(file, "weight_names", names, N));
    cr_assert(tr_h5_read_names(file, "weight_names", &found, &n));
    cr_assert_eq(n, N);
    for (int i = 0; i < N; i++)
        cr_assert_str_eq(found[i], names[i]);
    tr_h5_free_names(found, n);
    H5Fclose(file);
}

/* What is closed behind a failure leaves its cause to be told. */
Test(h5_attributes, closing_keeps_the_cause)
{
    char cause[256];
    tr_h5_quiet();
    const hid_t space = H5Screate(H5S_SCALAR);
    cr_assert_lt(H5Fopen("/no/such/file.h5", H5F_ACC_RDONLY, H5P_DEFAULT), 0);
    tr_h5_close(space);
    tr_h5_cause(cause, sizeof cause);
    cr_assert_str_neq(cause, "unknown HDF5 error");
}
