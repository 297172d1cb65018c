/* data_fixture.h -- what the tests of data/ share: a folder that goes away, files in it, small
 * HDF5 arrays, and "this must fail, and say so". Criterion runs every test in its own process.
 */
#ifndef TR_DATA_FIXTURE_H
#define TR_DATA_FIXTURE_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <hdf5.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "h5.h"
#include "mem.h"
#include "trainer/dataset.h"

/* Present in builds with AddressSanitizer. */
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* Blocks of tr_shared_alloc(), which the sanitizer does not know. */
static inline int shared_blocks(void)
{
    char line[512];
    int n = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        n += strstr(line, "/dev/zero") != NULL;
    if (file != NULL)
        fclose(file);
    return n;
}

static inline void expect_no_leak(void)
{
    cr_expect_eq(shared_blocks(), 0, "shared memory was leaked");
    if (__lsan_do_recoverable_leak_check != NULL)
        cr_expect_eq(__lsan_do_recoverable_leak_check(), 0, "memory was leaked");
}

/* ---- files ---- */

static char folder[64];

static inline void make_folder(void)
{
    tr_h5_quiet();
    snprintf(folder, sizeof folder, "/tmp/trainer-test-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static inline int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    return remove(path);
}

static inline void remove_folder(void)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* "folder/name"; one of four buffers in turn. */
static inline const char *in_folder(const char *name)
{
    static char paths[4][256];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline void write_bytes(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, n, file), n);
    cr_assert_eq(fclose(file), 0);
}

/* The whole file in a block of tr_alloc(). */
static inline uint8_t *read_bytes(const char *path, size_t *n)
{
    struct stat info;
    cr_assert_eq(stat(path, &info), 0, "%s", path);
    *n = (size_t)info.st_size;
    uint8_t *bytes = tr_alloc(*n, 1);
    FILE *file = fopen(path, "rb");
    cr_assert(bytes != NULL && file != NULL);
    cr_assert_eq(fread(bytes, 1, *n, file), *n);
    fclose(file);
    return bytes;
}

/* ---- HDF5 ---- */

static inline hid_t h5_create(const char *path)
{
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert_geq(file, 0);
    return file;
}

/* `rank` dims follow as int. chunked: first dimension in chunks of 2, deflate. */
static inline void h5_put(hid_t file, const char *name, hid_t type, hid_t memory_type, int chunked,
                          const void *values, int rank, ...)
{
    hsize_t dims[8], chunk[8];
    va_list args;
    va_start(args, rank);
    for (int i = 0; i < rank; i++)
        chunk[i] = dims[i] = (hsize_t)va_arg(args, int);
    va_end(args);
    const hid_t space = H5Screate_simple(rank, dims, NULL);
    const hid_t links = H5Pcreate(H5P_LINK_CREATE), plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    if (chunked) {
        chunk[0] = 2;
        H5Pset_chunk(plist, rank, chunk);
        H5Pset_deflate(plist, 6);
    }
    const hid_t dataset = H5Dcreate2(file, name, type, space, links, plist, H5P_DEFAULT);
    cr_assert_geq(dataset, 0, "%s", name);
    if (values != NULL)
        cr_assert_geq(H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
    tr_h5_close(dataset);
    tr_h5_close(plist);
    tr_h5_close(links);
    tr_h5_close(space);
}

/* A config by hand: what data/ reads of it. */
static inline tr_config config_for(const char *path, int64_t h, int64_t w, int64_t c)
{
    return (tr_config){.data = {.file = path,
                                .x_train = "x_train",
                                .y_train = "y_train",
                                .x_test = "x_test",
                                .y_test = "y_test",
                                .scale_num = 1,
                                .scale_den = 255},
                       .input_shape = {h, w, c}};
}

/* ---- expectations ---- */

/* The texts, up to NULL, must all be in the message. */
static inline void expect_texts(const tr_error *err, ...)
{
    va_list args;
    va_start(args, err);
    for (const char *text; (text = va_arg(args, const char *)) != NULL;)
        cr_expect_not_null(strstr(err->text, text), "no \"%s\" in: %s", text, err->text);
    va_end(args);
}

#endif
