/* test_dataset.c -- datasets that open, and the many that must not. */
#include "data_fixture.h"

#include <math.h>

#include "rng.h"

TestSuite(dataset, .init = make_folder, .fini = remove_folder);

enum { N = 5, H = 4, W = 3, PIXELS = N * H * W * 3 };

static uint8_t pixels[PIXELS]; /* 0, 1, 2, ... */
static const uint8_t labels[N] = {3, 0, 9, 1, 2};

static const uint8_t *counting_pixels(void)
{
    for (int i = 0; i < PIXELS; i++)
        pixels[i] = (uint8_t)i;
    return pixels;
}

static const char *good_file(int chunked)
{
    const char *path = in_folder("good.h5");
    const hid_t file = h5_create(path);
    h5_put(file, "x_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, chunked, counting_pixels(), 3, N, H, W);
    h5_put(file, "y_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, chunked, labels, 1, N);
    h5_put(file, "x_test", H5T_STD_U8LE, H5T_NATIVE_UINT8, chunked, pixels, 3, 2, H, W);
    h5_put(file, "y_test", H5T_STD_U8LE, H5T_NATIVE_UINT8, chunked, labels, 1, 2);
    cr_assert_geq(H5Fclose(file), 0);
    return path;
}

static tr_dataset *open_good(const tr_config *config)
{
    tr_dataset *dataset = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_dataset_open(&dataset, config, TR_TARGET_CLASSES, &err), TR_OK, "%s", err.text);
    return dataset;
}

/* Opens what must not open; the message must name the file. */
static tr_error open_bad(const tr_config *config)
{
    tr_dataset *dataset = NULL;
    tr_error err = {0};
    const tr_status status = tr_dataset_open(&dataset, config, TR_TARGET_CLASSES, &err);
    cr_assert_eq(status, TR_ERR_DATA, "status %d: %s", status, err.text);
    cr_expect_eq(err.status, TR_ERR_DATA);
    cr_expect_null(dataset);
    expect_texts(&err, config->data.file, NULL);
    return err;
}

/* ---- good files ---- */

Test(dataset, reads_uint8_as_it_is)
{
    for (int chunked = 0; chunked < 2; chunked++) {
        const tr_config config = config_for(good_file(chunked), H, W, 1);
        tr_dataset *dataset = open_good(&config);
        const tr_samples *train = tr_dataset_train(dataset), *test = tr_dataset_test(dataset);
        cr_expect(train->n == N && train->h == H && train->w == W && train->c == 1);
        cr_expect_eq(train->pixel, TR_PIXEL_U8);
        cr_expect_arr_eq(train->x, pixels, N * H * W);
        for (int i = 0; i < N; i++)
            cr_expect_eq(train->y[i], labels[i]);
        cr_expect_eq(test->n, 2);
        cr_expect_arr_eq(test->x, pixels, 2 * H * W);
        cr_expect(test->y[0] == 3 && test->y[1] == 0);
        tr_dataset_free(dataset);
    }
    expect_no_leak();
}

Test(dataset, reads_channels_and_other_names)
{
    const char *path = in_folder("colour.h5");
    const hid_t file = h5_create(path);
    h5_put(file, "images/train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, counting_pixels(), 4, N, H, W,
           3);
    h5_put(file, "labels/train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, labels, 2, N, 1);
    cr_assert_geq(H5Fclose(file), 0);
    tr_config config = config_for(path, H, W, 3);
    config.data.x_train = "/images/train";
    config.data.y_train = "labels/train";
    tr_dataset *dataset = open_good(&config);
    cr_expect_eq(tr_dataset_train(dataset)->c, 3);
    cr_expect_arr_eq(tr_dataset_train(dataset)->x, pixels, PIXELS);
    cr_expect_eq(tr_dataset_train(dataset)->y[2], 9);
    cr_expect_eq(tr_dataset_test(dataset)->n, 0, "no test part: not an error");
    tr_dataset_free(dataset);
}

/* IEEE half precision, which HDF5 1.10 has no name for. */
static hid_t float16(void)
{
    const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(type, 15, 10, 5, 0, 10);
    H5Tset_size(type, 2);
    H5Tset_ebias(type, 15);
    return type;
}

Test(dataset, converts_every_numeric_type)
{
    const hid_t half = float16();
    const hid_t types[] = {H5T_STD_I8LE,   H5T_STD_U16BE, H5T_STD_I16LE, H5T_STD_U32LE,
                           H5T_STD_I32BE,  H5T_STD_U64LE, H5T_STD_I64LE, half,
                           H5T_IEEE_F32BE, H5T_IEEE_F64LE};
    counting_pixels();
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        const char *path = in_folder("typed.h5");
        const hid_t file = h5_create(path);
        h5_put(file, "x_train", types[t], H5T_NATIVE_UINT8, 0, pixels, 3, N, H, W);
        h5_put(file, "y_train", types[t], H5T_NATIVE_UINT8, 0, labels, 1, N);
        cr_assert_geq(H5Fclose(file), 0);
        const tr_config config = config_for(path, H, W, 1);
        tr_dataset *dataset = open_good(&config);
        const tr_samples *train = tr_dataset_train(dataset);
        cr_expect_eq(train->pixel, TR_PIXEL_F32, "type %zu", t);
        for (int i = 0; i < N * H * W; i++)
            cr_expect_eq(((const float *)train->x)[i], (float)i, "type %zu, pixel %d", t, i);
        for (int i = 0; i < N; i++)
            cr_expect_eq(train->y[i], labels[i], "type %zu", t);
        tr_dataset_free(dataset);
    }
    H5Tclose(half);
}

Test(dataset, checks_labels_against_the_classes)
{
    const tr_config config = config_for(good_file(0), H, W, 1);
    tr_dataset *dataset = open_good(&config);
    tr_error err = {0};
    cr_expect_eq(tr_dataset_check_targets(dataset, &(tr_target_rules){.width = 10}, &err), TR_OK);
    cr_expect_eq(tr_dataset_check_targets(dataset, &(tr_target_rules){.width = 9}, &err),
                 TR_ERR_DATA);
    expect_texts(&err, config.data.file, "y_train", "label 9", "index 2", "9 outputs", "more units",
                 NULL);
    tr_dataset_free(dataset);
}

/* One more unit would train a class that never comes. */
Test(dataset, labels_from_1_are_named_as_such)
{
    static const uint8_t from_1[N] = {3, 1, 5, 4, 2};
    const char *path = in_folder("from_1.h5");
    const hid_t file = h5_create(path);
    h5_put(file, "x_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, counting_pixels(), 3, N, H, W);
    h5_put(file, "y_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, from_1, 1, N);
    cr_assert_geq(H5Fclose(file), 0);
    const tr_config config = config_for(path, H, W, 1);
    tr_dataset *dataset = open_good(&config);
    tr_error err = {0};
    cr_expect_eq(tr_dataset_check_targets(dataset, &(tr_target_rules){.width = 5}, &err),
                 TR_ERR_DATA);
    expect_texts(&err, path, "y_train", "label 5", "no label is 0", "start from 0", "subtract",
                 NULL);
    cr_expect_null(strstr(err.text, "units"));
    tr_dataset_free(dataset);
}

/* ---- files that are none ---- */

Test(dataset, missing_file_is_named)
{
    const tr_config config = config_for(in_folder("absent.h5"), H, W, 1);
    const tr_error err = open_bad(&config);
    expect_texts(&err, "absent.h5: no such file", NULL);
}

Test(dataset, folder_text_and_empty_files_are_named_as_such)
{
    tr_config config = config_for(folder, H, W, 1);
    tr_error err = open_bad(&config);
    expect_texts(&err, "is a folder", NULL);

    config.data.file = in_folder("empty.h5");
    write_bytes(config.data.file, "", 0);
    err = open_bad(&config);
    expect_texts(&err, "is empty", NULL);

    config.data.file = in_folder("text.h5");
    write_bytes(config.data.file, "label,pixel\n1,2\n", 16);
    err = open_bad(&config);
    expect_texts(&err, "not an HDF5 file", "trainer convert", NULL);

    config.data.file = in_folder("fifo.h5"); /* must not wait for a writer */
    cr_assert_eq(mkfifo(config.data.file, 0600), 0);
    err = open_bad(&config);
    expect_texts(&err, "is a device or a pipe", NULL);

    config.data.file = in_folder("text.h5/below.h5");
    err = open_bad(&config);
    expect_texts(&err, "Not a directory", NULL);
}

Test(dataset, unreadable_file)
{
    if (geteuid() == 0)
        cr_skip_test("root may read everything");
    const tr_config config = config_for(good_file(0), H, W, 1);
    cr_assert_eq(chmod(config.data.file, 0), 0);
    const tr_error err = open_bad(&config);
    expect_texts(&err, "Permission denied", NULL);
}

/* ---- arrays that do not fit ---- */

/* A file with one array replaced; dims as in h5_put. */
#define BAD_FILE(name, type, memory_type, values, ...)                                             \
    do {                                                                                           \
        const hid_t bad_ = H5Fopen(good_file(0), H5F_ACC_RDWR, H5P_DEFAULT);                       \
        cr_assert_geq(bad_, 0);                                                                    \
        H5Ldelete(bad_, name, H5P_DEFAULT);                                                        \
        h5_put(bad_, name, type, memory_type, 0, values, __VA_ARGS__);                             \
        cr_assert_geq(H5Fclose(bad_), 0);                                                          \
    } while (0)

static tr_error open_bad_good_file(void)
{
    const tr_config config = config_for(in_folder("good.h5"), H, W, 1);
    return open_bad(&config);
}

Test(dataset, missing_dataset_lists_those_there_are)
{
    tr_config config = config_for(good_file(0), H, W, 1);
    config.data.x_train = "images";
    tr_error err = open_bad(&config);
    expect_texts(&err, "\"images\"", "x_train uint8 [5, 4, 3]", "y_test uint8 [2]", NULL);

    config = config_for(good_file(0), H, W, 1);
    config.data.x_test = "holdout"; /* named, so wanted */
    err = open_bad(&config);
    expect_texts(&err, "\"holdout\"", NULL);

    config.data.x_test = "x_test";
    config.data.x_train = "/";
    err = open_bad(&config);
    expect_texts(&err, "expected a dataset", NULL);
}

/* Of any shape with as many numbers per sample, in their order. */
Test(dataset, vectors_from_any_array)
{
    tr_config config = config_for(good_file(0), 1, 1, H * W);
    tr_dataset *dataset = NULL;
    tr_error err = {0};
    config.input_flat = true;
    cr_assert_eq(tr_dataset_open(&dataset, &config, TR_TARGET_CLASSES, &err), TR_OK, "%s",
                 err.text);
    const tr_samples *train = tr_dataset_train(dataset);
    cr_assert(train->n == N && train->h == 1 && train->w == 1 && train->c == H * W);
    cr_expect_arr_eq(train->x, pixels, N * H * W);
    tr_dataset_free(dataset);

    config.input_shape[2] = H * W - 1;
    err = open_bad(&config);
    expect_texts(&err, "x_train is uint8 [5, 4, 3]", "input_shape in [model] says 11",
                 "expected [n, 11]", NULL);
}

Test(dataset, half_a_test_set_is_an_error)
{
    const char *const halves[] = {"x_test", "y_test"};
    for (int i = 0; i < 2; i++) {
        const hid_t file = H5Fopen(good_file(0), H5F_ACC_RDWR, H5P_DEFAULT);
        H5Ldelete(file, halves[i], H5P_DEFAULT);
        cr_assert_geq(H5Fclose(file), 0);
        const tr_error err = open_bad_good_file();
        expect_texts(&err, halves[i], NULL);
    }
}

Test(dataset, wrong_shapes)
{
    tr_config config = config_for(good_file(0), 32, 32, 3);
    tr_error err = open_bad(&config);
    expect_texts(&err, "x_train is uint8 [5, 4, 3]", "input_shape in [model] says 32, 32, 3", NULL);

    config = config_for(good_file(0), H, W, 2); /* [n, h, w] has one channel */
    err = open_bad(&config);
    expect_texts(&err, "says 4, 3, 2", NULL);

    BAD_FILE("x_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, pixels, 2, N, H * W);
    err = open_bad_good_file();
    expect_texts(&err, "x_train is uint8 [5, 12]", "of vectors input_shape is one number", NULL);

    BAD_FILE("x_test", H5T_STD_U8LE, H5T_NATIVE_UINT8, pixels, 4, 2, H, W, 2);
    err = open_bad_good_file();
    expect_texts(&err, "x_test is uint8 [2, 4, 3, 2]", NULL);

    BAD_FILE("x_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, NULL, 3, 0, H, W);
    err = open_bad_good_file();
    expect_texts(&err, "x_train is uint8 [0, 4, 3]", "empty", NULL);

    BAD_FILE("y_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, pixels, 2, N, 10);
    err = open_bad_good_file();
    expect_texts(&err, "y_train is uint8 [5, 10]", "one-hot", NULL);

    BAD_FILE("y_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, labels, 1, N - 1);
    err = open_bad_good_file();
    expect_texts(&err, "x_train is uint8 [5, 4, 3] but y_train is uint8 [4]", NULL);

    BAD_FILE("y_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, labels, 0);
    err = open_bad_good_file();
    expect_texts(&err, "y_train is uint8 []", NULL);

    BAD_FILE("x_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, pixels, 8, 1, 1, 1, 1, 1, 1, 1, 1);
    open_bad_good_file();
}

Test(dataset, non_numeric_types)
{
    const hid_t string = H5Tcopy(H5T_C_S1), compound = H5Tcreate(H5T_COMPOUND, 2);
    const hid_t truth = H5Tenum_create(H5T_NATIVE_INT8), variable = H5Tcopy(H5T_C_S1);
    H5Tset_size(string, 3);
    H5Tset_size(variable, H5T_VARIABLE);
    H5Tinsert(compound, "a", 0, H5T_NATIVE_UINT8);
    H5Tinsert(compound, "b", 1, H5T_NATIVE_UINT8);
    const int8_t yes = 1;
    H5Tenum_insert(truth, "TRUE", &yes);
    const hid_t types[] = {string, compound, truth, variable, H5T_STD_REF_OBJ};
    const char *const words[] = {"string", "compound", "enumeration", "string", "non-numeric"};
    for (int i = 0; i < 5; i++) {
        BAD_FILE("x_train", types[i], types[i], NULL, 3, N, H, W);
        tr_error err = open_bad_good_file();
        expect_texts(&err, "x_train", words[i], "expected integers or floats", NULL);
        BAD_FILE("y_test", types[i], types[i], NULL, 1, 2);
        err = open_bad_good_file();
        expect_texts(&err, "y_test", words[i], NULL);
    }
}

/* ---- values ---- */

Test(dataset, labels_out_of_range)
{
    const struct {
        int64_t bad;
        const char *text;
    } cases[] = {{-1, "-1"},
                 {INT64_C(1) << 31, "2147483648"},
                 {(INT64_C(1) << 32) + 1, "4294967297"}, /* is 1 when cut to 32 bits */
                 {INT64_MIN, "-9223372036854775808"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int64_t y[N] = {0, 1, 2, cases[i].bad, 3};
        BAD_FILE("y_train", H5T_STD_I64LE, H5T_NATIVE_INT64, y, 1, N);
        const tr_error err = open_bad_good_file();
        expect_texts(&err, "y_train", cases[i].text, "index 3", NULL);
    }
    const uint64_t y[N] = {0, 1, 2, UINT64_MAX, 3};
    BAD_FILE("y_train", H5T_STD_U64LE, H5T_NATIVE_UINT64, y, 1, N);
    const tr_error err = open_bad_good_file();
    expect_texts(&err, "y_train", "index 3", NULL);
}

Test(dataset, float_labels_must_be_whole)
{
    const double bad[] = {0.5, -1, -0.5, 2147483648.0, 1e300, NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const double y[N] = {0, 1, bad[i], 2, 3};
        BAD_FILE("y_train", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, y, 1, N);
        const tr_error err = open_bad_good_file();
        expect_texts(&err, "y_train", "index 2", "whole class numbers", NULL);
    }
}

Test(dataset, images_must_be_finite)
{
    const double bad[] = {NAN, INFINITY, -INFINITY, 1e39}; /* 1e39 overflows float32 */
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double x[N * H * W] = {0};
        x[2 * H * W + 1 * W + 2] = bad[i];
        BAD_FILE("x_train", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, x, 3, N, H, W);
        const tr_error err = open_bad_good_file();
        expect_texts(&err, "x_train is float64 [5, 4, 3]", "[2, 1, 2];", NULL);
    }
}

/* ---- hostile files ---- */

/* A chunked dataset of any extent takes no room in the file until it is written. */
static void put_bomb(hsize_t n)
{
    const hid_t file = H5Fopen(good_file(0), H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(file, "x_train", H5P_DEFAULT);
    H5Ldelete(file, "y_train", H5P_DEFAULT);
    const hsize_t dims[3] = {n, H, W}, chunk[3] = {1, H, W};
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, 3, chunk);
    hid_t space = H5Screate_simple(3, dims, NULL);
    hid_t made =
        H5Dcreate2(file, "x_train", H5T_IEEE_F64LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    cr_assert_geq(made, 0);
    tr_h5_close(made);
    tr_h5_close(space);
    H5Pset_chunk(plist, 1, chunk);
    space = H5Screate_simple(1, dims, NULL);
    made = H5Dcreate2(file, "y_train", H5T_STD_I8LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    cr_assert_geq(made, 0);
    tr_h5_close(made);
    tr_h5_close(space);
    tr_h5_close(plist);
    cr_assert_geq(H5Fclose(file), 0);
}

Test(dataset, absurd_sizes_are_refused_before_allocating)
{
    put_bomb(UINT32_MAX);
    tr_error err = open_bad_good_file();
    expect_texts(&err, "GiB of memory", NULL);
    put_bomb((hsize_t)1 << 40);
    err = open_bad_good_file();
    expect_texts(&err, "more than 4294967295 samples", NULL);
    put_bomb((hsize_t)1 << 62);
    err = open_bad_good_file();
    expect_texts(&err, "no memory can hold that", NULL);
    put_bomb(3);
    err = open_bad_good_file();
    expect_texts(&err, "never written", NULL);
}

Test(dataset, truncated_files, .timeout = 120)
{
    for (int chunked = 0; chunked < 2; chunked++) {
        size_t n;
        uint8_t *bytes = read_bytes(good_file(chunked), &n);
        const tr_config config = config_for(in_folder("cut.h5"), H, W, 1);
        for (size_t length = 0; length < n; length += 1 + length / 64) {
            write_bytes(config.data.file, bytes, length);
            open_bad(&config);
        }
        tr_free(bytes);
    }
}

/* A flip in the pixels cannot be seen; anything else must be an error, and nothing may crash. */
Test(dataset, flipped_bits, .timeout = 120)
{
    const uint32_t key[2] = {7, 0};
    int n_failed = 0;
    for (uint32_t trial = 0; trial < 300; trial++) {
        size_t n;
        uint8_t *bytes = read_bytes(good_file(trial & 1), &n);
        const uint32_t counter[4] = {trial};
        uint32_t words[4];
        tr_philox(counter, key, words);
        bytes[words[0] % n] ^= (uint8_t)(1u << words[1] % 8);
        const tr_config config = config_for(in_folder("flipped.h5"), H, W, 1);
        write_bytes(config.data.file, bytes, n);
        tr_dataset *dataset = NULL;
        tr_error err = {0};
        const tr_status status = tr_dataset_open(&dataset, &config, TR_TARGET_CLASSES, &err);
        cr_expect(status == TR_OK || status == TR_ERR_DATA, "trial %u: status %d: %s", trial,
                  status, err.text);
        n_failed += status != TR_OK;
        tr_dataset_free(dataset);
        tr_free(bytes);
    }
    cr_expect_gt(n_failed, 20, "the flips hit nothing");
}

/* One damaged byte in the description of a dataset. HDF5 1.10.8 refuses some, crashes on others. */
Test(dataset, files_that_crash_hdf5)
{
    /* In the layout message: chunks of 2 x H x W items of 1 byte, 4 bytes each. */
    const uint8_t chunk[16] = {2, 0, 0, 0, H, 0, 0, 0, W, 0, 0, 0, 1};
    /* In the type message: class and version, flags, 1 byte, bit offset 0, precision 8. */
    const uint8_t type[12] = {0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0};
    const struct {
        const uint8_t *before;
        size_t n, at;
        uint8_t value;
    } cases[] = {{chunk, 16, 0, 0},  {chunk, 16, 4, 0},  {chunk, 16, 8, 0},    {chunk, 16, 12, 0},
                 {chunk, 16, 6, 16}, {chunk, 16, 10, 1}, {type, 12, 10, 0x88}, {type, 12, 9, 1},
                 {type, 12, 5, 16},  {type, 12, 6, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n;
        uint8_t *bytes = read_bytes(good_file(1), &n);
        uint8_t *found = memmem(bytes, n, cases[i].before, cases[i].n);
        cr_assert_not_null(found, "case %zu", i);
        found[cases[i].at] = cases[i].value;
        const tr_config config = config_for(in_folder("crash.h5"), H, W, 1);
        write_bytes(config.data.file, bytes, n);
        tr_free(bytes);
        open_bad(&config);
    }
}

Test(dataset, survives_any_failed_allocation)
{
    const tr_config config = config_for(good_file(1), H, W, 1);
    tr_status status = TR_ERR_INTERNAL;
    int64_t k = 0;
    for (; status != TR_OK && k < 1000; k++) {
        tr_dataset *dataset = NULL;
        tr_error err = {0};
        tr_alloc_fail_after(k);
        status = tr_dataset_open(&dataset, &config, TR_TARGET_CLASSES, &err);
        tr_alloc_fail_after(-1);
        if (status != TR_OK) {
            cr_assert_eq(status, TR_ERR_INTERNAL, "allocation %lld: %s", (long long)k, err.text);
            cr_expect_null(dataset);
            expect_texts(&err, "out of memory", NULL);
        }
        tr_dataset_free(dataset);
    }
    cr_expect_gt(k, 8);
    cr_expect_eq(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0, "HDF5 objects left open");
    expect_no_leak();
}
