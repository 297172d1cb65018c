/* test_h5_values.c -- the values of a dataset, whatever its layout, are those HDF5 itself reads. */
#include "data_fixture.h"

#include "h5_read.h"
#include "h5_values.h"

TestSuite(h5_values, .init = make_folder, .fini = remove_folder);

enum { A = 7, B = 5, C = 6, COUNT = A * B * C };

static uint16_t counting[COUNT];

static void count_up(void)
{
    for (int i = 0; i < COUNT; i++)
        counting[i] = (uint16_t)(i * 257 + 3);
}

/* A file with the dataset "a" [A,B,C] of big-endian uint16, created as `plist` says. */
static const char *put(hid_t plist)
{
    const char *path = in_folder("values.h5");
    const hsize_t dims[3] = {A, B, C};
    const hid_t file = h5_create(path), space = H5Screate_simple(3, dims, NULL);
    count_up();
    const hid_t dataset =
        H5Dcreate2(file, "a", H5T_STD_U16BE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    cr_assert_geq(dataset, 0);
    cr_assert_geq(H5Dwrite(dataset, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, counting), 0);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Fclose(file);
    return path;
}

static tr_status read_back(const char *path, float **out, tr_error *err)
{
    tr_h5_file file;
    tr_h5_array array;
    void *values = NULL;
    cr_assert_eq(tr_h5_file_open(&file, path, err), TR_OK, "%s", err->text);
    cr_assert_eq(tr_h5_array_open(&array, &file, "a", err), TR_OK, "%s", err->text);
    const tr_status status =
        tr_h5_array_read(&values, &file, &array, TR_NUMBER_F32, sizeof(float), err);
    tr_h5_array_close(&array);
    tr_h5_file_close(&file);
    *out = values;
    return status;
}

static void expect_counting(hid_t plist, const char *what)
{
    float *values = NULL;
    tr_error err = {0};
    cr_assert_eq(read_back(put(plist), &values, &err), TR_OK, "%s: %s", what, err.text);
    for (int i = 0; i < COUNT; i++)
        cr_assert_eq(values[i], counting[i], "%s: value %d is %g", what, i, (double)values[i]);
    tr_free(values);
    H5Pclose(plist);
}

static hid_t chunked(hsize_t a, hsize_t b, hsize_t c)
{
    const hsize_t chunk[3] = {a, b, c};
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    cr_assert_geq(H5Pset_chunk(plist, 3, chunk), 0);
    return plist;
}

Test(h5_values, contiguous_and_compact)
{
    expect_counting(H5Pcreate(H5P_DATASET_CREATE), "contiguous");
    const hid_t compact = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_layout(compact, H5D_COMPACT);
    expect_counting(compact, "compact");
    expect_no_leak();
}

/* Every shape of a chunk, so that every kind of edge is met. */
Test(h5_values, chunks_of_all_shapes)
{
    for (hsize_t a = 1; a <= A; a++)
        for (hsize_t b = 1; b <= B; b++)
            for (hsize_t c = 1; c <= C; c++) {
                char what[64];
                snprintf(what, sizeof what, "chunk %d %d %d", (int)a, (int)b, (int)c);
                expect_counting(chunked(a, b, c), what);
            }
}

Test(h5_values, filters)
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
    const hid_t other_order = chunked(3, 5, 4), foreign = chunked(3, 5, 4);
    H5Pset_fletcher32(other_order);
    H5Pset_deflate(other_order, 6);
    expect_counting(other_order, "fletcher32 before deflate");
    H5Pset_nbit(foreign);
    expect_counting(foreign, "nbit");
    expect_no_leak();
}

/* Long runs of large words: sums that must be folded on the way. */
Test(h5_values, long_checksums)
{
    enum { N = 200001 };
    const char *path = in_folder("values.h5");
    uint8_t *ones = tr_alloc(N, 1);
    memset(ones, 0xff, N);
    const hsize_t dims = N;
    const hid_t file = h5_create(path), space = H5Screate_simple(1, &dims, NULL);
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, 1, &dims);
    H5Pset_fletcher32(plist);
    const hid_t dataset =
        H5Dcreate2(file, "a", H5T_STD_U8LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    cr_assert_geq(H5Dwrite(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, ones), 0);
    H5Dclose(dataset);
    H5Pclose(plist);
    H5Sclose(space);
    H5Fclose(file);
    float *values = NULL;
    tr_error err = {0};
    cr_assert_eq(read_back(path, &values, &err), TR_OK, "%s", err.text);
    cr_expect(values[0] == 255 && values[N - 1] == 255);
    tr_free(values);
    tr_free(ones);
}

/* 4 values in a chunk of 2 GiB: no need to find that memory first. */
Test(h5_values, huge_chunk)
{
    const char *path = in_folder("values.h5");
    const uint8_t four[4] = {1, 2, 3, 4};
    const hsize_t dims = 4, most = H5S_UNLIMITED, chunk = (hsize_t)1 << 31, offset = 0;
    const hid_t file = h5_create(path), space = H5Screate_simple(1, &dims, &most);
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, 1, &chunk);
    H5Pset_deflate(plist, 6);
    const hid_t dataset =
        H5Dcreate2(file, "a", H5T_STD_U8LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    cr_assert_geq(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &offset, 4, four), 0);
    H5Dclose(dataset);
    H5Pclose(plist);
    H5Sclose(space);
    H5Fclose(file);
    float *values = NULL;
    tr_error err = {0};
    cr_expect_eq(read_back(path, &values, &err), TR_ERR_DATA);
    expect_texts(&err, "impossible size", NULL);
}

/* Chunks written by hand: what the filter mask says, and lengths that are lies. */
static tr_error read_bad(const void *chunk, size_t n, uint32_t mask)
{
    const hid_t plist = chunked(A, B, C);
    H5Pset_deflate(plist, 6);
    const char *path = put(plist);
    H5Pclose(plist);
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t dataset = H5Dopen2(file, "a", H5P_DEFAULT);
    const hsize_t offset[3] = {0, 0, 0};
    cr_assert_geq(H5Dwrite_chunk(dataset, H5P_DEFAULT, mask, offset, n, chunk), 0);
    H5Dclose(dataset);
    H5Fclose(file);
    float *values = NULL;
    tr_error err = {0};
    cr_expect_eq(read_back(path, &values, &err), TR_ERR_DATA);
    cr_expect_null(values);
    expect_texts(&err, path, "a is uint16 [7, 5, 6]", NULL);
    tr_free(values);
    return err;
}

Test(h5_values, chunks_that_lie)
{
    const uint8_t zeros[2 * COUNT + 1] = {0};
    const uint8_t empty_stream[] = {0x78, 0x9c, 3, 0, 0, 0, 0, 1}; /* inflates to nothing */
    tr_error err = read_bad(empty_stream, sizeof empty_stream, 0);
    expect_texts(&err, "not as long as a chunk", NULL);
    err = read_bad(zeros, 2 * COUNT, 0); /* no stream */
    expect_texts(&err, "not as long as a chunk", NULL);
    err = read_bad(zeros, 2 * COUNT - 1, 1); /* says that deflate was skipped, and is too short */
    expect_texts(&err, "not as long as a chunk", NULL);
    read_bad(zeros, 2 * COUNT + 1, 1);
    expect_no_leak();
}

Test(h5_values, a_chunk_without_its_filter)
{
    const hid_t plist = chunked(A, B, C);
    H5Pset_deflate(plist, 6);
    const char *path = put(plist);
    H5Pclose(plist);
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t dataset = H5Dopen2(file, "a", H5P_DEFAULT);
    const hsize_t offset[3] = {0, 0, 0};
    uint8_t ones[2 * COUNT];
    memset(ones, 1, sizeof ones);
    cr_assert_geq(H5Dwrite_chunk(dataset, H5P_DEFAULT, 1, offset, sizeof ones, ones), 0);
    H5Dclose(dataset);
    H5Fclose(file);
    float *values = NULL;
    tr_error err = {0};
    cr_assert_eq(read_back(path, &values, &err), TR_OK, "%s", err.text);
    cr_expect(values[0] == 257 && values[COUNT - 1] == 257);
    tr_free(values);
}

/* The last byte of the array's chunk, found by its content, is damaged. */
Test(h5_values, checksums_are_checked)
{
    const hid_t plist = chunked(A, B, C);
    H5Pset_fletcher32(plist);
    const char *path = put(plist);
    H5Pclose(plist);
    size_t n, at = 0;
    uint8_t *bytes = read_bytes(path, &n);
    const uint8_t last[2] = {(uint8_t)(counting[COUNT - 1] >> 8), (uint8_t)counting[COUNT - 1]};
    while (at + 4 < n &&
           (memcmp(bytes + at, last, 2) != 0 || bytes[at - 1] != (uint8_t)counting[COUNT - 2]))
        at++;
    cr_assert_lt(at + 4, n);
    bytes[at] ^= 64;
    write_bytes(path, bytes, n);
    tr_free(bytes);
    float *values = NULL;
    tr_error err = {0};
    cr_expect_eq(read_back(path, &values, &err), TR_ERR_DATA);
    expect_texts(&err, "checksum", NULL);
}

Test(h5_values, unwritten_contiguous)
{
    const char *path = in_folder("values.h5");
    const hid_t file = h5_create(path);
    h5_put(file, "a", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, NULL, 1, 10);
    H5Fclose(file);
    float *values = NULL;
    tr_error err = {0};
    cr_expect_eq(read_back(path, &values, &err), TR_ERR_DATA);
    expect_texts(&err, "never written", NULL);
}

/* More than one piece of the contiguous reader, its end not on a piece's end. */
Test(h5_values, long_contiguous)
{
    enum { N = 1500000 };
    const char *path = in_folder("values.h5");
    uint16_t *source = tr_alloc(N, sizeof *source);
    for (int i = 0; i < N; i++)
        source[i] = (uint16_t)(i * 40503u >> 3);
    const hid_t file = h5_create(path);
    h5_put(file, "a", H5T_STD_U16LE, H5T_NATIVE_UINT16, 0, source, 1, N);
    H5Fclose(file);
    float *values = NULL;
    tr_error err = {0};
    cr_assert_eq(read_back(path, &values, &err), TR_OK, "%s", err.text);
    for (int i = 0; i < N; i++)
        cr_assert_eq(values[i], source[i], "%d", i);
    tr_free(values);
    tr_free(source);
}
