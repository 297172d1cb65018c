/* test_convert_idx.c -- four IDX files become one dataset that opens; whole, or not written. */
#include "data_fixture.h"
#include "leftovers.h"
#include "trainer/convert.h"

#include <signal.h>
#include <sys/resource.h>
#include <zlib.h>

TestSuite(convert_idx, .init = make_folder, .fini = remove_folder);

enum { TRAIN = 700, TEST = 5, H = 6, W = 4 };

static uint8_t noise(uint32_t i)
{
    return (uint8_t)((i * 2654435761u) >> 24);
}

static void put_idx(const char *name, int rank, uint32_t n, uint32_t h, uint32_t w, uint32_t salt)
{
    const uint32_t dims[3] = {n, h, w};
    const size_t n_values = rank == 3 ? (size_t)n * h * w : n;
    uint8_t *bytes = tr_alloc(16 + n_values, 1);
    bytes[2] = 8;
    bytes[3] = (uint8_t)rank;
    for (int i = 0; i < rank; i++)
        for (int j = 0; j < 4; j++)
            bytes[4 + 4 * i + j] = (uint8_t)(dims[i] >> (24 - 8 * j));
    for (uint32_t i = 0; i < n_values; i++)
        bytes[4 + 4 * rank + i] = rank == 3 ? noise(i + salt) : (uint8_t)((i + salt) % 10);
    /* "T": plain, and gzread passes plain bytes through. */
    gzFile file = gzopen(in_folder(name), strstr(name, ".gz") != NULL ? "wb" : "wbT");
    cr_assert_not_null(file);
    cr_assert_eq(gzwrite(file, bytes, (unsigned)(4 + 4 * rank + n_values)),
                 (int)(4 + 4 * rank + n_values));
    cr_assert_eq(gzclose(file), Z_OK);
    tr_free(bytes);
}

/* All four spellings, one each. */
static void put_four(void)
{
    put_idx("train-images-idx3-ubyte", 3, TRAIN, H, W, 0);
    put_idx("train-labels.idx1-ubyte", 1, TRAIN, 0, 0, 3);
    put_idx("t10k-images-idx3-ubyte.gz", 3, TEST, H, W, 99);
    put_idx("t10k-labels.idx1-ubyte.gz", 1, TEST, 0, 0, 7);
}

static void expect_text(hid_t object, const char *name, const char *expected)
{
    char text[64] = "";
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    cr_assert_geq(attribute, 0, "%s", name);
    const hid_t type = H5Aget_type(attribute);
    cr_assert_lt(H5Tget_size(type), sizeof text);
    cr_expect_geq(H5Aread(attribute, type, text), 0);
    cr_expect_str_eq(text, expected);
    H5Tclose(type);
    H5Aclose(attribute);
}

/* As EMNIST's authors spell them; labels count from `first`. */
static void put_emnist(const char *set, uint32_t first)
{
    char name[128];
    static const char *const ends[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz",
                                       "test-images-idx3-ubyte.gz", "test-labels-idx1-ubyte"};
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "emnist-%s-%s", set, ends[i]);
        put_idx(name, i % 2 == 0 ? 3 : 1, i < 2 ? TEST + 2 : TEST, H, W, i % 2 == 0 ? 11 : first);
    }
}

Test(convert_idx, emnist_lies_on_its_side)
{
    uint8_t x[(TEST + 2) * H * W], y[TEST + 2];
    char letters[26];
    tr_error err = {0};
    put_emnist("letters", 1);
    cr_assert_eq(tr_convert_idx(folder, NULL, in_folder("out.h5"), &err), TR_OK, "%s", err.text);
    const hid_t file = H5Fopen(in_folder("out.h5"), H5F_ACC_RDONLY, H5P_DEFAULT),
                images = H5Dopen2(file, "x_train", H5P_DEFAULT),
                labels = H5Dopen2(file, "y_train", H5P_DEFAULT),
                names = H5Dopen2(file, "class_names", H5P_DEFAULT), text = H5Dget_type(names);
    hsize_t dims[3];
    H5Sget_simple_extent_dims(H5Dget_space(images), dims, NULL);
    cr_assert(dims[0] == TEST + 2 && dims[1] == W && dims[2] == H);
    H5Dread(images, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    H5Dread(labels, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, y);
    for (uint32_t i = 0; i < TEST + 2; i++)
        for (uint32_t row = 0; row < W; row++)
            for (uint32_t column = 0; column < H; column++)
                cr_assert_eq(x[(i * W + row) * H + column], noise((i * H + column) * W + row + 11));
    for (uint32_t i = 0; i < TEST + 2; i++)
        cr_expect_eq(y[i], i % 10); /* written as (i + 1) % 10 */
    cr_assert_eq(H5Tget_size(text), 1);
    H5Dread(names, text, H5S_ALL, H5S_ALL, H5P_DEFAULT, letters);
    cr_expect_eq(memcmp(letters, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 26), 0);
    H5Tclose(text), H5Dclose(names), H5Dclose(labels), H5Dclose(images), H5Fclose(file);
}

Test(convert_idx, a_set_of_emnist_has_to_be_clear)
{
    tr_error err = {0};
    put_emnist("letters", 1);
    put_emnist("digits", 0);
    cr_expect_eq(tr_convert_idx(folder, NULL, in_folder("out.h5"), &err), TR_ERR_CONFIG);
    expect_texts(&err, "several sets of EMNIST: digits, letters", NULL);
    cr_expect_eq(tr_convert_idx(folder, "let", in_folder("out.h5"), &err), TR_ERR_CONFIG);
    expect_texts(&err, "has no emnist-let-train-images", "it has: digits, letters", NULL);
    cr_expect_eq(tr_convert_idx(folder, "", in_folder("a.h5"), &err), TR_ERR_CONFIG);
    expect_texts(&err, "names no set", NULL);
    cr_expect_eq(tr_convert_idx(folder, "digits", in_folder("out.h5"), &err), TR_OK, "%s",
                 err.text);
    put_emnist("letters", 0);
    cr_expect_eq(tr_convert_idx(folder, "letters", in_folder("out.h5"), &err), TR_ERR_DATA);
    expect_texts(&err, "label 0 is 0; those of EMNIST's set letters are 1 to 26", NULL);
    put_four();
    cr_expect_eq(tr_convert_idx(folder, NULL, in_folder("out.h5"), &err), TR_OK, "%s", err.text);
}

Test(convert_idx, makes_a_dataset_that_opens)
{
    put_four();
    const char *out = in_folder("out.h5");
    tr_error err = {0};
    cr_assert_eq(tr_convert_idx(folder, NULL, out, &err), TR_OK, "%s", err.text);
    const tr_config config = config_for(out, H, W, 1);
    tr_dataset *dataset = NULL;
    cr_assert_eq(tr_dataset_open(&dataset, &config, TR_TARGET_CLASSES, &err), TR_OK, "%s",
                 err.text);
    const tr_samples *train = tr_dataset_train(dataset), *test = tr_dataset_test(dataset);
    cr_expect(train->n == TRAIN && test->n == TEST && train->pixel == TR_PIXEL_U8);
    for (uint32_t i = 0; i < TRAIN * H * W; i++)
        cr_assert_eq(((const uint8_t *)train->x)[i], noise(i));
    for (uint32_t i = 0; i < TEST * H * W; i++)
        cr_assert_eq(((const uint8_t *)test->x)[i], noise(i + 99));
    for (int i = 0; i < TRAIN; i++)
        cr_assert_eq(train->y[i], (i + 3) % 10);
    for (int i = 0; i < TEST; i++)
        cr_assert_eq(test->y[i], (i + 7) % 10);
    tr_dataset_free(dataset);
    cr_expect_eq(test_leftovers(folder), 0, "a temporary file was left");
    expect_no_leak();
}

Test(convert_idx, says_where_it_came_from)
{
    put_four();
    cr_assert_eq(tr_convert_idx(folder, NULL, in_folder("out.h5"), NULL), TR_OK);
    const hid_t file = H5Fopen(in_folder("out.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    expect_text(file, "source", "IDX files");
    expect_text(file, "creator", "trainer convert idx");
    const hid_t dataset = H5Dopen2(file, "x_test", H5P_DEFAULT);
    expect_text(dataset, "source", "t10k-images-idx3-ubyte.gz");
    H5Dclose(dataset);
    H5Fclose(file);
}

Test(convert_idx, same_input_same_bytes)
{
    put_four();
    cr_assert_eq(tr_convert_idx(folder, NULL, in_folder("a.h5"), NULL), TR_OK);
    sleep(1); /* time stamps would differ */
    cr_assert_eq(tr_convert_idx(folder, NULL, in_folder("b.h5"), NULL), TR_OK);
    size_t n_a, n_b;
    uint8_t *a = read_bytes(in_folder("a.h5"), &n_a), *b = read_bytes(in_folder("b.h5"), &n_b);
    cr_assert_eq(n_a, n_b);
    cr_expect_arr_eq(a, b, n_a);
    tr_free(a);
    tr_free(b);
}

static void expect_refused(const char *from, const char *text)
{
    const char *out = in_folder("out.h5");
    tr_error err = {0};
    cr_expect_eq(tr_convert_idx(from, NULL, out, &err), TR_ERR_DATA, "wanted: %s", text);
    expect_texts(&err, from, text, NULL);
    cr_expect_neq(access(out, F_OK), 0, "%s", text);
}

Test(convert_idx, refuses_what_does_not_agree)
{
    put_four();
    put_idx("train-labels.idx1-ubyte", 1, TRAIN - 1, 0, 0, 3);
    expect_refused(folder, "train-labels.idx1-ubyte holds 699 labels");
    put_idx("train-labels.idx1-ubyte", 1, TRAIN, 0, 0, 3);
    put_idx("t10k-images-idx3-ubyte.gz", 3, TEST, W, H, 0);
    expect_refused(folder, "are 6 x 4 but those of t10k-images-idx3-ubyte.gz are 4 x 6");
    put_idx("t10k-images-idx3-ubyte.gz", 1, TEST, 0, 0, 0);
    expect_refused(folder, "expected 00 00 08 03");
    cr_assert_eq(unlink(in_folder("t10k-images-idx3-ubyte.gz")), 0);
    expect_refused(folder, "there is no t10k-images-idx3-ubyte");
    expect_refused(in_folder("absent"), "no such folder");
    expect_refused(in_folder("train-images-idx3-ubyte"), "not a folder");
}

/* A full disk, by way of a limit on the size of files. */
Test(convert_idx, full_disk_leaves_the_old_file)
{
    put_four();
    const char *out = in_folder("out.h5");
    write_bytes(out, "old", 3);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 4000;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    tr_error err = {0};
    const tr_status status = tr_convert_idx(folder, NULL, out, &err);
    limit.rlim_cur = before;
    setrlimit(RLIMIT_FSIZE, &limit);
    cr_expect_eq(status, TR_ERR_IO, "%d: %s", status, err.text);
    expect_texts(&err, out, "File too large", NULL);
    size_t n;
    uint8_t *bytes = read_bytes(out, &n);
    cr_expect(n == 3 && memcmp(bytes, "old", 3) == 0);
    tr_free(bytes);
    cr_expect_eq(test_leftovers(folder), 0, "a temporary file was left");
}

Test(convert_idx, unwritable_place)
{
    put_four();
    tr_error err = {0};
    const char *out = in_folder("absent/out.h5");
    cr_expect_eq(tr_convert_idx(folder, NULL, out, &err), TR_ERR_IO);
    expect_texts(&err, out, "No such file", NULL);
}

Test(convert_idx, survives_any_failed_allocation)
{
    put_four();
    const char *out = in_folder("out.h5");
    tr_status status = TR_ERR_INTERNAL;
    int64_t k = 0;
    for (; status != TR_OK && k < 1000; k++) {
        write_bytes(out, "old", 3);
        tr_error err = {0};
        tr_alloc_fail_after(k);
        status = tr_convert_idx(folder, NULL, out, &err);
        tr_alloc_fail_after(-1);
        struct stat info;
        cr_assert_eq(stat(out, &info), 0);
        if (status == TR_ERR_INTERNAL)
            cr_expect_eq(info.st_size, 3, "allocation %lld", (long long)k);
        /* The last one names the folder to flush: the file is in place by then. */
        cr_assert(status == TR_OK || status == TR_ERR_INTERNAL || status == TR_ERR_IO, "%s",
                  err.text);
    }
    cr_expect_gt(k, 8);
    cr_expect_eq(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0, "HDF5 objects left open");
    expect_no_leak();
}
