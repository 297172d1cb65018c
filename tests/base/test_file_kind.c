/* test_file_kind.c -- files that were saved under another name, by what they are. */
#include "file_kind.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "h5_file.h"
#include "net.h"

static void expect(const char *bytes, size_t n, const char *what, const char *advice)
{
    const tr_file_kind kind = tr_file_kind_of((const unsigned char *)bytes, n);
    cr_assert_not_null(kind.what, "expected %s", what);
    cr_expect_not_null(strstr(kind.what, what), "%s, not %s", kind.what, what);
    if (advice == NULL)
        cr_expect_null(kind.dataset, "%s", kind.dataset);
    else
        cr_expect(kind.dataset != NULL && strstr(kind.dataset, advice) != NULL, "%s", what);
}

#define EXPECT(bytes, what, advice) expect(bytes, sizeof(bytes) - 1, what, advice)

/* As their writers begin them. */
Test(file_kind, is_told_by_the_first_bytes)
{
    EXPECT("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 54954096\n",
           "Git LFS", "git lfs pull");
    EXPECT("\n<!DOCTYPE HTML>\n<html lang=\"en\">", "web page", "download the file itself");
    EXPECT("<html><head><title>Sign in", "web page", "download");
    EXPECT("\xef\xbb\xbf<!doctype html>", "web page", "download");
    EXPECT("<?xml version='1.0'?><Error><Code>AccessDenied", "XML", "download it again");
    EXPECT("\x93NUMPY\1\0v\0{'descr': '<f4'", "array of NumPy", "convert npz");
    EXPECT("PK\3\4\x2d\0\0\0\0\0\0\0!\0abcdefghijkl\x0b\0\x14\0x_train.npy\1\0\x10\0",
           "archive of NumPy", "convert npz");
    EXPECT("PK\3\4\x14\0\0\0\0\0\0\0!\0abcdefghijkl\x0d\0\0\0metadata.json{", "model of Keras",
           NULL);
    EXPECT("PK\3\4\x14\0\0\0\0\0\0\0!\0abcdefghijkl\5\0\0\0a.jpgx", "zip archive", "unpack");
    EXPECT("PK\3\4", "zip archive", "unpack");
    EXPECT("\x1f\x8b\x08\0", "gzip", "unpack");
    EXPECT("\xff\xd8\xff\xe0\0\x10JFIF", "JPEG", "convert images");
    EXPECT("\x89PNG\r\n\x1a\n", "PNG", "convert images");
    EXPECT("\0\0\x08\x03\0\0\xea\x60", "IDX", "convert idx");
    EXPECT("\x80\4\x95\0\0", "pickle", "convert npz");
    EXPECT("\x80\2}q\1(U", "pickle", "convert cifar10");
    EXPECT("label,1x1,1x2,1x3\n5,0,0,0,12,255,0,0,0,128,64,3,99\n7,0,0,0,0,1,2,3,4,5,6,7,8,9,10,11",
           "CSV", "convert csv");
    EXPECT("5,0,0,1\n", "CSV", "convert csv");
    EXPECT("{\"a\": 1}", "JSON", NULL);
    EXPECT("Dear reader,\nthis is a letter.\n", "text", NULL);
    EXPECT("\0\0\0\0\0\0\0\0", "zeros", "download it again");
    char tar[600] = "folder/a.jpg", volume[400] = "\x5c\1";
    memcpy(tar + 257, "ustar", 5);
    expect(tar, sizeof tar, "tar archive", "convert images");
    memcpy(volume + 344, "n+1", 3);
    expect(volume, sizeof volume, "NIfTI", "numpy.savez");
    cr_expect_null(tr_file_kind_of((const unsigned char *)"\x01\x02\x03 x", 5).what);
    cr_expect_null(tr_file_kind_of((const unsigned char *)"", 0).what);
}

static void refused(const char *text, tr_h5_policy policy, const char *said)
{
    tr_h5_file file = {0};
    tr_error err = {0};
    const char *path = test_file("data.h5", text);
    cr_assert_eq(tr_h5_file_open(&file, path, policy, &err), TR_ERR_DATA);
    tr_h5_file_close(&file);
    char expected[1200];
    snprintf(expected, sizeof expected, "%s: is not an HDF5 file%s", path, said);
    cr_expect_str_eq(err.text, expected);
}

/* A dataset has another way out than a model. */
Test(file_kind, is_said_where_a_file_is_opened)
{
    refused("<!doctype html>", TR_H5_DATASET,
            "; it is a web page (HTML) that was saved under this name: download the file itself: "
            "the page has a link to it");
    refused("<!doctype html>", TR_H5_MODEL,
            ", nor an archive (.keras): no model; it is a web page (HTML) that was saved under "
            "this name: download the file itself: the page has a link to it");
    refused("1,2,3,4\n5,6,7,8\n", TR_H5_DATASET,
            "; it is a table as text (CSV): `trainer convert csv` makes a dataset of it");
    refused("1,2,3,4\n5,6,7,8\n", TR_H5_MODEL,
            ", nor an archive (.keras): no model; it is a table as text (CSV)");
    refused("\x01\x02\x03 x", TR_H5_DATASET, ": `trainer convert` makes one from other formats");
    refused("\x01\x02\x03 x", TR_H5_MODEL, ", nor an archive (.keras): no model");
}
