/* test_convert_csv.c -- tables as text into a dataset: heads, separators, quotes, classes in any
 * column; what is wrong is named with its line.
 */
#include "arrays.h"
#include "data_fixture.h"
#include "trainer/convert.h"

TestSuite(convert_csv, .init = make_folder, .fini = remove_folder);

static const char *file_of(const char *name, const char *text)
{
    const char *path = in_folder(name);
    write_bytes(path, text, strlen(text));
    return path;
}

/* x_train and y_train of a text. */
static tr_arrays converted(const char *text, const int64_t *shape, int n_shape)
{
    tr_arrays arrays = {0};
    tr_error err = {0};
    cr_assert_eq(
        tr_convert_csv(file_of("a.csv", text), NULL, shape, n_shape, in_folder("a.h5"), &err),
        TR_OK, "%s: %s", text, err.text);
    cr_assert_eq(tr_arrays_read_h5(&arrays, in_folder("a.h5"), false, &err), TR_OK, "%s", err.text);
    return arrays;
}

Test(convert_csv, all_ways_to_write_a_table)
{
    static const char *const texts[] = {
        "3,0,255,7\n0,1,2,3\n",
        "label,p0,p1,p2\r\n3,0,255,7\r\n\r\n0,1,2,3",
        "3;0;255;7\n0;1;2;3\n",
        "3\t0\t255\t7\n0\t1\t2\t3\n",
        "\"3\", \"0\" ,255,7.0\n0,1,2,3\n",
        "p0,p1,Class,p2\n0,255,3,7\n1,2,0,3\n",
        "\xef\xbb\xbf"
        "3,0,255,7\n0,1,2,3\n",
    };
    static const uint8_t x[] = {0, 255, 7, 1, 2, 3};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        tr_arrays arrays = converted(texts[i], NULL, 0);
        const tr_array *samples = &arrays.items[TR_X_TRAIN];
        cr_assert(samples->type == TR_NUMBER_U8 && samples->rank == 2, "%s", texts[i]);
        cr_assert(samples->dims[0] == 2 && samples->dims[1] == 3, "%s", texts[i]);
        cr_assert_arr_eq(samples->values, x, sizeof x, "%s", texts[i]);
        const double *y = arrays.items[TR_Y_TRAIN].values;
        cr_assert(arrays.items[TR_Y_TRAIN].n == 2 && y[0] == 3 && y[1] == 0, "%s", texts[i]);
        tr_arrays_release(&arrays);
    }
    expect_no_leak();
}

Test(convert_csv, numbers_that_are_no_bytes_are_floats)
{
    static const char *const texts[] = {"0,1,2\n1,-1,3\n", "0,1,2\n1,256,3\n", "0,0.5,2\n1,1,3\n"};
    static const double first[] = {1, 1, 0.5}, third[] = {-1, 256, 1};
    for (size_t i = 0; i < 3; i++) {
        tr_arrays arrays = converted(texts[i], NULL, 0);
        const double *x = arrays.items[TR_X_TRAIN].values;
        cr_assert_eq(arrays.items[TR_X_TRAIN].type, TR_NUMBER_F64); /* float32 in the file */
        cr_assert(x[0] == first[i] && x[1] == 2 && x[2] == third[i] && x[3] == 3, "%s", texts[i]);
        tr_arrays_release(&arrays);
    }
}

Test(convert_csv, images_and_a_test_set)
{
    static const int64_t shape[] = {2, 3};
    tr_arrays arrays = {0};
    tr_error err = {0};
    const char *train = file_of("a.csv", "1,1,2,3,4,5,6\n0,7,8,9,10,11,12\n");
    cr_assert_eq(tr_convert_csv(train, file_of("b.csv", "5,6,5,4,3,2,1\n"), shape, 2,
                                in_folder("a.h5"), &err),
                 TR_OK, "%s", err.text);
    cr_assert_eq(tr_arrays_read_h5(&arrays, in_folder("a.h5"), false, &err), TR_OK, "%s", err.text);
    const tr_array *x = &arrays.items[TR_X_TEST];
    cr_assert(x->rank == 3 && x->dims[0] == 1 && x->dims[1] == 2 && x->dims[2] == 3);
    cr_assert_arr_eq(x->values, ((uint8_t[]){6, 5, 4, 3, 2, 1}), 6);
    cr_assert_eq(*(const double *)arrays.items[TR_Y_TEST].values, 5);
    cr_assert_eq(arrays.items[TR_X_TRAIN].dims[0], 2);
    tr_arrays_release(&arrays);
}

static void refuse(const char *text, int n_shape, const char *expected)
{
    static const int64_t shape[] = {2, 2};
    tr_error err = {0};
    cr_assert_eq(
        tr_convert_csv(file_of("a.csv", text), NULL, shape, n_shape, in_folder("a.h5"), &err),
        TR_ERR_DATA, "%s", text);
    expect_texts(&err, "a.csv", expected, NULL);
    cr_assert_neq(access(in_folder("a.h5"), F_OK), 0, "%s: something was written", text);
    expect_no_leak();
}

Test(convert_csv, mistakes_are_named_with_their_line)
{
    refuse("", 0, "has no lines");
    refuse("label,a\n", 0, "no line but its head");
    refuse("5\n", 0, ":1: a single column");
    refuse("1,2,3\n1,2\n", 0, ":2: fewer columns");
    refuse("1,2,3\n\n1,2,3,4\n", 0, ":3: more columns");
    refuse("1,2,3\n1,x,3\n", 0, ":2: \"x\" in column 2; expected a number");
    refuse("1,2,3\n1,,3\n", 0, ":2: \"\" in column 2");
    refuse("1,2,3\n1,nan,3\n", 0, "expected a number");
    refuse("1.5,2,3\n", 0, ":1: a class that is no whole number");
    refuse("-1,2,3\n", 0, "no whole number from 0");
    refuse("4294967296,2,3\n", 0, "no whole number from 0");
    refuse("1,2,3\n", 2, "has 2 numbers beside the class in a line; the shape asks for 4");
}

Test(convert_csv, train_and_test_of_the_same_length)
{
    tr_error err = {0};
    const char *train = file_of("a.csv", "1,1,2\n"), *test = file_of("b.csv", "1,1,2,3\n");
    cr_assert_eq(tr_convert_csv(train, test, NULL, 0, in_folder("a.h5"), &err), TR_ERR_DATA);
    expect_texts(&err, "b.csv: has 3 numbers beside the class", "2", NULL);
    cr_assert_eq(tr_convert_csv(in_folder("no.csv"), NULL, NULL, 0, in_folder("a.h5"), &err),
                 TR_ERR_DATA);
    expect_texts(&err, "no.csv", NULL);
    expect_no_leak();
}
