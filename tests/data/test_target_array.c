/* test_target_array.c -- targets of a dataset in both forms, where they may lie, and those that
 * must be refused.
 */
#include "data_fixture.h"

#include <math.h>

TestSuite(target_array, .init = make_folder, .fini = remove_folder);

enum { N = 5, H = 2, W = 3, K = 4, BOTH = TR_TARGET_CLASSES | TR_TARGET_VALUES };

static uint8_t pixels[N * H * W]; /* 0, 1, 2, ... */
static const uint8_t labels[N] = {3, 0, 2, 1, 2};
static const uint8_t one_hot[N][K] = {
    {0, 0, 0, 1}, {1, 0, 0, 0}, {0, 0, 1, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}};
static const float shares[N][K] = {{0.25f, 0.25f, 0.25f, 0.25f},
                                   {0.1f, 0.2f, 0.3f, 0.4f},
                                   {1, 0, 0, 0},
                                   {0.3f, 0.3f, 0.3f, 0.1f},
                                   {0, 0.5f, 0.5f, 0}};

static const tr_target_rules categorical = {
    .width = K, .in_0_1 = true, .add_up = true, .loss = "categorical_crossentropy"};
static const tr_target_rules binary = {.width = 1, .in_0_1 = true, .loss = "binary_crossentropy"};
static const tr_target_rules squared = {.width = 1, .loss = "mean_squared_error"};

/* A file with images for `x` and nothing else yet. */
static hid_t file_with(const char *path, const char *x)
{
    for (int i = 0; i < N * H * W; i++)
        pixels[i] = (uint8_t)i;
    const hid_t file = h5_create(path);
    h5_put(file, x, H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, pixels, 3, N, H, W);
    return file;
}

static void put_floats(hid_t file, const char *name, const float *values, int k)
{
    if (k == 0)
        h5_put(file, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 0, values, 1, N);
    else
        h5_put(file, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 1, values, 2, N, k);
}

/* x_train and y_train of floats, [n] (k = 0) or [n, k]. */
static tr_config float_file(const float *values, int k)
{
    const char *path = in_folder("floats.h5");
    const hid_t file = file_with(path, "x_train");
    put_floats(file, "y_train", values, k);
    cr_assert_geq(H5Fclose(file), 0);
    return config_for(path, H, W, 1);
}

static tr_dataset *open_good(const tr_config *config, unsigned targets)
{
    tr_dataset *dataset = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_dataset_open(&dataset, config, targets, &err), TR_OK, "%s", err.text);
    return dataset;
}

static tr_error open_bad(const tr_config *config, unsigned targets)
{
    tr_dataset *dataset = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_dataset_open(&dataset, config, targets, &err), TR_ERR_DATA, "%s", err.text);
    cr_expect_null(dataset);
    expect_no_leak();
    return err;
}

/* ---- the two forms ---- */

Test(target_array, one_hot_rows_are_values)
{
    const char *path = in_folder("one_hot.h5");
    const hid_t file = file_with(path, "x_train");
    h5_put(file, "y_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, one_hot, 2, N, K);
    cr_assert_geq(H5Fclose(file), 0);
    const tr_config config = config_for(path, H, W, 1);
    const unsigned wanted[] = {BOTH, TR_TARGET_VALUES};
    for (int w = 0; w < 2; w++) {
        tr_dataset *dataset = open_good(&config, wanted[w]);
        tr_error err = {0};
        const tr_samples *train = tr_dataset_train(dataset);
        cr_expect_null(train->y);
        cr_assert_eq(train->width, K);
        for (int k = 0; k < N * K; k++)
            cr_expect_eq(train->values[k], (float)one_hot[k / K][k % K]);
        cr_expect_eq(tr_dataset_check_targets(dataset, &categorical, &err), TR_OK, "%s", err.text);
        tr_dataset_free(dataset);
    }
    const tr_error err = open_bad(&config, TR_TARGET_CLASSES);
    expect_texts(&err, path, "y_train is uint8 [5, 4]", "categorical_crossentropy", NULL);
    expect_no_leak();
}

/* One number per sample is a class where the loss takes classes, and a value where it does not. */
Test(target_array, one_number_is_a_class_or_a_value)
{
    const char *path = in_folder("classes.h5");
    const hid_t file = file_with(path, "x_train");
    h5_put(file, "y_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, labels, 2, N, 1);
    cr_assert_geq(H5Fclose(file), 0);
    const tr_config config = config_for(path, H, W, 1);
    tr_dataset *dataset = open_good(&config, BOTH);
    tr_error err = {0};
    cr_assert_not_null(tr_dataset_train(dataset)->y);
    cr_expect_null(tr_dataset_train(dataset)->values);
    for (int i = 0; i < N; i++)
        cr_expect_eq(tr_dataset_train(dataset)->y[i], labels[i]);
    cr_expect_eq(tr_dataset_check_targets(dataset, &categorical, &err), TR_OK, "%s", err.text);
    cr_expect_eq(tr_dataset_check_targets(dataset, &(tr_target_rules){.width = 3}, &err),
                 TR_ERR_DATA);
    expect_texts(&err, path, "y_train", "label 3", "index 0", NULL);
    tr_dataset_free(dataset);
    dataset = open_good(&config, TR_TARGET_VALUES);
    cr_expect_null(tr_dataset_train(dataset)->y);
    cr_assert_eq(tr_dataset_train(dataset)->width, 1);
    for (int i = 0; i < N; i++)
        cr_expect_eq(tr_dataset_train(dataset)->values[i], (float)labels[i]);
    cr_expect_eq(tr_dataset_check_targets(dataset, &squared, &err), TR_OK, "%s", err.text);
    tr_dataset_free(dataset);
    expect_no_leak();
}

Test(target_array, numbers_for_regression)
{
    static const float numbers[N] = {-3.5f, 0, 1e30f, 7, -0.25f};
    tr_error err = {0};
    tr_config config = float_file(numbers, 0);
    tr_dataset *dataset = open_good(&config, TR_TARGET_VALUES);
    cr_assert_eq(tr_dataset_train(dataset)->width, 1);
    cr_expect_arr_eq(tr_dataset_train(dataset)->values, numbers, sizeof numbers);
    cr_expect_eq(tr_dataset_check_targets(dataset, &squared, &err), TR_OK, "%s", err.text);
    tr_dataset_free(dataset);
    config = float_file(shares[0], K);
    dataset = open_good(&config, TR_TARGET_VALUES);
    cr_assert_eq(tr_dataset_train(dataset)->width, K);
    cr_expect_arr_eq(tr_dataset_train(dataset)->values, shares, sizeof shares);
    const tr_target_rules wide = {.width = K, .loss = "mean_squared_error"};
    cr_expect_eq(tr_dataset_check_targets(dataset, &wide, &err), TR_OK, "%s", err.text);
    cr_expect_eq(tr_dataset_check_targets(dataset, &categorical, &err), TR_OK, "%s", err.text);
    tr_dataset_free(dataset);
    expect_no_leak();
}

/* ---- targets against the network ---- */

static tr_error check_bad(const tr_config *config, const tr_target_rules *rules)
{
    tr_error err = {0};
    tr_dataset *dataset = open_good(config, TR_TARGET_VALUES);
    cr_assert_eq(tr_dataset_check_targets(dataset, rules, &err), TR_ERR_DATA);
    tr_dataset_free(dataset);
    expect_texts(&err, config->data.file, "y_train", NULL);
    return err;
}

Test(target_array, as_many_numbers_as_outputs)
{
    tr_config config = float_file(shares[0], K);
    const tr_target_rules narrow = {.width = 3, .loss = "mean_squared_error"};
    tr_error err = check_bad(&config, &narrow);
    expect_texts(&err, "has 4 numbers per sample, but the model has 3 outputs", NULL);
    cr_expect_null(strstr(err.text, "categorical"));
    /* Class numbers where several yes-or-no questions are asked. */
    static const float classes[N] = {0, 1, 0, 1, 1};
    config = float_file(classes, 0);
    const tr_target_rules questions = {.width = 3, .in_0_1 = true, .loss = "binary_crossentropy"};
    err = check_bad(&config, &questions);
    expect_texts(&err, "has 1 numbers per sample", "use a categorical loss for class numbers",
                 NULL);
}

Test(target_array, rows_must_add_up_for_a_distribution)
{
    float rows[N][K];
    memcpy(rows, shares, sizeof rows);
    rows[3][0] += 0.0005f; /* as their author rounded */
    tr_config config = float_file(rows[0], K);
    tr_error err = {0};
    tr_dataset *dataset = open_good(&config, BOTH);
    cr_expect_eq(tr_dataset_check_targets(dataset, &categorical, &err), TR_OK, "%s", err.text);
    tr_dataset_free(dataset);
    rows[3][0] = 0.31f;
    config = float_file(rows[0], K);
    err = check_bad(&config, &categorical);
    expect_texts(&err, "sample 3: adds up to 1.01", "loss = categorical_crossentropy wants",
                 "add up to 1 (one-hot rows)", NULL);
    rows[3][0] = 0.28f;
    config = float_file(rows[0], K);
    err = check_bad(&config, &categorical);
    expect_texts(&err, "sample 3: adds up to 0.98", NULL);
    rows[3][0] = -0.1f;
    rows[3][3] = 0.5f;
    config = float_file(rows[0], K);
    err = check_bad(&config, &categorical);
    expect_texts(&err, "sample 3: holds -0.1", NULL);
}

Test(target_array, answers_lie_from_0_to_1)
{
    float answers[N] = {0, 1, 0.5f, 1, 0};
    tr_config config = float_file(answers, 0);
    tr_error err = {0};
    tr_dataset *dataset = open_good(&config, TR_TARGET_VALUES);
    cr_expect_eq(tr_dataset_check_targets(dataset, &binary, &err), TR_OK, "%s", err.text);
    tr_dataset_free(dataset);
    answers[4] = 2;
    config = float_file(answers, 0);
    err = check_bad(&config, &binary);
    expect_texts(&err, "sample 4: holds 2", "binary_crossentropy wants targets from 0 to 1",
                 "sparse_categorical_crossentropy", NULL);
    answers[4] = -1e-6f;
    config = float_file(answers, 0);
    err = check_bad(&config, &binary);
    expect_texts(&err, "sample 4: holds -", NULL);
    expect_no_leak();
}

Test(target_array, signs_are_of_one_kind)
{
    static const tr_target_rules hinge = {.width = 1, .signs = true, .loss = "hinge"};
    float answers[N] = {1, -1, 1, -1, 1};
    tr_config config = float_file(answers, 0);
    tr_error err = {0};
    tr_dataset *dataset = open_good(&config, TR_TARGET_VALUES);
    cr_expect_eq(tr_dataset_check_targets(dataset, &hinge, &err), TR_OK, "%s", err.text);
    tr_dataset_free(dataset);
    answers[4] = 0;
    config = float_file(answers, 0);
    err = check_bad(&config, &hinge);
    expect_texts(&err, "sample 4: holds 0", "hinge wants -1 or 1, or 0 or 1", NULL);
    answers[1] = answers[3] = 0;
    config = float_file(answers, 0);
    dataset = open_good(&config, TR_TARGET_VALUES);
    cr_expect_eq(tr_dataset_check_targets(dataset, &hinge, &err), TR_OK, "%s", err.text);
    tr_dataset_free(dataset);
    answers[3] = -1;
    config = float_file(answers, 0);
    err = check_bad(&config, &hinge);
    expect_texts(&err, "sample 3: holds -1", NULL);
    expect_no_leak();
}

/* ---- shapes and values that cannot be targets ---- */

Test(target_array, values_must_be_finite)
{
    const double bad[] = {NAN, INFINITY, -INFINITY, 1e39}; /* 1e39 overflows float32 */
    const char *const words[] = {"nan", "inf", "-inf", "inf"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double values[N][2] = {{0}};
        values[3][1] = bad[i];
        const char *path = in_folder("floats.h5");
        const hid_t file = file_with(path, "x_train");
        h5_put(file, "y_train", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 0, values, 2, N, 2);
        cr_assert_geq(H5Fclose(file), 0);
        const tr_config config = config_for(path, H, W, 1);
        const tr_error err = open_bad(&config, TR_TARGET_VALUES);
        expect_texts(&err, path, "y_train is float64 [5, 2]", "[3, 1]", words[i], NULL);
    }
}

Test(target_array, shapes)
{
    static const float values[N * K * 2];
    const unsigned wanted[] = {TR_TARGET_CLASSES, TR_TARGET_VALUES, BOTH};
    for (int w = 0; w < 3; w++) {
        const char *path = in_folder("shapes.h5");
        hid_t file = file_with(path, "x_train");
        h5_put(file, "y_train", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 0, values, 3, N, K, 2);
        cr_assert_geq(H5Fclose(file), 0);
        const tr_config config = config_for(path, H, W, 1);
        tr_error err = open_bad(&config, wanted[w]);
        expect_texts(&err, path, "y_train is float32 [5, 4, 2]", "expected", NULL);
        file = file_with(path, "x_train");
        h5_put(file, "y_train", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 0, values, 1, N + 1);
        cr_assert_geq(H5Fclose(file), 0);
        err = open_bad(&config, wanted[w]);
        expect_texts(&err, "y_train is float32 [6]", "one label for each image", NULL);
    }
}

/* ---- parts that must agree ---- */

Test(target_array, classes_here_and_one_hot_there)
{
    const char *path = in_folder("mixed.h5");
    const hid_t file = file_with(path, "x_train");
    h5_put(file, "y_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, labels, 1, N);
    h5_put(file, "x_test", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, pixels, 3, N, H, W);
    h5_put(file, "y_test", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, one_hot, 2, N, K);
    cr_assert_geq(H5Fclose(file), 0);
    const tr_config config = config_for(path, H, W, 1);
    const unsigned wanted[] = {BOTH, TR_TARGET_VALUES};
    for (int w = 0; w < 2; w++) {
        const tr_error err = open_bad(&config, wanted[w]);
        expect_texts(&err, path, "y_test has 4 numbers per sample, y_train", "images 1",
                     "they must agree", NULL);
    }
    const tr_error err = open_bad(&config, TR_TARGET_CLASSES);
    expect_texts(&err, "y_test is uint8 [5, 4]", "one-hot", NULL);
}

/* ---- validation data of its own ---- */

/* Training and test data; and, in the same file or in another one, validation data. */
static tr_config with_validation(bool same_file, const char *x, const char *y)
{
    const char *path = in_folder("train.h5"), *other = in_folder("other.h5");
    hid_t file = file_with(path, "x_train");
    put_floats(file, "y_train", shares[0], K);
    h5_put(file, "x_test", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, pixels, 3, 2, H, W);
    h5_put(file, "y_test", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 0, shares, 2, 2, K);
    if (!same_file) {
        cr_assert_geq(H5Fclose(file), 0);
        file = h5_create(other);
    }
    h5_put(file, x, H5T_STD_U8LE, H5T_NATIVE_UINT8, 1, pixels + H * W, 3, 3, H, W);
    h5_put(file, y, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 1, shares[1], 2, 3, K);
    cr_assert_geq(H5Fclose(file), 0);
    tr_config config = config_for(path, H, W, 1);
    config.data.validation_file = same_file ? path : other;
    config.data.x_validation = x;
    config.data.y_validation = y;
    return config;
}

Test(target_array, validation_in_the_same_file_and_in_another)
{
    static const char *const names[][2] = {{"x_validation", "y_validation"},
                                           {"held/images", "held/answers"}};
    for (int which = 0; which < 4; which++) {
        const tr_config config =
            with_validation(which % 2 == 0, names[which / 2][0], names[which / 2][1]);
        tr_dataset *dataset = open_good(&config, TR_TARGET_VALUES);
        const tr_samples *part = tr_dataset_validation(dataset);
        cr_assert(part->n == 3 && part->h == H && part->w == W && part->c == 1 && part->width == K);
        cr_expect_arr_eq(part->x, pixels + H * W, 3 * H * W);
        cr_expect_arr_eq(part->values, shares[1], 3 * K * sizeof(float));
        cr_expect_eq(tr_dataset_train(dataset)->n, N);
        cr_expect_eq(tr_dataset_test(dataset)->n, 2);
        tr_dataset_free(dataset);
    }
    /* Empty: none. */
    tr_config config = with_validation(true, "x_validation", "y_validation");
    config.data.validation_file = "";
    tr_dataset *dataset = open_good(&config, TR_TARGET_VALUES);
    cr_expect_eq(tr_dataset_validation(dataset)->n, 0);
    tr_dataset_free(dataset);
    expect_no_leak();
}

Test(target_array, validation_that_is_not_there)
{
    tr_config config = with_validation(false, "x_validation", "y_validation");
    config.data.validation_file = in_folder("absent.h5");
    tr_error err = open_bad(&config, TR_TARGET_VALUES);
    expect_texts(&err, "absent.h5", "no such file", NULL);
    config = with_validation(false, "x_validation", "y_validation");
    config.data.x_validation = "x_val";
    err = open_bad(&config, TR_TARGET_VALUES);
    expect_texts(&err, "other.h5", "\"x_val\"", "x_validation uint8 [3, 2, 3]", NULL);
    config = with_validation(true, "x_validation", "y_validation");
    config.data.y_validation = "y_val";
    err = open_bad(&config, TR_TARGET_VALUES);
    expect_texts(&err, "train.h5", "\"y_val\"", NULL);
}

/* The same questions are asked of every part. */
Test(target_array, validation_is_checked_like_the_rest)
{
    tr_config config = with_validation(false, "x_validation", "y_validation");
    hid_t file = H5Fopen(config.data.validation_file, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(file, "y_validation", H5P_DEFAULT);
    h5_put(file, "y_validation", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, labels, 1, 3);
    cr_assert_geq(H5Fclose(file), 0);
    tr_error err = open_bad(&config, BOTH);
    expect_texts(&err, "other.h5", "y_validation has 1 numbers per sample", "images 4", NULL);

    config = with_validation(false, "x_validation", "y_validation");
    file = H5Fopen(config.data.validation_file, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(file, "y_validation", H5P_DEFAULT);
    static const float wrong[3][K] = {{1, 0, 0, 0}, {1, 1, 0, 0}, {0, 0, 1, 0}};
    h5_put(file, "y_validation", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 0, wrong, 2, 3, K);
    cr_assert_geq(H5Fclose(file), 0);
    tr_dataset *dataset = open_good(&config, BOTH);
    cr_assert_eq(tr_dataset_check_targets(dataset, &categorical, &err), TR_ERR_DATA);
    expect_texts(&err, "other.h5", "y_validation, sample 1: adds up to 2", NULL);
    tr_dataset_free(dataset);

    config = with_validation(false, "x_validation", "y_validation");
    config.input_shape[0] = 3;
    err = open_bad(&config, BOTH);
    expect_texts(&err, "input_shape in [model] says 3, 3, 1", NULL);
}

/* ---- images alone ---- */

Test(target_array, images_to_predict_have_no_targets)
{
    const char *path = in_folder("images.h5");
    const tr_config config = config_for(path, H, W, 1), other = config_for(path, H, W, 3);
    cr_assert_geq(H5Fclose(file_with(path, "some/images")), 0);
    tr_dataset *dataset = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_dataset_open_images(&dataset, path, "some/images", &config, &err), TR_OK, "%s",
                 err.text);
    const tr_samples *images = tr_dataset_test(dataset);
    cr_expect(images->n == N && images->y == NULL && images->values == NULL);
    cr_expect_arr_eq(images->x, pixels, N * H * W);
    cr_expect_eq(tr_dataset_train(dataset)->n, 0);
    cr_expect_eq(tr_dataset_validation(dataset)->n, 0);
    tr_dataset_free(dataset);
    dataset = NULL;
    cr_assert_eq(tr_dataset_open_images(&dataset, path, "x_test", &config, &err), TR_ERR_DATA);
    expect_texts(&err, path, "\"x_test\"", "some/images", NULL);
    cr_assert_eq(tr_dataset_open_images(&dataset, path, "some/images", &other, &err), TR_ERR_DATA);
    expect_texts(&err, "uint8 [5, 2, 3]", "2, 3, 3", NULL);
    cr_assert_eq(tr_dataset_open_images(&dataset, in_folder("no.h5"), "x", &config, &err),
                 TR_ERR_DATA);
    expect_texts(&err, "no such file", NULL);
    cr_expect_null(dataset);
    expect_no_leak();
}

/* ---- lack of memory ---- */

static void survive(const tr_config *config, bool images_alone, int at_least)
{
    tr_status status = TR_ERR_INTERNAL;
    int64_t k = 0;
    for (; status != TR_OK && k < 1000; k++) {
        tr_dataset *dataset = NULL;
        tr_error err = {0};
        tr_alloc_fail_after(k);
        status = images_alone
                     ? tr_dataset_open_images(&dataset, config->data.file, "x_train", config, &err)
                     : tr_dataset_open(&dataset, config, BOTH, &err);
        tr_alloc_fail_after(-1);
        if (status != TR_OK) {
            cr_assert_eq(status, TR_ERR_INTERNAL, "allocation %lld: %s", (long long)k, err.text);
            cr_expect_null(dataset);
            expect_texts(&err, "out of memory", NULL);
        }
        tr_dataset_free(dataset);
    }
    cr_expect_gt(k, at_least);
    cr_expect_eq(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0, "HDF5 objects left open");
    expect_no_leak();
}

Test(target_array, survives_any_failed_allocation)
{
    const tr_config other = with_validation(false, "x_validation", "y_validation");
    survive(&other, false, 8);
    survive(&other, true, 5);
    const tr_config same = with_validation(true, "x_validation", "y_validation");
    survive(&same, false, 8);
}
