/* test_course_files.c -- the datasets of courses: two files, arrays of other names in each, and
 * what else lies beside them; read by keys alone.
 */
#include "data_fixture.h"

TestSuite(course_files, .init = make_folder, .fini = remove_folder);

enum { N = 6, N_TEST = 3, SIDE = 4, PIXELS = SIDE * SIDE * 3 };

/* As train_signs.h5 and test_signs.h5 are: images [n, h, w, 3], labels int64 [n], class names. */
static const char *make_signs(const char *name, const char *prefix, int n, uint8_t first)
{
    static uint8_t x[N * PIXELS];
    static const int64_t y[N] = {5, 0, 2, 1, 4, 3};
    char array[64];
    for (int i = 0; i < n * PIXELS; i++)
        x[i] = (uint8_t)(first + i);
    const char *path = in_folder(name);
    const hid_t file = h5_create(path);
    snprintf(array, sizeof array, "%s_set_x", prefix);
    h5_put(file, array, H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, x, 4, n, SIDE, SIDE, 3);
    snprintf(array, sizeof array, "%s_set_y", prefix);
    h5_put(file, array, H5T_STD_I64LE, H5T_NATIVE_INT64, 0, y, 1, n);
    h5_put(file, "list_classes", H5T_STD_I64LE, H5T_NATIVE_INT64, 0, y, 1, N);
    cr_assert_geq(H5Fclose(file), 0);
    return path;
}

static tr_config signs_config(void)
{
    tr_config config = config_for(make_signs("train_signs.h5", "train", N, 0), SIDE, SIDE, 3);
    config.data.x_train = "train_set_x";
    config.data.y_train = "train_set_y";
    config.data.test_file = make_signs("test_signs.h5", "test", N_TEST, 100);
    config.data.x_test = "test_set_x";
    config.data.y_test = "test_set_y";
    return config;
}

Test(course_files, signs_are_read_by_keys_alone)
{
    static const tr_data_memory memories[] = {TR_MEMORY_AUTO, TR_MEMORY_STREAMED};
    for (int i = 0; i < 2; i++) {
        tr_config config = signs_config();
        tr_dataset *dataset = NULL;
        tr_error err = {0};
        config.data.memory = memories[i];
        cr_assert_eq(tr_dataset_open(&dataset, &config, TR_TARGET_CLASSES, &err), TR_OK, "%s",
                     err.text);
        const tr_samples *train = tr_dataset_train(dataset), *test = tr_dataset_test(dataset);
        cr_expect(train->n == N && train->y[0] == 5 && train->y[5] == 3);
        cr_expect(test->n == N_TEST && test->y[2] == 2);
        cr_expect_eq(test->x == NULL, i == 1);
        if (i == 0)
            cr_expect_eq(((const uint8_t *)test->x)[1], 101);
        tr_dataset_free(dataset);
        cr_assert_eq(tr_dataset_open_test(&dataset, &config, TR_TARGET_CLASSES, NULL, &err), TR_OK,
                     "%s", err.text);
        cr_expect_eq(tr_dataset_test(dataset)->n, N_TEST);
        tr_dataset_free(dataset);
    }
    expect_no_leak();
}

/* Under the names that may be missing in one file, too: who names a file wants what is in it. */
Test(course_files, a_test_file_must_have_the_test_images)
{
    tr_dataset *dataset = NULL;
    tr_error err = {0};
    tr_config config = signs_config();
    config.data.x_test = "x_test";
    config.data.y_test = "y_test";
    cr_assert_eq(tr_dataset_open(&dataset, &config, TR_TARGET_CLASSES, &err), TR_ERR_DATA);
    expect_texts(&err, "test_signs.h5", "no dataset \"x_test\"", "test_set_x", NULL);
    config.data.test_file = in_folder("no.h5");
    cr_assert_eq(tr_dataset_open(&dataset, &config, TR_TARGET_CLASSES, &err), TR_ERR_DATA);
    expect_texts(&err, "no.h5", "no such file", NULL);
    expect_no_leak();
}
