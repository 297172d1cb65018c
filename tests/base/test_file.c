/* test_file.c -- files are whole or absent, and old ones survive every failure. */
#include "file.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

static char folder[64], target[128], temporary[160];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/trainer-test-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(target, sizeof target, "%s/target", folder);
    snprintf(temporary, sizeof temporary, "%s.tmp", target);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(file, .init = make_folder, .fini = remove_folder);

static void expect_content(const char *path, const char *expected)
{
    char text[64] = "";
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    cr_expect_eq(fread(text, 1, sizeof text - 1, file), strlen(expected));
    fclose(file);
    cr_expect_str_eq(text, expected);
}

static void expect_absent(const char *path)
{
    cr_expect_neq(access(path, F_OK), 0, "%s is there", path);
}

Test(file, paths)
{
    char *a = tr_path_join("x", "y"), *b = tr_path_join("x/", "y"), *c = tr_path_join("/", "y");
    char *t = tr_file_temporary("x/y");
    cr_expect_str_eq(a, "x/y");
    cr_expect_str_eq(b, "x/y");
    cr_expect_str_eq(c, "/y");
    cr_expect_str_eq(t, "x/y.tmp");
    tr_free(a);
    tr_free(b);
    tr_free(c);
    tr_free(t);
}

Test(file, write_creates_and_replaces)
{
    cr_expect_eq(tr_file_write(target, "one", 3, NULL), TR_OK);
    expect_content(target, "one");
    cr_expect_eq(tr_file_write(target, "second", 6, NULL), TR_OK);
    expect_content(target, "second");
    cr_expect_eq(tr_file_write(target, "", 0, NULL), TR_OK);
    expect_content(target, "");
    expect_absent(temporary);
}

/* Root writing to /dev/full would leave the machine without one. A pipe stands for it here. */
Test(file, devices_and_pipes_are_not_replaced)
{
    struct stat info;
    char link[160];
    tr_error err = {0};
    snprintf(link, sizeof link, "%s.link", target);
    cr_assert_eq(mkfifo(target, 0600), 0);
    cr_assert_eq(symlink(target, link), 0);
    cr_expect_eq(tr_file_write(target, "one", 3, &err), TR_ERR_IO);
    cr_expect_not_null(strstr(err.text, "target: is a device or a pipe"), "%s", err.text);
    cr_expect_eq(tr_file_write(link, "one", 3, NULL), TR_ERR_IO);
    cr_assert_eq(lstat(target, &info), 0);
    cr_expect(S_ISFIFO(info.st_mode), "the pipe is gone");
    expect_absent(temporary);
}

/* Readers that opened the old file go on reading the old file: it is replaced, not overwritten. */
Test(file, an_open_reader_keeps_the_old_file)
{
    cr_assert_eq(tr_file_write(target, "old", 3, NULL), TR_OK);
    FILE *reader = fopen(target, "rb");
    cr_assert_eq(tr_file_write(target, "new", 3, NULL), TR_OK);
    char text[4] = "";
    cr_expect_eq(fread(text, 1, 3, reader), 3);
    cr_expect_str_eq(text, "old");
    fclose(reader);
}

Test(file, write_that_fails_leaves_the_old_file)
{
    cr_assert_eq(tr_file_write(target, "old", 3, NULL), TR_OK);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 100; /* as good as a full disk */
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    char bytes[1000] = {0};
    tr_error err = {0};
    const tr_status status = tr_file_write(target, bytes, sizeof bytes, &err);
    limit.rlim_cur = before;
    setrlimit(RLIMIT_FSIZE, &limit);
    cr_expect_eq(status, TR_ERR_IO);
    cr_expect_not_null(strstr(err.text, target), "%s", err.text);
    cr_expect_not_null(strstr(err.text, "File too large"), "%s", err.text);
    expect_content(target, "old");
    expect_absent(temporary);
}

Test(file, replace_that_fails_removes_the_temporary)
{
    cr_assert_eq(mkdir(target, 0777), 0); /* a file cannot be renamed over a folder */
    FILE *file = fopen(temporary, "wb");
    fputs("new", file);
    fclose(file);
    tr_error err = {0};
    cr_expect_eq(tr_file_replace(temporary, target, &err), TR_ERR_IO);
    cr_expect_not_null(strstr(err.text, "Is a directory"), "%s", err.text);
    expect_absent(temporary);
    cr_expect_eq(tr_file_replace(temporary, target, &err), TR_ERR_IO, "no temporary at all");
}

Test(file, write_into_a_missing_folder)
{
    snprintf(target, sizeof target, "%s/absent/target", folder);
    tr_error err = {0};
    cr_expect_eq(tr_file_write(target, "x", 1, &err), TR_ERR_IO);
    cr_expect_not_null(strstr(err.text, "No such file"), "%s", err.text);
}

Test(file, folder_prepare_makes_all_of_a_path)
{
    char deep[160];
    snprintf(deep, sizeof deep, "%s/a/b//c/", folder);
    cr_expect_eq(tr_folder_prepare(deep, NULL), TR_OK);
    cr_expect_eq(tr_folder_prepare(deep, NULL), TR_OK, "again");
    struct stat info;
    cr_expect_eq(stat(deep, &info), 0);
    cr_expect(S_ISDIR(info.st_mode));
    cr_expect_eq(rmdir(deep), 0, "something was left in it");
}

Test(file, a_temporary_name_that_is_taken_is_not_written_through)
{
    char other[160];
    snprintf(other, sizeof other, "%s/other", folder);
    cr_assert_eq(tr_file_write(other, "precious", 8, NULL), TR_OK);
    cr_assert_eq(symlink(other, temporary), 0);
    cr_expect_eq(tr_file_write(target, "new", 3, NULL), TR_OK);
    expect_content(target, "new");
    expect_content(other, "precious");
    cr_assert_eq(mkfifo(temporary, 0600), 0);
    cr_expect_eq(tr_file_write(target, "newer", 5, NULL), TR_OK); /* at once, without a reader */
    expect_content(target, "newer");
    expect_absent(temporary);
}

Test(file, folder_prepare_with_a_file_in_the_way)
{
    cr_assert_eq(tr_file_write(target, "x", 1, NULL), TR_OK);
    char below[160];
    snprintf(below, sizeof below, "%s/below", target);
    const char *const paths[] = {target, below};
    for (int i = 0; i < 2; i++) {
        tr_error err = {0};
        cr_expect_eq(tr_folder_prepare(paths[i], &err), TR_ERR_IO);
        cr_expect_not_null(strstr(err.text, "Not a directory"), "%s", err.text);
        cr_expect_not_null(strstr(err.text, paths[i]), "%s", err.text);
    }
    expect_content(target, "x");
}

Test(file, folder_prepare_without_permission)
{
    if (geteuid() == 0)
        cr_skip_test("root may write everywhere");
    cr_assert_eq(chmod(folder, 0500), 0);
    tr_error err = {0};
    cr_expect_eq(tr_folder_prepare(folder, &err), TR_ERR_IO);
    cr_expect_not_null(strstr(err.text, "Permission denied"), "%s", err.text);
    chmod(folder, 0700);
}

Test(file, survives_any_failed_allocation)
{
    for (int64_t k = 0; k < 4; k++) {
        tr_error err = {0};
        tr_alloc_fail_after(k);
        const tr_status written = tr_file_write(target, "x", 1, &err);
        tr_alloc_fail_after(k);
        const tr_status prepared = tr_folder_prepare(folder, &err);
        tr_alloc_fail_after(-1);
        cr_expect_eq(written == TR_OK, k >= 2, "allocation %lld", (long long)k);
        cr_expect_eq(prepared == TR_OK, k >= 2, "allocation %lld", (long long)k);
        expect_absent(temporary);
    }
}
