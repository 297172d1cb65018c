/* test_file.c -- files are whole or absent, and old ones survive every failure. */
#include "file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

static char folder[64], target[128];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/trainer-test-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(target, sizeof target, "%s/target", folder);
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

/* Everything in the folder but these. */
static void expect_only(const char *first, const char *second)
{
    DIR *entries = opendir(folder);
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;)
        cr_expect(strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                      strcmp(entry->d_name, first) == 0 || strcmp(entry->d_name, second) == 0,
                  "%s is there", entry->d_name);
    closedir(entries);
}

Test(file, paths)
{
    char *a = tr_path_join("x", "y"), *b = tr_path_join("x/", "y"), *c = tr_path_join("/", "y");
    cr_expect_str_eq(a, "x/y");
    cr_expect_str_eq(b, "x/y");
    cr_expect_str_eq(c, "/y");
    tr_free(a);
    tr_free(b);
    tr_free(c);
}

Test(file, write_creates_and_replaces)
{
    cr_expect_eq(tr_file_write(target, "one", 3, NULL), TR_OK);
    expect_content(target, "one");
    cr_expect_eq(tr_file_write(target, "second", 6, NULL), TR_OK);
    expect_content(target, "second");
    cr_expect_eq(tr_file_write(target, "", 0, NULL), TR_OK);
    expect_content(target, "");
    expect_only("target", "");
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
    expect_only("target", "target.link");
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
    expect_only("target", "");
}

Test(file, a_file_that_cannot_be_put_leaves_nothing)
{
    cr_assert_eq(mkdir(target, 0777), 0); /* a file cannot be renamed over a folder */
    tr_error err = {0};
    cr_expect_eq(tr_file_write(target, "new", 3, &err), TR_ERR_IO);
    cr_expect_not_null(strstr(err.text, "Is a directory"), "%s", err.text);
    expect_only("target", "");
    strcat(target, "/");
    cr_expect_eq(tr_file_write(target, "new", 3, &err), TR_ERR_IO);
    cr_expect_not_null(strstr(err.text, "Is a directory"), "%s", err.text);
    expect_only("target", "");
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

/* ---- temporary files ---- */

static void make_empty(const char *name)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    const int fd = open(path, O_CREAT | O_WRONLY, 0666);
    cr_assert(fd >= 0);
    close(fd);
}

Test(file, temporary_names)
{
    char first[TR_TEMPORARY_MAX], second[TR_TEMPORARY_MAX], longest[300];
    const int at = open(folder, O_RDONLY | O_DIRECTORY);
    const int a = tr_temporary_open(at, "x.h5", first), b = tr_temporary_open(at, "x.h5", second);
    cr_expect(a >= 0 && b >= 0);
    cr_expect_str_neq(first, second);
    cr_expect(tr_temporary_is_of(first, "x.h5") && tr_temporary_is_of(second, "x.h5"));
    cr_expect(!tr_temporary_is_of(first, "x.h") && !tr_temporary_is_of(first, "h5"));
    cr_expect(!tr_temporary_is_of("x.h5", "x.h5"));
    cr_expect(!tr_temporary_is_of(".x.h5.abc-ef.tmp", "x.h5"));
    close(a);
    close(b);
    memset(longest, 'n', sizeof longest);
    longest[255] = '\0';
    const int c = tr_temporary_open(at, longest, first);
    cr_expect(c >= 0, "%s", strerror(errno));
    cr_expect(tr_temporary_is_of(first, longest));
    close(c);
    close(at);
}

/* What a killed writer left goes, what a living one writes stays, and nothing else is touched. */
Test(file, leftovers_of_the_dead_are_removed)
{
    char living[200];
    make_empty(".target.Abc123.tmp");
    make_empty(".target.Abc124.tmp");
    make_empty(".other.Abc123.tmp");
    make_empty("target.tmp");
    snprintf(living, sizeof living, "%s/.target.Abc124.tmp", folder);
    const int fd = open(living, O_WRONLY);
    cr_assert_eq(flock(fd, LOCK_EX), 0);
    cr_expect_eq(tr_file_write(target, "new", 3, NULL), TR_OK);
    cr_expect_eq(access(living, F_OK), 0);
    close(fd);
    cr_expect_eq(tr_file_write(target, "new", 3, NULL), TR_OK);
    cr_expect_neq(access(living, F_OK), 0);
    unlink(target);
    expect_only(".other.Abc123.tmp", "target.tmp");
}

/* The names that earlier versions used, and a temporary name: nothing is written through them, and
 * nothing waits for a reader. */
Test(file, links_and_pipes_in_the_way_are_left_alone)
{
    static const char *const names[] = {"target.tmp", ".trainer-write-test", ".target.Abc123.tmp"};
    char other[160], path[200];
    struct stat info;
    snprintf(other, sizeof other, "%s/other", folder);
    for (int pipes = 0; pipes < 2; pipes++)
        for (int i = 0; i < 3; i++) {
            snprintf(path, sizeof path, "%s/%s", folder, names[i]);
            cr_assert_eq(tr_file_write(other, "precious", 8, NULL), TR_OK);
            cr_assert_eq(pipes ? mkfifo(path, 0600) : symlink(other, path), 0);
            cr_expect_eq(tr_folder_prepare(folder, NULL), TR_OK);
            cr_expect_eq(tr_file_write(target, "new", 3, NULL), TR_OK);
            expect_content(target, "new");
            expect_content(other, "precious");
            cr_expect_eq(lstat(path, &info), 0);
            unlink(path);
        }
}

/* The folder is held, not its name. */
Test(file, a_folder_that_moves_while_it_is_written)
{
    char moved[200], below[256];
    tr_new_file file;
    snprintf(moved, sizeof moved, "%s-moved", folder);
    cr_assert_eq(tr_new_file_write(&file, target, "new", 3, NULL), TR_OK);
    cr_assert_eq(rename(folder, moved), 0);
    cr_assert_eq(mkdir(folder, 0777), 0);
    cr_expect_eq(tr_new_file_put(&file, NULL), TR_OK);
    expect_only("", "");
    snprintf(below, sizeof below, "%s/target", moved);
    expect_content(below, "new");
    cr_expect_eq(unlink(below), 0);
    cr_expect_eq(rmdir(moved), 0, "something else was left");
}

Test(file, a_file_that_was_not_put_is_gone)
{
    tr_new_file file;
    cr_assert_eq(tr_file_write(target, "old", 3, NULL), TR_OK);
    cr_assert_eq(tr_new_file_write(&file, target, "new", 3, NULL), TR_OK);
    tr_new_file_discard(&file);
    tr_new_file_discard(&file);
    expect_content(target, "old");
    expect_only("target", "");
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
        cr_expect_eq(prepared == TR_OK, k >= 1, "allocation %lld", (long long)k);
        expect_only("target", "");
    }
}
