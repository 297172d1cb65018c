/* test_idx.c -- IDX files: plain, gzipped, damaged in every way a header and a stream can be. */
#include "data_fixture.h"

#include <zlib.h>

#include "idx.h"

TestSuite(idx, .init = make_folder, .fini = remove_folder);

enum { N_IMAGES = 16 + 3 * 2 * 2 };

/* [3, 2, 2] counting from 100. */
static void fill_images(uint8_t bytes[N_IMAGES])
{
    const uint8_t header[16] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2};
    memcpy(bytes, header, sizeof header);
    for (int i = 16; i < N_IMAGES; i++)
        bytes[i] = (uint8_t)(84 + i);
}

static void write_gz(const char *path, const void *bytes, unsigned n)
{
    gzFile file = gzopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(gzwrite(file, bytes, n), (int)n);
    cr_assert_eq(gzclose(file), Z_OK);
}

static void expect_bad(const char *path, int rank, const char *text)
{
    tr_idx idx = {0};
    tr_error err = {0};
    cr_expect_eq(tr_idx_read(&idx, path, rank, &err), TR_ERR_DATA, "wanted: %s", text);
    cr_expect_null(idx.values);
    expect_texts(&err, path, text, NULL);
}

static void expect_bad_bytes(const void *bytes, size_t n, const char *text)
{
    const char *plain = in_folder("bad");
    write_bytes(plain, bytes, n);
    expect_bad(plain, 3, text);
    const char *packed = in_folder("bad.gz");
    write_gz(packed, bytes, (unsigned)n);
    expect_bad(packed, 3, text);
}

Test(idx, reads_plain_and_gzipped)
{
    uint8_t bytes[N_IMAGES];
    fill_images(bytes);
    const char *const paths[] = {in_folder("images"), in_folder("images.gz")};
    write_bytes(paths[0], bytes, sizeof bytes);
    write_gz(paths[1], bytes, sizeof bytes);
    for (int i = 0; i < 2; i++) {
        tr_idx idx;
        tr_error err = {0};
        cr_assert_eq(tr_idx_read(&idx, paths[i], 3, &err), TR_OK, "%s", err.text);
        cr_expect(idx.rank == 3 && idx.dims[0] == 3 && idx.dims[1] == 2 && idx.dims[2] == 2);
        cr_expect_eq(idx.n_values, 12);
        cr_expect_arr_eq(idx.values, bytes + 16, 12);
        tr_idx_release(&idx);
        cr_expect_null(idx.values);
    }
    const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 9, 7};
    write_bytes(paths[0], labels, sizeof labels);
    tr_idx idx;
    cr_assert_eq(tr_idx_read(&idx, paths[0], 1, NULL), TR_OK);
    cr_expect(idx.dims[0] == 2 && idx.values[0] == 9 && idx.values[1] == 7);
    tr_idx_release(&idx);
    expect_no_leak();
}

/* More than one step of the growing block. */
Test(idx, reads_large_files)
{
    enum { N = 3000000 };
    uint8_t *bytes = tr_alloc(8 + N, 1);
    const uint8_t header[8] = {0, 0, 8, 1, N >> 24, N >> 16 & 255, N >> 8 & 255, N & 255};
    memcpy(bytes, header, 8);
    for (int i = 0; i < N; i++)
        bytes[8 + i] = (uint8_t)(i * 2654435761u >> 24);
    write_gz(in_folder("large.gz"), bytes, 8 + N);
    tr_idx idx;
    tr_error err = {0};
    cr_assert_eq(tr_idx_read(&idx, in_folder("large.gz"), 1, &err), TR_OK, "%s", err.text);
    cr_expect_eq(idx.n_values, N);
    cr_expect_arr_eq(idx.values, bytes + 8, N);
    tr_idx_release(&idx);
    tr_free(bytes);
}

Test(idx, every_truncation_is_an_error)
{
    uint8_t bytes[N_IMAGES];
    fill_images(bytes);
    for (size_t n = 0; n < N_IMAGES; n++)
        expect_bad_bytes(bytes, n,
                         n < 4    ? "expected an IDX file"
                         : n < 16 ? "ends inside its header"
                                  : "cut short");

    size_t n_packed;
    write_gz(in_folder("whole.gz"), bytes, sizeof bytes);
    uint8_t *packed = read_bytes(in_folder("whole.gz"), &n_packed);
    for (size_t n = 0; n < n_packed; n++) {
        const char *path = in_folder("cut.gz");
        write_bytes(path, packed, n);
        expect_bad(path, 3, "");
    }
    packed[n_packed - 6] ^= 1; /* the checksum: read only at the end */
    write_bytes(in_folder("sum.gz"), packed, n_packed);
    expect_bad(in_folder("sum.gz"), 3, "gzip stream is damaged");
    tr_free(packed);
}

Test(idx, wrong_headers)
{
    uint8_t bytes[N_IMAGES + 1] = {0};
    fill_images(bytes);
    expect_bad_bytes(bytes, N_IMAGES + 1, "goes on after the 12 values");
    for (int i = 0; i < 4; i++) {
        fill_images(bytes);
        bytes[i] ^= 4;
        expect_bad_bytes(bytes, N_IMAGES, "expected 00 00 08 03");
    }
    for (int i = 0; i < 3; i++) {
        fill_images(bytes);
        bytes[7 + 4 * i] = 0;
        expect_bad_bytes(bytes, N_IMAGES, "is empty");
    }
    fill_images(bytes);
    write_bytes(in_folder("images"), bytes, N_IMAGES);
    expect_bad(in_folder("images"), 1, "expected 00 00 08 01, an IDX file of uint8 in 1 dimension");
}

/* A header that claims much must cost no more memory than the file has bytes. */
Test(idx, bombs)
{
    uint8_t bytes[N_IMAGES];
    fill_images(bytes);
    memset(bytes + 4, 0xff, 12);
    expect_bad_bytes(bytes, N_IMAGES, "damaged");
    fill_images(bytes);
    memset(bytes + 4, 0x7f, 4);
    memset(bytes + 8, 0, 3);
    expect_bad_bytes(bytes, N_IMAGES, "found 12");
    fill_images(bytes);
    memset(bytes + 4, 0x00, 12);
    bytes[5] = bytes[9] = bytes[14] = 1; /* 2^16 * 2^16 * 2^8: a terabyte */
    expect_bad_bytes(bytes, N_IMAGES, "found 12");
}

Test(idx, files_that_are_none)
{
    expect_bad(in_folder("absent"), 3, "No such file");
    expect_bad(folder, 3, "is a folder");
}

Test(idx, survives_any_failed_allocation)
{
    uint8_t bytes[N_IMAGES];
    fill_images(bytes);
    write_bytes(in_folder("images"), bytes, sizeof bytes);
    tr_idx idx = {0};
    tr_error err = {0};
    tr_alloc_fail_after(0);
    cr_expect_eq(tr_idx_read(&idx, in_folder("images"), 3, &err), TR_ERR_INTERNAL);
    tr_alloc_fail_after(-1);
    expect_texts(&err, "out of memory", NULL);
    cr_expect_null(idx.values);
    expect_no_leak();
}
