/* small_run.c -- see small_run.h. */
#include "small_run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "h5_write.h"
#include "mem.h"
#include "net.h"
#include "rng.h"

/* user: height, width and channels; a single channel has no dimension of its own, as in MNIST. */
static tr_status fill(const void *user, hid_t file, tr_error *err)
{
    enum { N = TEST_SMALL_N };
    const int64_t *shape = user, dims[4] = {N, shape[0], shape[1], shape[2]};
    const size_t n_pixels = (size_t)(N * shape[0] * shape[1] * shape[2]);
    uint8_t *x = tr_alloc(n_pixels, sizeof *x), y[N];
    for (int i = 0; i < N; i++)
        y[i] = (uint8_t)(i % 10);
    for (size_t i = 0; i < n_pixels; i++)
        x[i] = (uint8_t)tr_random_below(256, 1, TR_PURPOSE_SHUFFLE, 3, (uint64_t)i);
    static const char *const names[2][2] = {{"x_train", "y_train"}, {"x_test", "y_test"}};
    tr_status status = TR_OK;
    for (int p = 0; p < 2 && status == TR_OK; p++) {
        status = tr_h5_write_dataset(file, names[p][0], shape[2] > 1 ? 4 : 3, dims, H5T_STD_U8LE,
                                     H5T_NATIVE_UINT8, x, err);
        if (status == TR_OK)
            status = tr_h5_write_dataset(file, names[p][1], 1, dims, H5T_STD_U8LE, H5T_NATIVE_UINT8,
                                         y, err);
    }
    tr_free(x);
    return status;
}

void test_write_small_images(const char *path, const int64_t shape[3])
{
    tr_error err = {0};
    cr_assert_eq(tr_h5_write_file(path, fill, shape, &err), TR_OK, "%s", err.text);
}

void test_write_small_data(const char *path)
{
    test_write_small_images(path, (const int64_t[3]){28, 28, 1});
}

/* A file for each shape, once. */
static const char *small_images(const int64_t shape[3])
{
    static char path[600];
    snprintf(path, sizeof path, "%s/small_%lldx%lldx%lld.h5", test_folder(), (long long)shape[0],
             (long long)shape[1], (long long)shape[2]);
    if (access(path, F_OK) != 0)
        test_write_small_images(path, shape);
    return path;
}

const char *test_small_data(void)
{
    return small_images((const int64_t[3]){28, 28, 1});
}

/* What the configuration takes; MNIST's where that are vectors. */
static void shape_of(int64_t shape[3], const char *config)
{
    char path[600], line[256];
    long long h = 0, w = 0, c = 0;
    snprintf(path, sizeof path, "%s/configs/%s", TR_SOURCE, config);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    while (c == 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "input_shape = %lld, %lld, %lld", &h, &w, &c) != 3)
            c = 0;
    fclose(file);
    memcpy(shape, c == 0 ? (const int64_t[3]){28, 28, 1} : (const int64_t[3]){h, w, c},
           3 * sizeof *shape);
}

const char *test_short_run(const char *config, const char *more)
{
    static char text[2048];
    snprintf(text, sizeof text, "%s --overwrite", test_first_run(config, more));
    return text;
}

const char *test_first_run(const char *config, const char *more)
{
    static char text[2000];
    int64_t shape[3];
    shape_of(shape, config);
    snprintf(text, sizeof text,
             "-c %s/configs/%s --set data.file=%s --set fit.epochs=2 --set output.directory=%s/run "
             "%s",
             TR_SOURCE, config, small_images(shape), test_folder(), more);
    return text;
}
