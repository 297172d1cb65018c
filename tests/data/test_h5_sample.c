/* test_h5_sample.c -- one image of a file, and the label that belongs to it. */
#include "data_fixture.h"

#include "h5_sample.h"

TestSuite(h5_sample, .init = make_folder, .fini = remove_folder);

enum { N = 4, H = 2, W = 3 };

static const char *put_samples(void)
{
    uint8_t bytes[N * H * W];
    float floats[N * H * W];
    static const int32_t labels[N] = {5, 6, 7, 8};
    for (int i = 0; i < N * H * W; i++) {
        bytes[i] = (uint8_t)(i * 3);
        floats[i] = (float)i / 2;
    }
    const char *path = in_folder("samples.h5");
    const hid_t file = h5_create(path);
    h5_put(file, "x_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, bytes, 3, N, H, W);
    h5_put(file, "y_train", H5T_STD_I32LE, H5T_NATIVE_INT32, 0, labels, 2, N, 1);
    h5_put(file, "more/x", H5T_IEEE_F64LE, H5T_NATIVE_FLOAT, 0, floats, 4, N, 1, H, W);
    h5_put(file, "more/y", H5T_STD_I32LE, H5T_NATIVE_INT32, 0, labels, 1, N);
    h5_put(file, "images", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 0, floats, 3, N, H, W);
    h5_put(file, "x_odd", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 0, floats, 3, N, H, W);
    h5_put(file, "y_odd", H5T_STD_I32LE, H5T_NATIVE_INT32, 0, labels, 1, N - 1);
    h5_put(file, "x_never", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 0, NULL, 3, N, H, W);
    H5Fclose(file);
    return path;
}

Test(h5_sample, is_the_right_one_with_its_label)
{
    const char *path = put_samples();
    tr_h5_sample sample;
    tr_error err = {0};
    cr_assert_eq(tr_h5_sample_read(&sample, path, "x_train", 3, TR_H5_DATASET, &err), TR_OK, "%s",
                 err.text);
    cr_expect(sample.n == N && sample.h == H && sample.w == W && sample.c == 1);
    cr_expect(sample.is_uint8 && sample.has_label && sample.label == 8);
    cr_expect_str_eq(sample.labels, "y_train");
    for (int i = 0; i < H * W; i++)
        cr_expect_eq(sample.values[i], (float)((3 * H * W + i) * 3));
    tr_h5_sample_release(&sample);

    cr_assert_eq(tr_h5_sample_read(&sample, path, "more/x", 1, TR_H5_DATASET, &err), TR_OK, "%s",
                 err.text);
    cr_expect(sample.h == 1 && sample.w == H && sample.c == W && !sample.is_uint8);
    cr_expect(sample.has_label && sample.label == 6 && sample.values[1] == 3.5f);
    cr_expect_str_eq(sample.labels, "more/y");
    tr_h5_sample_release(&sample);
    expect_no_leak();
}

Test(h5_sample, no_label_is_made_up)
{
    const char *path = put_samples();
    static const char *const names[] = {"images", "x_odd"};
    for (int i = 0; i < 2; i++) {
        tr_h5_sample sample;
        tr_error err = {0};
        cr_assert_eq(tr_h5_sample_read(&sample, path, names[i], 0, TR_H5_DATASET, &err), TR_OK,
                     "%s", err.text);
        cr_expect(!sample.has_label, "%s", names[i]);
        tr_h5_sample_release(&sample);
    }
}

Test(h5_sample, mistakes_are_named)
{
    const char *path = put_samples();
    const struct {
        const char *name;
        int64_t index;
        const char *text;
    } cases[] = {{"x_train", N, "has no sample 4; it has samples 0 to 3"},
                 {"x_train", -1, "has no sample -1"},
                 {"x_train", INT64_MAX, "has no sample"},
                 {"y_train", 0, "[n, height, width]"},
                 {"x_test", 0, "has no dataset x_test"},
                 {"more", 0, "is a group"},
                 {"x_never", 0, "it was never written"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tr_h5_sample sample;
        tr_error err = {0};
        cr_expect_eq(
            tr_h5_sample_read(&sample, path, cases[i].name, cases[i].index, TR_H5_DATASET, &err),
            TR_ERR_DATA, "%s", cases[i].name);
        expect_texts(&err, path, cases[i].name, cases[i].text, NULL);
        cr_expect_null(sample.values);
        tr_h5_sample_release(&sample);
    }
    expect_no_leak();
}
