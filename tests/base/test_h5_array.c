/* test_h5_array.c -- arrays in every way that a file may store them; parts that are not there. */
#include "data_fixture.h"

#include <zlib.h>

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

static void expect_unopened(const char *path, const char *text)
{
    tr_h5_file file;
    tr_h5_array array;
    tr_error err = {0};
    cr_assert_eq(tr_h5_file_open(&file, path, TR_H5_DATASET, &err), TR_OK, "%s", err.text);
    cr_expect_eq(tr_h5_array_open(&array, &file, "a", &err), TR_ERR_DATA);
    expect_texts(&err, path, "a cannot be opened", text, NULL);
    tr_h5_file_close(&file);
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
    expect_bad(path, "the filter lzf, which trainer does not read; write it with gzip");
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
    expect_bad(path, "the chunk at [0, 0, 0] does not agree with its checksum");
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
    if (H5_VERSION_GE(1, 14, 0)) /* which sees that itself, and opens no such dataset */
        expect_unopened(path, "size of compact dataset");
    else
        expect_bad(path, "its place in the file has another size");
}

/* ---- chunks that lie about their size ---- */

/* One chunk of A * B * C uint16 whose bytes are `packed`, under so many filters of gzip. */
static const char *put_packed(const void *packed, size_t n, int n_filters)
{
    const char *path = in_folder("values.h5");
    const hsize_t dims[3] = {A, B, C}, at[3] = {0};
    const hid_t plist = chunked(A, B, C), space = H5Screate_simple(3, dims, NULL);
    for (int i = 0; i < n_filters; i++)
        H5Pset_filter(plist, H5Z_FILTER_DEFLATE, 0, 1, (const unsigned[]){6});
    const hid_t file = h5_create(path);
    const hid_t dataset =
        H5Dcreate2(file, "a", H5T_STD_U16BE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    cr_assert_geq(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, at, n, packed), 0);
    H5Dclose(dataset);
    H5Pclose(plist);
    H5Sclose(space);
    H5Fclose(file);
    return path;
}

static const char *put_zeros(size_t n, int n_filters)
{
    uint8_t *zeros = tr_alloc(n, 1), packed[4096];
    uLongf n_packed = sizeof packed;
    cr_assert_eq(compress(packed, &n_packed, zeros, n), Z_OK);
    tr_free(zeros);
    return put_packed(packed, n_packed, n_filters);
}

/* HDF5 takes what lies behind the short one in memory for values. */
Test(h5_array, chunks_inflate_to_their_size)
{
    float values[COUNT];
    tr_error err = {0};
    cr_assert_eq(read_back(put_zeros(2 * COUNT, 1), values, &err), TR_OK, "%s", err.text);
    expect_bad(put_zeros(2 * COUNT - 1, 1), "the chunk at [0, 0, 0] inflates to 419 bytes, not to "
                                            "the 420 of a chunk");
    expect_bad(put_zeros(2 * COUNT + 1, 1), "inflates to more bytes than a chunk has");
    expect_bad(put_packed("no gzip at all", 14, 1), "cannot be inflated");
    expect_bad(put_zeros(2 * COUNT, 2), "packed with gzip several times over");
    expect_no_leak();
}

/* ---- other types ---- */

Test(h5_array, bool_of_h5py)
{
    for (int chunks = 0; chunks < 2; chunks++) {
        const char *path = in_folder("values.h5");
        const hid_t file = h5_create(path), type = H5Tenum_create(H5T_NATIVE_INT8);
        H5Tenum_insert(type, "FALSE", &(int8_t){0});
        H5Tenum_insert(type, "TRUE", &(int8_t){1});
        h5_put(file, "a", type, type, chunks, (const int8_t[]){0, 1, 1, 0, 1}, 1, 5);
        H5Tclose(type);
        H5Fclose(file);
        float values[COUNT];
        tr_error err = {0};
        cr_assert_eq(read_back(path, values, &err), TR_OK, "%s", err.text);
        cr_expect_arr_eq(values, ((const float[]){0, 1, 1, 0, 1}), 5 * sizeof(float));
    }
}

/* ---- out of the file ---- */

static void expect_refused(const char *path, const char *name, tr_h5_policy policy,
                           const char *text)
{
    tr_h5_file file;
    tr_h5_array array;
    tr_error err = {0};
    cr_assert_eq(tr_h5_file_open(&file, path, policy, &err), TR_OK, "%s", err.text);
    cr_expect_eq(tr_h5_array_open(&array, &file, name, &err), TR_ERR_DATA, "%s", name);
    expect_texts(&err, path, name, text, NULL);
    tr_h5_array_close(&array);
    tr_h5_file_close(&file);
}

Test(h5_array, nothing_outside_is_opened)
{
    const char *path = in_folder("values.h5"), *other = in_folder("other.h5");
    const uint8_t four[4] = {1, 2, 3, 4};
    hid_t file = h5_create(other);
    h5_put(file, "g/a", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, four, 1, 4);
    H5Fclose(file);
    file = h5_create(path);
    const hid_t raw = H5Pcreate(H5P_DATASET_CREATE), virtual = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t space = H5Screate_simple(1, (const hsize_t[]){4}, NULL);
    H5Pset_external(raw, "other.h5", 0, 4);
    H5Pset_virtual(virtual, space, "other.h5", "g/a", space);
    H5Dclose(H5Dcreate2(file, "raw", H5T_STD_U8LE, space, H5P_DEFAULT, raw, H5P_DEFAULT));
    H5Dclose(H5Dcreate2(file, "virtual", H5T_STD_U8LE, space, H5P_DEFAULT, virtual, H5P_DEFAULT));
    H5Lcreate_external("other.h5", "/g", file, "away", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/away/a", file, "round", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("loop", file, "loop", H5P_DEFAULT, H5P_DEFAULT);
    h5_put(file, "pool/t", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, four, 1, 4);
    H5Lcreate_soft("pool/./t", file, "near", H5P_DEFAULT, H5P_DEFAULT);
    H5Pclose(raw);
    H5Pclose(virtual);
    H5Sclose(space);
    H5Fclose(file);
    for (tr_h5_policy policy = TR_H5_MODEL; policy <= TR_H5_DATASET; policy++) {
        const char *advice = policy == TR_H5_MODEL ? "a model must lie whole in its file"
                                                   : "[data] external_files = true";
        expect_refused(path, "raw", policy, "its values are in the file other.h5");
        expect_refused(path, "virtual", policy, "virtual: its values are in the file other.h5");
        expect_refused(path, "away/a", policy, "away is an external link to /g in the file other");
        expect_refused(path, "round", policy, advice);
        expect_refused(path, "loop", policy, "its soft links lead in a circle");
        expect_refused(path, "nowhere", policy, "round (a link to /away/a)");
    }
    tr_h5_file whole;
    tr_h5_array near;
    tr_error err = {0};
    cr_assert_eq(tr_h5_file_open(&whole, path, TR_H5_MODEL, &err), TR_OK);
    cr_assert_eq(tr_h5_array_open(&near, &whole, "near", &err), TR_OK, "%s", err.text);
    cr_expect_eq(near.n_elements, 4);
    tr_h5_array_close(&near);
    tr_h5_file_close(&whole);
}

/* ---- where the user allowed it ---- */

static void expect_values(const char *path, const char *name, const uint8_t *values, int n)
{
    tr_h5_file file;
    tr_h5_array array;
    tr_error err = {0};
    uint8_t found[64] = {0};
    const int64_t start[TR_H5_RANK] = {n - 1}, one[TR_H5_RANK] = {1};
    cr_assert_eq(tr_h5_file_open(&file, path, TR_H5_DATASET_WITH_EXTERNAL, &err), TR_OK);
    cr_assert_eq(tr_h5_array_open(&array, &file, name, &err), TR_OK, "%s", err.text);
    cr_assert_eq(array.n_elements, n);
    cr_assert_eq(tr_h5_array_read(found, &file, &array, H5T_NATIVE_UINT8, &err), TR_OK, "%s",
                 err.text);
    cr_expect_arr_eq(found, values, n, "%s", name);
    cr_assert_eq(tr_h5_array_read_box(found, &file, &array, H5T_NATIVE_UINT8, start, one, &err),
                 TR_OK, "%s", err.text);
    cr_expect_eq(found[0], values[n - 1], "%s", name);
    tr_h5_array_close(&array);
    tr_h5_file_close(&file);
}

static void expect_hole(const char *path, const char *name, const char *text)
{
    tr_h5_file file;
    tr_h5_array array;
    tr_error err = {0};
    uint8_t found[64];
    cr_assert_eq(tr_h5_file_open(&file, path, TR_H5_DATASET_WITH_EXTERNAL, &err), TR_OK);
    tr_status status = tr_h5_array_open(&array, &file, name, &err);
    if (status == TR_OK)
        status = tr_h5_array_read(found, &file, &array, H5T_NATIVE_UINT8, &err);
    cr_expect_eq(status, TR_ERR_DATA, "%s", name);
    expect_texts(&err, path, name, text, NULL);
    tr_h5_array_close(&array);
    tr_h5_file_close(&file);
}

/* A dataset of uint8 [n] whose values are said to lie in `raw`, bytes from 2 on. */
static void put_external(hid_t file, const char *name, const char *raw, hsize_t n)
{
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &n, NULL);
    H5Pset_external(plist, raw, 2, n);
    H5Dclose(H5Dcreate2(file, name, H5T_STD_U8LE, space, H5P_DEFAULT, plist, H5P_DEFAULT));
    H5Pclose(plist);
    H5Sclose(space);
}

/* A virtual dataset of uint8 [8]: its first `n` elements are the first of `source`. */
static void put_virtual(hid_t file, const char *name, const char *source, hsize_t n)
{
    const hsize_t eight = 8, start = 0;
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &eight, NULL);
    const hid_t part = H5Scopy(space);
    H5Sselect_hyperslab(part, H5S_SELECT_SET, &start, NULL, &n, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &n, NULL);
    H5Pset_virtual(plist, space, source, "g/a", part);
    H5Sselect_all(space);
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Dclose(H5Dcreate2(file, name, H5T_STD_U8LE, space, links, plist, H5P_DEFAULT));
    H5Pclose(links);
    H5Pclose(plist);
    H5Sclose(part);
    H5Sclose(space);
}

Test(h5_array, other_files_are_read_whole_or_not)
{
    const char *path = in_folder("values.h5");
    const uint8_t eight[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    hid_t file = h5_create(in_folder("other.h5"));
    h5_put(file, "g/a", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, eight, 1, 8);
    H5Fclose(file);
    write_bytes(in_folder("other.raw"), eight, 8);
    cr_assert_eq(mkfifo(in_folder("pipe"), 0600), 0);
    file = h5_create(path);
    put_external(file, "raw", "other.raw", 6);
    put_external(file, "raw_short", "other.raw", 7);
    put_external(file, "raw_gone", "gone.raw", 4);
    put_external(file, "raw_pipe", "pipe", 4);
    put_virtual(file, "virtual", "other.h5", 8);
    put_virtual(file, "virtual_part", "other.h5", 7);
    put_virtual(file, "virtual_gone", "gone.h5", 8);
    put_virtual(file, "virtual_pipe", "pipe", 8);
    put_virtual(file, "g/a", ".", 8);
    H5Lcreate_external("other.h5", "/g", file, "away", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("pipe", "/g", file, "link_pipe", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("values.h5", "/self", file, "self", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    expect_values(path, "raw", eight + 2, 6);
    expect_values(path, "virtual", eight, 8);
    expect_values(path, "away/a", eight, 8);
    expect_hole(path, "raw_short", "other.raw has 8 bytes, of which it wants those from 2 to 9");
    expect_hole(path, "raw_gone", "gone.raw: cannot be read: No such file");
    expect_hole(path, "raw_pipe", "pipe: is a device or a pipe");
    expect_hole(path, "virtual_part", "no file has its values at index 7");
    expect_hole(path, "virtual_gone", "gone.h5: no such file");
    expect_hole(path, "virtual_pipe", "pipe: is a device or a pipe");
    expect_hole(path, "link_pipe", "pipe: is a device or a pipe");
    expect_hole(path, "g/a", "it is made of itself");
    expect_hole(path, "self", "leads from file to file");
    expect_no_leak();
}
