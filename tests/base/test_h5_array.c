/* test_h5_array.c -- arrays in every way that a file may store them; parts that are not there. */
#include "data_fixture.h"

#include "h5_array.h"

TestSuite(h5_array, .init = make_folder, .fini = remove_folder);

enum { A = 7, B = 5, C = 6, COUNT = A * B * C, LZF = 32000 };

static uint16_t counting[COUNT];

/* A file with the dataset "a" [A,B,C] of big-endian uint16, created as `plist` says. */
static const char *put(hid_t plist)
{
    const char *path = in_folder("values.h5");
    const hsize_t dims[3] = {A, B, C};
    const hid_t file = h5_create(path), space = H5Screate_simple(3, dims, NULL);
    for (int i = 0; i < COUNT; i++)
        counting[i] = (uint16_t)(i * 257 + 3);
    const hid_t dataset =
        H5Dcreate2(file, "a", H5T_STD_U16BE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    cr_assert_geq(dataset, 0);
    cr_assert_geq(H5Dwrite(dataset, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, counting), 0);
    H5Dclose(dataset);
    H5Pclose(plist);
    H5Sclose(space);
    H5Fclose(file);
    return path;
}

static tr_status read_back(const char *path, float values[COUNT], tr_error *err)
{
    tr_h5_file file;
    tr_h5_array array;
    cr_assert_eq(tr_h5_file_open(&file, path, TR_H5_DATASET, err), TR_OK, "%s", err->text);
    cr_assert_eq(tr_h5_array_open(&array, &file, "a", err), TR_OK, "%s", err->text);
    cr_assert_leq(array.n_elements, COUNT);
    const tr_status status = tr_h5_array_read(values, &file, &array, H5T_NATIVE_FLOAT, err);
    tr_h5_array_close(&array);
    tr_h5_file_close(&file);
    return status;
}

static void expect_counting(hid_t plist, const char *what)
{
    float values[COUNT] = {0};
    tr_error err = {0};
    cr_assert_eq(read_back(put(plist), values, &err), TR_OK, "%s: %s", what, err.text);
    for (int i = 0; i < COUNT; i++)
        cr_assert_eq(values[i], counting[i], "%s: value %d is %g", what, i, (double)values[i]);
}

static void expect_bad(const char *path, const char *text)
{
    float values[COUNT];
    tr_error err = {0};
    cr_expect_eq(read_back(path, values, &err), TR_ERR_DATA, "wanted: %s", text);
    expect_texts(&err, path, "a is uint", text, NULL);
}

static hid_t chunked(hsize_t a, hsize_t b, hsize_t c)
{
    const hsize_t chunk[3] = {a, b, c};
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    cr_assert_geq(H5Pset_chunk(plist, 3, chunk), 0);
    return plist;
}

Test(h5_array, every_layout)
{
    expect_counting(H5Pcreate(H5P_DATASET_CREATE), "contiguous");
    const hid_t compact = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_layout(compact, H5D_COMPACT);
    expect_counting(compact, "compact");
    const hid_t external = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(external, in_folder("values.raw"), 0, COUNT * sizeof counting[0]);
    expect_counting(external, "external");
    expect_counting(chunked(1, 1, 1), "chunks of one");
    expect_counting(chunked(3, 2, 4), "chunks that stick out");
    expect_counting(chunked(A, B, C), "one chunk");
    expect_no_leak();
}

Test(h5_array, every_filter_of_hdf5)
{
    for (int filters = 0; filters < 8; filters++) {
        const hid_t plist = chunked(3, 5, 4);
        if (filters & 1)
            H5Pset_shuffle(plist);
        if (filters & 2)
            H5Pset_deflate(plist, 6);
        if (filters & 4)
            H5Pset_fletcher32(plist);
        char what[32];
        snprintf(what, sizeof what, "filters %d", filters);
        expect_counting(plist, what);
    }
    const hid_t other_order = chunked(3, 5, 4), packed = chunked(3, 5, 4);
    H5Pset_fletcher32(other_order);
    H5Pset_deflate(other_order, 6);
    expect_counting(other_order, "fletcher32 before deflate");
    H5Pset_nbit(packed);
    expect_counting(packed, "nbit");
    expect_no_leak();
}

/* Leaves the bytes as they are, under the number of h5py's LZF. */
static size_t pass_through(unsigned flags, size_t n_values, const unsigned *values, size_t n,
                           size_t *buffer_bytes, void **buffer)
{
    (void)flags, (void)n_values, (void)values, (void)buffer_bytes, (void)buffer;
    return n;
}

Test(h5_array, unknown_filters_are_named)
{
    const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, LZF, 1, 1, "lzf", NULL, NULL, pass_through};
    cr_assert_geq(H5Zregister(&filter), 0);
    const hid_t plist = chunked(3, 5, 4);
    H5Pset_filter(plist, LZF, 0, 0, NULL);
    const char *path = put(plist);
    cr_assert_geq(H5Zunregister(LZF), 0);
    expect_bad(path, "a filter that this machine lacks: write it with gzip");
}

/* The last byte of the array's chunk, found by its content, is damaged. */
Test(h5_array, checksums_are_checked)
{
    const hid_t plist = chunked(A, B, C);
    H5Pset_fletcher32(plist);
    const char *path = put(plist);
    size_t n, at = 1;
    uint8_t *bytes = read_bytes(path, &n);
    const uint8_t last[2] = {(uint8_t)(counting[COUNT - 1] >> 8), (uint8_t)counting[COUNT - 1]};
    while (at + 4 < n &&
           (memcmp(bytes + at, last, 2) != 0 || bytes[at - 1] != (uint8_t)counting[COUNT - 2]))
        at++;
    cr_assert_lt(at + 4, n);
    bytes[at] ^= 64;
    write_bytes(path, bytes, n);
    tr_free(bytes);
    expect_bad(path, "HDF5 cannot read it");
}

/* HDF5 itself would give zeros. */
Test(h5_array, what_was_never_written)
{
    const char *path = in_folder("values.h5");
    hid_t file = h5_create(path);
    h5_put(file, "a", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, NULL, 1, 10);
    H5Fclose(file);
    expect_bad(path, "it was never written");
    file = h5_create(path);
    h5_put(file, "a", H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, NULL, 1, 10);
    H5Fclose(file);
    expect_bad(path, "it was never written");

    file = h5_create(path); /* chunks of 2: the last is missing */
    h5_put(file, "a", H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, NULL, 1, 9);
    const hid_t dataset = H5Dopen2(file, "a", H5P_DEFAULT), space = H5Dget_space(dataset);
    const hsize_t start = 0, eight = 8;
    const hid_t memory = H5Screate_simple(1, &eight, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &eight, NULL);
    cr_assert_geq(H5Dwrite(dataset, H5T_NATIVE_UINT16, memory, space, H5P_DEFAULT, counting), 0);
    H5Sclose(memory);
    H5Sclose(space);
    H5Dclose(dataset);
    H5Fclose(file);
    expect_bad(path, "a part of it was never written");
}

/* A compact dataset whose shape was changed in the file: 9 values in the room of 8. */
Test(h5_array, room_of_another_size)
{
    const char *path = in_folder("values.h5");
    const hsize_t dims = 8;
    const hid_t file = h5_create(path), space = H5Screate_simple(1, &dims, NULL);
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_layout(plist, H5D_COMPACT);
    const hid_t dataset =
        H5Dcreate2(file, "a", H5T_STD_U8LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    cr_assert_geq(H5Dwrite(dataset, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, counting), 0);
    H5Dclose(dataset);
    H5Pclose(plist);
    H5Sclose(space);
    H5Fclose(file);
    /* Dataspace message: version 1, rank 1, maxima present; then both dimensions. */
    const uint8_t shape[24] = {1, 1, 1, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 8};
    size_t n;
    uint8_t *bytes = read_bytes(path, &n);
    uint8_t *at = memmem(bytes, n, shape, sizeof shape);
    cr_assert_not_null(at);
    at[8] = at[16] = 9;
    write_bytes(path, bytes, n);
    tr_free(bytes);
    expect_bad(path, "its place in the file has another size");
}
