/* test_tensorboard.c -- event files are those of TensorBoard's own library to the byte
 * (golden/tensorboard_events.py), grow by what is new, and are mended where they are not this
 * history's.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "mem.h"
#include "net.h"
#include "tensorboard.h"

enum { EPOCHS = 200, RATHER_MUCH = 1 << 16 };

static tr_history history_of(int64_t n)
{
    tr_history history = {.n_metrics = 1, .names = {"accuracy"}, .validation = true};
    for (int64_t k = 1; k <= n; k++) {
        const double loss = 1.0 / (double)k;
        const tr_epoch epoch = {.epoch = k,
                                .train = {.loss = loss, .values = {1.0 - 0.5 / (double)k}},
                                .validation = {.loss = 2.0 / (double)k, .values = {loss}},
                                .learning_rate = 0.001};
        cr_assert_eq(tr_history_add(&history, &epoch), TR_OK);
    }
    return history;
}

static size_t read_file(const char *path, unsigned char *bytes)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    const size_t n = fread(bytes, 1, RATHER_MUCH, file);
    fclose(file);
    return n;
}

static const char *path_of(const char *part)
{
    static char path[700];
    snprintf(path, sizeof path, "%s/tb/%s/events.out.tfevents.0.trainer", test_folder(), part);
    return path;
}

static void write_history(int64_t n)
{
    tr_error err = {0};
    char *folder = tr_format("%s/tb", test_folder());
    tr_history history = history_of(n);
    cr_assert_eq(tr_tensorboard_write(&history, folder, &err), TR_OK, "%s", err.text);
    tr_history_release(&history);
    tr_free(folder);
}

/* Puts the first n bytes of the golden file in place. */
static size_t put(const char *part, size_t n, unsigned char *golden)
{
    tr_error err = {0};
    char *folder = tr_format("%s/tb/%s", test_folder(), part);
    char *path = tr_format(TR_GOLDEN "/tensorboard_%s.bin", part);
    const size_t all = read_file(path, golden);
    cr_assert_eq(tr_folder_prepare(folder, &err), TR_OK, "%s", err.text);
    cr_assert_eq(tr_file_write(path_of(part), golden, n < all ? n : all, &err), TR_OK, "%s",
                 err.text);
    tr_free(path);
    tr_free(folder);
    return all;
}

/* What is right is kept, times and all: so all of it is right. */
Test(tensorboard, writes_the_bytes_of_tensorboards_own_library)
{
    static unsigned char golden[RATHER_MUCH], found[RATHER_MUCH];
    static const char *const parts[] = {"train", "validation"};
    for (int k = 0; k < 2; k++)
        put(parts[k], SIZE_MAX, golden);
    write_history(EPOCHS);
    for (int k = 0; k < 2; k++) {
        char *path = tr_format(TR_GOLDEN "/tensorboard_%s.bin", parts[k]);
        const size_t n = read_file(path, golden), m = read_file(path_of(parts[k]), found);
        cr_expect_eq(n, m, "%s", parts[k]);
        cr_expect_eq(memcmp(golden, found, n), 0, "%s", parts[k]);
        tr_free(path);
    }
}

/* Bytes that differ beside the times: none, as each record has 8 of them behind 13. */
static void expect_golden_but_times(const char *part, size_t kept)
{
    static unsigned char golden[RATHER_MUCH], found[RATHER_MUCH];
    char *path = tr_format(TR_GOLDEN "/tensorboard_%s.bin", part);
    const size_t n = read_file(path, golden), m = read_file(path_of(part), found);
    cr_assert_eq(n, m);
    cr_expect_eq(memcmp(golden, found, kept), 0, "what was there stays");
    for (size_t at = 0; at < n;) {
        uint64_t length;
        memcpy(&length, golden + at, sizeof length); /* little-endian machines */
        cr_expect_eq(memcmp(golden + at, found + at, 13), 0, "at %zu", at);
        cr_expect_eq(memcmp(golden + at + 21, found + at + 21, (size_t)length - 9), 0, "at %zu",
                     at);
        at += 12 + (size_t)length + 4;
    }
    tr_free(path);
}

Test(tensorboard, grows_by_the_epochs_that_are_new)
{
    static unsigned char golden[RATHER_MUCH];
    const size_t all = put("train", 1000, golden); /* within a record: a kill came */
    put("validation", 0, golden);
    for (int64_t n = 1; n <= EPOCHS; n++) {
        write_history(n);
        if (n == 20)
            write_history(n); /* a resumed run tells again what was told */
    }
    expect_golden_but_times("train", 40);
    expect_golden_but_times("validation", 0);
    cr_assert_gt(all, 1000);
}

/* A file that is longer, or of another history: no step of it stays. */
Test(tensorboard, replaces_what_is_of_another_history)
{
    static unsigned char golden[RATHER_MUCH];
    put("train", SIZE_MAX, golden);
    put("validation", SIZE_MAX, golden);
    write_history(3);
    struct stat info;
    cr_assert_eq(stat(path_of("train"), &info), 0);
    const size_t three = (size_t)info.st_size;
    cr_assert_lt(three, 500);
    golden[200] ^= 1;
    tr_error err = {0};
    cr_assert_eq(tr_file_write(path_of("validation"), golden, RATHER_MUCH / 8, &err), TR_OK);
    write_history(EPOCHS);
    expect_golden_but_times("validation", 100);
    expect_golden_but_times("train", three);
}
