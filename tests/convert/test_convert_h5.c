/* test_convert_h5.c -- whatever packing images had, they can be streamed afterwards and are the
 * same images; all else is as it was.
 */
#include "data_fixture.h"

#include "samples.h"
#include "trainer/convert.h"

TestSuite(convert_h5, .init = make_folder, .fini = remove_folder);

enum { N = 30, H = 5, W = 4, C = 3, PIXELS = H * W * C };

static uint8_t bytes[N * PIXELS];
static float floats[N * PIXELS];
static uint8_t labels[N];

static void make_values(void)
{
    for (int i = 0; i < N * PIXELS; i++) {
        bytes[i] = (uint8_t)(i * 31);
        floats[i] = (float)i * 0.5f - 7.0f;
    }
    for (int i = 0; i < N; i++)
        labels[i] = (uint8_t)(i % 3);
}

static void put_names(hid_t file)
{
    const char *const names[3] = {"ant", "b\xc3\xa4r", "camel"};
    const hsize_t n = 3;
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &n, NULL);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    const hid_t set =
        H5Dcreate2(file, "class_names", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert_geq(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, names), 0);
    const hid_t one = H5Screate(H5S_SCALAR);
    const hid_t note = H5Acreate2(file, "note", type, one, H5P_DEFAULT, H5P_DEFAULT);
    const char *text = "of a course";
    cr_assert_geq(H5Awrite(note, type, &text), 0);
    H5Aclose(note), H5Sclose(one), H5Dclose(set), H5Sclose(space), H5Tclose(type);
}

static const char *make_file(hid_t type, hid_t memory_type, const char *x_train)
{
    const char *path = in_folder("packed.h5");
    make_values();
    const void *x = memory_type == H5T_NATIVE_UINT8 ? (const void *)bytes : floats;
    const hid_t file = h5_create(path);
    h5_put(file, x_train, type, memory_type, 1, x, 4, N, H, W, C);
    h5_put(file, "y_train", H5T_STD_I64BE, H5T_NATIVE_UINT8, 1, labels, 1, N);
    h5_put(file, "x_test", type, memory_type, 1, x, 4, 9, H, W, C);
    h5_put(file, "y_test", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, labels, 1, 9);
    put_names(file);
    cr_assert_geq(H5Fclose(file), 0);
    return path;
}

static void expect_converted(const char *x_train, const void *x, size_t image_bytes)
{
    tr_error err = {0};
    tr_dataset *dataset = NULL;
    const char *out = in_folder("plain.h5");
    cr_assert_eq(tr_convert_h5(in_folder("packed.h5"), out, &err), TR_OK, "%s", err.text);
    tr_config config = config_for(out, H, W, C);
    config.data.memory = TR_MEMORY_STREAMED;
    config.data.x_train = x_train;
    cr_assert_eq(tr_dataset_open(&dataset, &config, TR_TARGET_CLASSES, &err), TR_OK, "%s",
                 err.text);
    const tr_samples *train = tr_dataset_train(dataset);
    tr_samples images;
    const uint32_t *rows;
    uint32_t index[N];
    for (uint32_t i = 0; i < N; i++) {
        index[i] = N - 1 - i;
        cr_expect_eq(train->y[i], i % 3);
    }
    cr_assert_null(train->x);
    cr_assert_eq(tr_samples_take(train, index, N, &images, &rows, &err), TR_OK, "%s", err.text);
    for (int i = 0; i < N; i++)
        cr_expect_eq(memcmp((const char *)images.x + rows[i] * image_bytes,
                            (const char *)x + index[i] * image_bytes, image_bytes),
                     0, "image %u", index[i]);
    cr_expect_eq(tr_dataset_test(dataset)->n, 9);
    tr_dataset_free(dataset);
}

/* h5dump tells names and attributes of both files the same. */
static void expect_same_dump(const char *what)
{
    char command[1200];
    snprintf(command, sizeof command,
             "cd %s && for f in packed plain; do h5dump %s $f.h5 | tail -n +2 > $f.txt; done; "
             "test -s packed.txt && cmp packed.txt plain.txt",
             folder, what);
    cr_expect_eq(system(command), 0, "%s", what);
}

Test(convert_h5, images_of_any_packing_and_type_can_be_streamed)
{
    make_file(H5T_STD_U8LE, H5T_NATIVE_UINT8, "x_train");
    expect_converted("x_train", bytes, PIXELS);
    make_file(H5T_IEEE_F64BE, H5T_NATIVE_FLOAT, "some/where/x");
    expect_converted("some/where/x", floats, PIXELS * sizeof(float));
    make_file(H5T_IEEE_F32BE, H5T_NATIVE_FLOAT, "x_train");
    expect_converted("x_train", floats, PIXELS * sizeof(float));
    expect_no_leak();
}

Test(convert_h5, all_else_is_as_it_was)
{
    tr_error err = {0};
    make_file(H5T_STD_U8LE, H5T_NATIVE_UINT8, "x_train");
    cr_assert_eq(tr_convert_h5(in_folder("packed.h5"), in_folder("plain.h5"), &err), TR_OK, "%s",
                 err.text);
    if (system("command -v h5dump > /dev/null") == 0) {
        expect_same_dump("-d class_names");
        expect_same_dump("-a note");
        expect_same_dump("-d y_train");
        expect_same_dump("-d x_test");
    }
    tr_h5_quiet();
    const hid_t file = H5Fopen(in_folder("plain.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    cr_expect_gt(H5Aexists(file, "note"), 0);
    cr_expect_gt(H5Lexists(file, "class_names", H5P_DEFAULT), 0);
    const hid_t y = H5Dopen2(file, "y_train", H5P_DEFAULT), type = H5Dget_type(y);
    cr_expect_gt(H5Tequal(type, H5T_STD_I64BE), 0);
    H5Tclose(type), H5Dclose(y), H5Fclose(file);
}

/* More than one slab, the last of them short. */
Test(convert_h5, takes_what_is_larger_than_a_slab)
{
    enum { MANY = 1100, SIDE = 200 };
    tr_error err = {0};
    uint8_t *x = tr_alloc(MANY, SIDE * SIDE);
    for (size_t i = 0; i < (size_t)MANY * SIDE * SIDE; i++)
        x[i] = (uint8_t)(i / 1000);
    const hid_t file = h5_create(in_folder("packed.h5"));
    h5_put(file, "x_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, x, 3, MANY, SIDE, SIDE);
    H5Fclose(file);
    cr_assert_eq(tr_convert_h5(in_folder("packed.h5"), in_folder("plain.h5"), &err), TR_OK, "%s",
                 err.text);
    uint8_t *back = tr_alloc(MANY, SIDE * SIDE);
    const hid_t again = H5Fopen(in_folder("plain.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t set = H5Dopen2(again, "x_train", H5P_DEFAULT);
    cr_assert_geq(H5Dread(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, back), 0);
    cr_expect_neq(H5Dget_offset(set), HADDR_UNDEF);
    cr_expect_eq(memcmp(x, back, (size_t)MANY * SIDE * SIDE), 0);
    H5Dclose(set), H5Fclose(again);
    tr_free(x), tr_free(back);
}

/* A table of more than 1 MB becomes float32 only where it is of floats. */
Test(convert_h5, large_tables_of_whole_numbers_stay)
{
    enum { ROWS = 70000, COLUMNS = 4 };
    tr_error err = {0};
    int64_t *ids = tr_alloc(ROWS, COLUMNS * sizeof *ids), *back = tr_alloc(ROWS, COLUMNS * 8);
    for (int64_t i = 0; i < ROWS * COLUMNS; i++)
        ids[i] = (INT64_C(1) << 40) + i;
    hid_t file = h5_create(in_folder("packed.h5"));
    h5_put(file, "ids", H5T_STD_I64LE, H5T_NATIVE_INT64, 1, ids, 2, ROWS, COLUMNS);
    h5_put(file, "x", H5T_IEEE_F64LE, H5T_NATIVE_INT64, 1, ids, 2, ROWS, COLUMNS);
    H5Fclose(file);
    cr_assert_eq(tr_convert_h5(in_folder("packed.h5"), in_folder("plain.h5"), &err), TR_OK, "%s",
                 err.text);
    file = H5Fopen(in_folder("plain.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t set = H5Dopen2(file, "ids", H5P_DEFAULT), x = H5Dopen2(file, "x", H5P_DEFAULT);
    const hid_t type = H5Dget_type(x);
    cr_assert_geq(H5Dread(set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, back), 0);
    cr_expect_eq(memcmp(ids, back, ROWS * COLUMNS * sizeof *ids), 0);
    cr_expect_gt(H5Tequal(type, H5T_IEEE_F32LE), 0);
    H5Tclose(type), H5Dclose(x), H5Dclose(set), H5Fclose(file);
    tr_free(ids), tr_free(back);
}

static void refused(const char *said)
{
    tr_error err = {0};
    cr_assert_eq(tr_convert_h5(in_folder("packed.h5"), in_folder("plain.h5"), &err), TR_ERR_DATA,
                 "%s", said);
    expect_texts(&err, "packed.h5", said, NULL);
    cr_expect_neq(access(in_folder("plain.h5"), F_OK), 0);
}

Test(convert_h5, refuses_what_it_cannot_copy_and_leaves_nothing)
{
    make_file(H5T_STD_U8LE, H5T_NATIVE_UINT8, "x_train");
    hid_t file = H5Fopen(in_folder("packed.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    H5Lcreate_soft("/x_train", file, "again", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    refused("again is a link");
    file = h5_create(in_folder("packed.h5"));
    h5_put(file, "x_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, NULL, 4, N, H, W, C);
    H5Fclose(file);
    refused("it was never written");
    write_bytes(in_folder("packed.h5"), "<html>", 6);
    refused("web page");
    expect_no_leak();
}
