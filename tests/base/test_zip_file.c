/* test_zip_file.c -- members of archives; those that are damaged, hidden or grow without end. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <zip.h>

#include "mem.h"
#include "net.h"
#include "rng.h"
#include "zip_file.h"

static const char *archive_path(void)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/a.zip", test_folder());
    return path;
}

/* An archive of one member "m". */
static void make(const void *bytes, size_t n, int method, int encryption)
{
    zip_t *archive = zip_open(archive_path(), ZIP_CREATE | ZIP_TRUNCATE, NULL);
    cr_assert_not_null(archive);
    zip_source_t *source = zip_source_buffer(archive, bytes, n, 0);
    const zip_int64_t i = zip_file_add(archive, "m", source, 0);
    cr_assert_geq(i, 0);
    cr_assert_eq(zip_set_file_compression(archive, (zip_uint64_t)i, method, 9), 0);
    if (encryption != ZIP_EM_NONE)
        cr_assert_eq(
            zip_file_set_encryption(archive, (zip_uint64_t)i, (zip_uint16_t)encryption, "secret"),
            0);
    cr_assert_eq(zip_close(archive), 0);
}

static void refused_beyond(size_t most, const char *path, const char *name, const char *expected)
{
    tr_error err = {0};
    void *bytes = NULL;
    size_t n = 0;
    cr_assert_eq(tr_zip_read(&bytes, &n, path, name, most, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, expected), "%s", err.text);
    cr_expect_not_null(strstr(err.text, path), "%s", err.text);
}

static void refused(const char *path, const char *name, const char *expected)
{
    refused_beyond((size_t)4 << 30, path, name, expected);
}

static char text[3 << 16];

static void fill(void)
{
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * i / 7 % 61);
}

Test(zip_file, reads_what_was_stored_or_deflated)
{
    static const int methods[] = {ZIP_CM_STORE, ZIP_CM_DEFLATE};
    fill();
    for (int i = 0; i < 2; i++) {
        tr_error err = {0};
        char *bytes = NULL;
        size_t n = 0;
        make(text, sizeof text, methods[i], ZIP_EM_NONE);
        cr_assert(tr_is_zip(archive_path()));
        cr_assert_eq(tr_zip_read((void **)&bytes, &n, archive_path(), "m", SIZE_MAX, &err), TR_OK,
                     "%s", err.text);
        cr_assert_eq(n, sizeof text);
        cr_assert_eq(memcmp(bytes, text, n), 0);
        cr_assert_eq(bytes[n], '\0');
        tr_free(bytes);
    }
}

Test(zip_file, refuses_more_than_the_caller_wants)
{
    fill();
    make(text, sizeof text, ZIP_CM_DEFLATE, ZIP_EM_NONE);
    refused_beyond(sizeof text - 1, archive_path(), "m",
                   "says that it has 196608 bytes; at most 196607 are read");
}

Test(zip_file, refuses_what_is_none_or_lacks_the_member)
{
    fill();
    make(text, 10, ZIP_CM_STORE, ZIP_EM_NONE);
    refused(archive_path(), "config.json", "has no config.json inside");
    refused(TR_SOURCE "/LICENSE", "m", "is not a whole ZIP archive");
    refused("/no/such", "m", "cannot be read: No such file");
    cr_expect_not(tr_is_zip(TR_SOURCE "/LICENSE"));
    cr_expect_not(tr_is_zip("/no/such"));
}

Test(zip_file, refuses_what_grows_too_much)
{
    enum { N = 100 << 20 };
    char *zeros = tr_alloc(N, 1);
    make(zeros, N, ZIP_CM_DEFLATE, ZIP_EM_NONE);
    tr_free(zeros);
    refused(archive_path(), "m", "would grow from");
}

Test(zip_file, refuses_encrypted_and_strangely_packed_members)
{
    fill();
    if (zip_encryption_method_supported(ZIP_EM_AES_256, 1)) {
        make(text, sizeof text, ZIP_CM_STORE, ZIP_EM_AES_256);
        refused(archive_path(), "m", "is encrypted");
    }
    if (zip_compression_method_supported(ZIP_CM_BZIP2, 1)) {
        make(text, sizeof text, ZIP_CM_BZIP2, ZIP_EM_NONE);
        refused(archive_path(), "m", "is packed by method 12");
    }
}

/* A size beyond 4 GiB in the directory, by the 64-bit extra field that such sizes need. */
Test(zip_file, refuses_what_says_it_is_larger_than_4_gib)
{
    static const unsigned char directory[] = {
        'P', 'K', 1, 2, 45,   0,    45,   0,    0,   0, 0,  0, 0,  0, 0, 0, 0,  0,
        0,   0,                                                                    /* .. crc */
        1,   0,   0, 0, 0xff, 0xff, 0xff, 0xff, 1,   0, 12, 0, 0,  0, 0, 0, 0,  0, /* sizes .. */
        0,   0,   0, 0, 0,    0,    0,    0,    'm', 1, 0,  8, 0,  1, 0, 0, 0,  1,
        0,   0,   0, /* 2^32 + 1 */
        'P', 'K', 5, 6, 0,    0,    0,    0,    1,   0, 1,  0, 59, 0, 0, 0, 32, 0,
        0,   0,   0, 0}; /* end */
    static const unsigned char head[32] = {'P', 'K', 3, 4, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,   0,
                                           0,   0,   1, 0, 0,  0, 1, 0, 0, 0, 1, 0, 0, 0, 'm', 'x'};
    FILE *file = fopen(archive_path(), "wb");
    fwrite(head, 1, sizeof head, file);
    fwrite(directory, 1, sizeof directory, file);
    fclose(file);
    refused(archive_path(), "m", "at most 4294967296 are read");
}

/* Cut anywhere, or with any bit flipped: refused, or the very bytes. */
Test(zip_file, damage_is_noticed)
{
    static unsigned char whole[1 << 12];
    static const int methods[] = {ZIP_CM_STORE, ZIP_CM_DEFLATE};
    fill();
    for (int m = 0; m < 2; m++) {
        make(text, 700, methods[m], ZIP_EM_NONE);
        FILE *file = fopen(archive_path(), "rb");
        const size_t n = fread(whole, 1, sizeof whole, file);
        fclose(file);
        int refusals = 0;
        for (uint64_t i = 0; i < 600; i++) {
            const uint64_t bit = tr_random_below(n * 8, 1, TR_PURPOSE_SHUFFLE, 3, i);
            const size_t length = i % 3 == 0 ? (size_t)(bit / 8) : n;
            tr_error err = {0};
            char *bytes = NULL;
            size_t n_read = 0;
            if (i % 3 != 0)
                whole[bit / 8] ^= (unsigned char)(1u << bit % 8);
            file = fopen(archive_path(), "wb");
            fwrite(whole, 1, length, file);
            fclose(file);
            if (i % 3 != 0)
                whole[bit / 8] ^= (unsigned char)(1u << bit % 8);
            const tr_status status =
                tr_zip_read((void **)&bytes, &n_read, archive_path(), "m", SIZE_MAX, &err);
            cr_assert(status == TR_OK || status == TR_ERR_DATA, "%s", err.text);
            if (status == TR_OK)
                cr_assert(n_read == 700 && memcmp(bytes, text, 700) == 0, "other bytes");
            refusals += status != TR_OK;
            tr_free(bytes);
        }
        cr_expect_geq(refusals, 400); /* all that are cut, and flips in the data */
    }
}
