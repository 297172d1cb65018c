/* test_streamed.c -- datasets whose images stay in their file: the same images, and what cannot be
 * streamed is refused with what to do.
 */
#include "data_fixture.h"

#include <math.h>

#include "samples.h"

TestSuite(streamed, .init = make_folder, .fini = remove_folder);

enum { N = 40, H = 5, W = 7, C = 3, PIXELS = H * W * C };

static uint8_t bytes[N * PIXELS];
static float floats[N * PIXELS];
static uint8_t labels[N];

static void make_values(void)
{
    for (int i = 0; i < N * PIXELS; i++) {
        bytes[i] = (uint8_t)(i * 37 + i / 256);
        floats[i] = (float)i * 0.25f - 3.0f;
    }
    for (int i = 0; i < N; i++)
        labels[i] = (uint8_t)(i % 4);
}

/* x_train [N] of `type`, x_test the first 9 of them. */
static const char *make_file(const char *name, hid_t type, hid_t memory_type, int chunked)
{
    const char *path = in_folder(name);
    make_values();
    const void *x = memory_type == H5T_NATIVE_UINT8 ? (const void *)bytes : floats;
    const hid_t file = h5_create(path);
    h5_put(file, "x_train", type, memory_type, chunked, x, 4, N, H, W, C);
    h5_put(file, "y_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, chunked, labels, 1, N);
    h5_put(file, "x_test", type, memory_type, chunked, x, 4, 9, H, W, C);
    h5_put(file, "y_test", H5T_STD_U8LE, H5T_NATIVE_UINT8, chunked, labels, 1, 9);
    cr_assert_geq(H5Fclose(file), 0);
    return path;
}

static tr_config streamed_config(const char *path)
{
    tr_config config = config_for(path, H, W, C);
    config.data.memory = TR_MEMORY_STREAMED;
    return config;
}

static tr_dataset *open_it(const tr_config *config)
{
    tr_dataset *dataset = NULL;
    tr_error err = {0};
    cr_assert_eq(tr_dataset_open(&dataset, config, TR_TARGET_CLASSES, &err), TR_OK, "%s", err.text);
    return dataset;
}

typedef struct seen_images {
    unsigned char *to;
    size_t image_bytes;
} seen_images;

static void see(void *user, const void *x, int64_t n)
{
    seen_images *seen = user;
    memcpy(seen->to, x, (size_t)n * seen->image_bytes);
    seen->to += (size_t)n * seen->image_bytes;
}

static void expect_part(const tr_samples *part, int64_t n, const void *x, size_t image_bytes)
{
    tr_error err = {0};
    tr_samples images;
    const uint32_t index[] = {8, 0, 1, 2, 8};
    const uint32_t *rows;
    cr_assert_null(part->x);
    cr_assert_eq(part->n, n);
    cr_assert_eq(tr_samples_take(part, index, 5, &images, &rows, &err), TR_OK, "%s", err.text);
    for (int i = 0; i < 5; i++)
        cr_expect_eq(memcmp((const char *)images.x + rows[i] * image_bytes,
                            (const char *)x + index[i] * image_bytes, image_bytes),
                     0);
    cr_expect(images.pixel == part->pixel && images.h == H && images.w == W && images.c == C);
    unsigned char *all = tr_alloc((size_t)n, image_bytes);
    seen_images seen = {all, image_bytes};
    cr_assert_eq(tr_samples_visit(part, see, &seen, &err), TR_OK, "%s", err.text);
    cr_expect_eq(memcmp(all, x, (size_t)n * image_bytes), 0);
    tr_free(all);
    for (int i = 0; i < n; i++)
        cr_expect_eq(part->y[i], i % 4);
}

static void expect_range(const tr_samples *part, double low, double high)
{
    tr_error err = {0};
    float least, most;
    cr_assert_eq(tr_samples_range(part, &least, &most, &err), TR_OK, "%s", err.text);
    cr_expect_eq((double)least, low);
    cr_expect_eq((double)most, high);
}

Test(streamed, has_the_same_images)
{
    tr_config config = streamed_config(make_file("u8.h5", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0));
    tr_dataset *dataset = open_it(&config);
    expect_part(tr_dataset_train(dataset), N, bytes, PIXELS);
    expect_part(tr_dataset_test(dataset), 9, bytes, PIXELS);
    expect_range(tr_dataset_train(dataset), 0, 255);
    tr_dataset_free(dataset);
    config = streamed_config(make_file("f32.h5", H5T_NATIVE_FLOAT, H5T_NATIVE_FLOAT, 0));
    dataset = open_it(&config);
    expect_range(tr_dataset_train(dataset), -3, (N * PIXELS - 1) * 0.25 - 3);
    expect_part(tr_dataset_train(dataset), N, floats, PIXELS * sizeof(float));
    tr_dataset_free(dataset);
    expect_no_leak();
}

/* Labels and weights are in memory as ever. */
Test(streamed, has_the_weights_of_samples)
{
    const char *path = make_file("weighted.h5", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0);
    float weights[N];
    for (int i = 0; i < N; i++)
        weights[i] = 0.5f * (float)i;
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    h5_put(file, "w", H5T_NATIVE_FLOAT, H5T_NATIVE_FLOAT, 1, weights, 1, N);
    H5Fclose(file);
    tr_config config = streamed_config(path);
    config.data.sample_weight_train = "w";
    tr_dataset *dataset = open_it(&config);
    const tr_samples *train = tr_dataset_train(dataset);
    cr_assert(train->x == NULL && train->weights != NULL);
    cr_expect_eq(memcmp(train->weights, weights, sizeof weights), 0);
    expect_part(train, N, bytes, PIXELS);
    tr_dataset_free(dataset);
    expect_no_leak();
}

/* Images in memory have the same range, which is another way there. */
Test(streamed, residents_have_the_same_range)
{
    tr_config config = streamed_config(make_file("f32.h5", H5T_IEEE_F64LE, H5T_NATIVE_FLOAT, 1));
    config.data.memory = TR_MEMORY_RESIDENT;
    tr_dataset *dataset = open_it(&config);
    expect_range(tr_dataset_train(dataset), -3, (N * PIXELS - 1) * 0.25 - 3);
    tr_dataset_free(dataset);
}

/* What h5py's userblock_size puts in front of a file moves everything. */
Test(streamed, finds_images_behind_a_user_block)
{
    make_values();
    const hid_t plist = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_userblock(plist, 1024);
    const char *path = in_folder("user.h5");
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, plist, H5P_DEFAULT);
    h5_put(file, "x_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, bytes, 4, N, H, W, C);
    h5_put(file, "y_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, labels, 1, N);
    H5Fclose(file);
    H5Pclose(plist);
    const tr_config config = streamed_config(path);
    tr_dataset *dataset = open_it(&config);
    expect_part(tr_dataset_train(dataset), N, bytes, PIXELS);
    tr_dataset_free(dataset);
}

static void refused(const char *path, const char *why)
{
    tr_error err = {0};
    tr_dataset *dataset = NULL;
    const tr_config config = streamed_config(path);
    cr_assert_eq(tr_dataset_open(&dataset, &config, TR_TARGET_CLASSES, &err), TR_ERR_DATA, "%s",
                 why);
    expect_texts(&err, path, "x_train", why, "trainer convert h5", NULL);
}

Test(streamed, refuses_what_pread_cannot_read)
{
    refused(make_file("packed.h5", H5T_STD_U8LE, H5T_NATIVE_UINT8, 1), "it is compressed");
    refused(make_file("double.h5", H5T_IEEE_F64LE, H5T_NATIVE_FLOAT, 0), "neither uint8 nor");
    refused(make_file("big.h5", H5T_IEEE_F32BE, H5T_NATIVE_FLOAT, 0), "neither uint8 nor");
    refused(make_file("signed.h5", H5T_STD_I8LE, H5T_NATIVE_UINT8, 0), "neither uint8 nor");
    /* Left to itself, the program takes such images into memory. */
    tr_config config = config_for(in_folder("packed.h5"), H, W, C);
    tr_dataset *dataset = open_it(&config);
    cr_expect_not_null(tr_dataset_train(dataset)->x);
    tr_dataset_free(dataset);
    expect_no_leak();
}

/* A few images, which HDF5 may keep in a header: they are in memory, whatever was asked for. */
Test(streamed, takes_images_in_a_header_into_memory)
{
    make_values();
    const hsize_t dims[4] = {4, H, W, C};
    const char *path = in_folder("compact.h5");
    const hid_t file = h5_create(path), space = H5Screate_simple(4, dims, NULL);
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_layout(plist, H5D_COMPACT);
    const hid_t x =
        H5Dcreate2(file, "x_train", H5T_STD_U8LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    H5Dwrite(x, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes);
    H5Dclose(x), H5Pclose(plist), H5Sclose(space);
    h5_put(file, "y_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, labels, 1, 4);
    H5Fclose(file);
    const tr_config config = streamed_config(path);
    tr_dataset *dataset = open_it(&config);
    cr_assert_not_null(tr_dataset_train(dataset)->x);
    cr_expect_eq(memcmp(tr_dataset_train(dataset)->x, bytes, 4 * PIXELS), 0);
    tr_dataset_free(dataset);
}

/* A copy that broke off says that it has more than it has. */
Test(streamed, refuses_what_was_never_written_or_is_cut_off)
{
    tr_error err = {0};
    tr_dataset *dataset = NULL;
    make_values();
    const char *path = in_folder("unwritten.h5");
    const hid_t file = h5_create(path);
    h5_put(file, "x_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, NULL, 4, N, H, W, C);
    h5_put(file, "y_train", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0, labels, 1, N);
    H5Fclose(file);
    tr_config config = streamed_config(path);
    cr_assert_eq(tr_dataset_open(&dataset, &config, TR_TARGET_CLASSES, &err), TR_ERR_DATA);
    expect_texts(&err, "x_train is uint8 [40, 5, 7, 3]", "it was never written", NULL);
    config.data.file = make_file("cut.h5", H5T_STD_U8LE, H5T_NATIVE_UINT8, 0);
    struct stat info;
    stat(config.data.file, &info);
    cr_assert_eq(truncate(config.data.file, info.st_size - 100), 0);
    cr_assert_eq(tr_dataset_open(&dataset, &config, TR_TARGET_CLASSES, &err), TR_ERR_DATA);
    expect_texts(&err, config.data.file, NULL);
    expect_no_leak();
}
