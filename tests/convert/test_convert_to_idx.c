/* test_convert_to_idx.c -- a dataset as IDX files: they come back as they were, or there are none.
 */
#include <signal.h>
#include <sys/resource.h>

#include "arrays.h"
#include "data_fixture.h"
#include "leftovers.h"
#include "trainer/convert.h"

TestSuite(convert_to_idx, .init = make_folder, .fini = remove_folder);

static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

/* Whole numbers in several types; x_test with a channel of its own. */
static void put_dataset(float odd, int n_labels)
{
    float values[48];
    const hid_t file = h5_create(in_folder("a.h5"));
    for (int i = 0; i < 48; i++)
        values[i] = (float)(i * 5 % 256);
    values[7] = odd;
    h5_put(file, "x_train", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 1, values, 3, 4, 3, 4);
    h5_put(file, "y_train", H5T_STD_I64LE, H5T_NATIVE_FLOAT, 0, values, 2, n_labels, 1);
    h5_put(file, "x_test", H5T_STD_U8LE, H5T_NATIVE_FLOAT, 0, values, 4, 2, 3, 4, 1);
    h5_put(file, "y_test", H5T_STD_U8LE, H5T_NATIVE_FLOAT, 0, values, 1, 2);
    H5Fclose(file);
}

static const char *in_out(const char *name)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", in_folder("out"), name);
    return path;
}

Test(convert_to_idx, comes_back)
{
    tr_arrays arrays = {0};
    tr_error err = {0};
    put_dataset(255, 4);
    cr_assert_eq(tr_convert_to_idx(in_folder("a.h5"), in_folder("out"), &err), TR_OK, "%s",
                 err.text);
    size_t n;
    uint8_t *bytes = read_bytes(in_out(names[0]), &n);
    static const uint8_t header[16] = {0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 4};
    cr_assert_eq(n, 16 + 48);
    cr_expect_eq(memcmp(bytes, header, 16), 0);
    tr_free(bytes);
    cr_assert_eq(tr_convert_idx(in_folder("out"), NULL, in_folder("b.h5"), &err), TR_OK, "%s",
                 err.text);
    cr_assert_eq(tr_arrays_read_h5(&arrays, in_folder("b.h5"), true, &err), TR_OK);
    for (int i = 0; i < 4; i++)
        for (int64_t k = 0; k < arrays.items[i].n; k++)
            cr_assert_eq(((const uint8_t *)arrays.items[i].values)[k], k == 7 ? 255 : k * 5 % 256);
    cr_expect_eq(arrays.items[TR_X_TEST].n, 24);
    cr_expect_eq(arrays.items[TR_Y_TRAIN].n, 4);
    tr_arrays_release(&arrays);
    expect_no_leak();
}

static void expect_refused(tr_status expected, const char *text)
{
    tr_error err = {0};
    cr_expect_eq(tr_convert_to_idx(in_folder("a.h5"), in_folder("out"), &err), expected);
    expect_texts(&err, text, NULL);
}

Test(convert_to_idx, refuses_what_is_no_byte)
{
    static const float bad[] = {0.5f, -1, 256};
    for (int i = 0; i < 3; i++) {
        put_dataset(bad[i], 4);
        expect_refused(TR_ERR_DATA, "x_train, element 7 is ");
    }
    put_dataset(0, 3);
    expect_refused(TR_ERR_DATA, "x_train has 4 samples but y_train has 3");
    cr_expect_neq(access(in_folder("out"), F_OK), 0);
}

/* The third file is larger than files may be: the others keep what they have. */
Test(convert_to_idx, all_files_or_none)
{
    const float values[48] = {0};
    const struct rlimit small = {50, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
    const hid_t file = h5_create(in_folder("a.h5"));
    h5_put(file, "x_train", H5T_STD_U8LE, H5T_NATIVE_FLOAT, 0, values, 3, 1, 3, 4);
    h5_put(file, "y_train", H5T_STD_U8LE, H5T_NATIVE_FLOAT, 0, values, 1, 1);
    h5_put(file, "x_test", H5T_STD_U8LE, H5T_NATIVE_FLOAT, 0, values, 3, 4, 3, 4);
    h5_put(file, "y_test", H5T_STD_U8LE, H5T_NATIVE_FLOAT, 0, values, 1, 4);
    H5Fclose(file);
    cr_assert_eq(mkdir(in_folder("out"), 0777), 0);
    write_bytes(in_out(names[0]), "old", 3);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    expect_refused(TR_ERR_IO, names[2]);
    setrlimit(RLIMIT_FSIZE, &none);
    size_t n;
    tr_free(read_bytes(in_out(names[0]), &n));
    cr_expect_eq(n, 3);
    for (int i = 1; i < 4; i++)
        cr_expect_neq(access(in_out(names[i]), F_OK), 0, "%s", names[i]);
    cr_expect_eq(test_leftovers(in_folder("out")), 0);
}
