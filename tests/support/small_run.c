/* small_run.c -- see small_run.h. */
#include "small_run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "h5_write.h"
#include "net.h"
#include "rng.h"

static tr_status fill(const void *user, hid_t file, tr_error *err)
{
    enum { N = TEST_SMALL_N };
    static uint8_t x[N * 28 * 28], y[N];
    const int64_t dims[3] = {N, 28, 28};
    (void)user;
    for (int i = 0; i < N; i++)
        y[i] = (uint8_t)(i % 10);
    for (int i = 0; i < N * 28 * 28; i++)
        x[i] = (uint8_t)tr_random_below(256, 1, TR_PURPOSE_SHUFFLE, 3, (uint64_t)i);
    static const char *const parts[2] = {"train", "test"};
    for (int p = 0; p < 2; p++) {
        char name[16];
        snprintf(name, sizeof name, "x_%s", parts[p]);
        TR_TRY(tr_h5_write_dataset(file, name, 3, dims, H5T_STD_U8LE, H5T_NATIVE_UINT8, x, err));
        name[0] = 'y';
        TR_TRY(tr_h5_write_dataset(file, name, 1, dims, H5T_STD_U8LE, H5T_NATIVE_UINT8, y, err));
    }
    return TR_OK;
}

void test_write_small_data(const char *path)
{
    tr_error err = {0};
    cr_assert_eq(tr_h5_write_file(path, fill, NULL, &err), TR_OK, "%s", err.text);
}

const char *test_small_data(void)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/small.h5", test_folder());
    if (access(path, F_OK) != 0)
        test_write_small_data(path);
    return path;
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
    snprintf(text, sizeof text,
             "-c %s/configs/%s --set data.file=%s --set fit.epochs=2 --set output.directory=%s/run "
             "%s",
             TR_SOURCE, config, test_small_data(), test_folder(), more);
    return text;
}
