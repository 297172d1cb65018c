/* test_children.c -- many items in several child processes: their order, their crashes, and that a
 * crash costs one item.
 */
#include "children.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"

enum { RESULT = 1000 };

static char *name(void *user, int64_t item)
{
    (void)user;
    return tr_format("item %lld", (long long)item);
}

/* 7, 17, 27 ... crash, 3, 13, ... are refused, and some take their time. */
static tr_status work(void *user, int64_t item, void *result, tr_error *err)
{
    const bool crashes = user != NULL;
    unsigned char *bytes = result;
    for (int i = 0; i < RESULT; i++)
        if (bytes[i] != 0)
            return tr_fail(err, TR_ERR_INTERNAL, "not zeroed");
    if (crashes && item % 10 == 7)
        abort();
    if (crashes && item % 10 == 3)
        return tr_fail(err, TR_ERR_DATA, "refused %lld\x1b\xc2\x9b", (long long)item);
    if (item % 5 == 0)
        usleep(1000);
    memset(bytes, (int)item % 251, RESULT);
    return TR_OK;
}

static void run(int n, int n_children, bool crashes)
{
    tr_children *children = NULL;
    tr_error err = {0};
    const tr_children_work asked = {.work = work,
                                    .name = name,
                                    .user = crashes ? &err : NULL,
                                    .n = n,
                                    .result_bytes = RESULT,
                                    .n_children = n_children,
                                    .seconds = 10,
                                    .reach = "/tmp"};
    cr_assert_eq(tr_children_start(&children, &asked, &err), TR_OK, "%s", err.text);
    for (int i = 0; i < n; i++) {
        const void *result = NULL;
        char text[64];
        const tr_status status = tr_children_next(children, &result, &err);
        if (crashes && i % 10 == 7) {
            snprintf(text, sizeof text, "item %d: the library that read it crashed", i);
            cr_assert_eq(status, TR_ERR_DATA);
            cr_assert_not_null(strstr(err.text, text), "%s", err.text);
        } else if (crashes && i % 10 == 3) {
            snprintf(text, sizeof text, "refused %d???", i);
            cr_assert_eq(status, TR_ERR_DATA);
            cr_assert_str_eq(err.text, text);
        } else {
            cr_assert_eq(status, TR_OK, "item %d: %s", i, err.text);
            const unsigned char *bytes = result;
            for (int j = 0; j < RESULT; j++)
                cr_assert_eq(bytes[j], i % 251, "item %d", i);
        }
    }
    tr_children_end(children);
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a child is left");
}

Test(children, come_back_in_order)
{
    for (int n_children = 1; n_children <= 5; n_children += 2)
        for (int n = 1; n <= 300; n += 149)
            run(n, n_children, false);
}

Test(children, a_crash_costs_one_item)
{
    run(200, 1, true);
    run(200, 3, true);
    run(8, 8, true);
}

/* ---- what they may do ---- */

static tr_status try_things(void *user, int64_t item, void *result, tr_error *err)
{
    (void)user, (void)err;
    char *fine = result;
    const int fd = item == 0   ? open("/etc/passwd", O_RDONLY)
                   : item == 1 ? open("/proc/self/exe", O_WRONLY)
                               : open("/usr/include/stdio.h", O_RDONLY);
    *fine = fd >= 0;
    return TR_OK;
}

/* All that is in their folder, to read; nothing beside it (where the kernel has Landlock, which
 * test_child.c asks). */
Test(children, reach_their_folder_alone)
{
    tr_children *children = NULL;
    const tr_children_work asked = {.work = try_things,
                                    .name = name,
                                    .n = 3,
                                    .result_bytes = 1,
                                    .n_children = 2,
                                    .seconds = 10,
                                    .reach = "/usr/include"};
    cr_assert_eq(tr_children_start(&children, &asked, NULL), TR_OK);
    char opened[3];
    for (int i = 0; i < 3; i++) {
        const void *result;
        cr_assert_eq(tr_children_next(children, &result, NULL), TR_OK);
        opened[i] = *(const char *)result;
    }
#ifndef TR_SANITIZED
    cr_expect_eq(opened[1], 0);
#endif
    cr_expect_eq(opened[2], 1);
    tr_children_end(children);
}

static tr_status look_for(void *user, int64_t item, void *result, tr_error *err)
{
    (void)item, (void)err;
    *(char *)result = fcntl(*(const int *)user, F_GETFD) >= 0 || fcntl(STDERR_FILENO, F_GETFD) < 0;
    return TR_OK;
}

/* As one that is being written. */
Test(children, inherit_no_open_file)
{
    tr_children *children = NULL;
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    const tr_children_work asked = {.work = look_for,
                                    .name = name,
                                    .user = &fd,
                                    .n = 3,
                                    .result_bytes = 1,
                                    .n_children = 2,
                                    .seconds = 10,
                                    .reach = "/tmp"};
    cr_assert_geq(fd, 0);
    cr_assert_eq(tr_children_start(&children, &asked, NULL), TR_OK);
    for (int i = 0; i < 3; i++) {
        const void *result;
        cr_assert_eq(tr_children_next(children, &result, NULL), TR_OK);
        cr_expect_eq(*(const char *)result, 0);
    }
    tr_children_end(children);
    close(fd);
}

/* ---- what they may write ---- */

/* All memory that is shared with children and `bytes` long, as a child may do that was taken over.
 */
static int scribble(size_t bytes, int with)
{
    char line[512];
    int n = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    cr_assert_not_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        char *dash, *begin = (char *)strtoul(line, &dash, 16),
                    *end = (char *)strtoul(dash + 1, NULL, 16);
        if (strstr(line, "/dev/zero") == NULL || (size_t)(end - begin) != bytes)
            continue;
        memset(begin, with, bytes);
        n++;
    }
    fclose(maps);
    return n;
}

/* What they wait with holds nonsense, again and again: all still comes, in order. As many items as
 * there are slots, so that a child that waits for none overwrites nothing. */
Test(children, survive_nonsense_where_they_wait, .timeout = 120)
{
    enum { N = 64, CHILDREN = 2 };
    tr_children *children = NULL;
    tr_error err = {0};
    const tr_children_work asked = {.work = work,
                                    .name = name,
                                    .n = N,
                                    .result_bytes = RESULT,
                                    .n_children = CHILDREN,
                                    .seconds = 10,
                                    .reach = "/tmp"};
    cr_assert_eq(tr_children_start(&children, &asked, &err), TR_OK, "%s", err.text);
    for (int i = 0; i < N; i++) {
        const void *result = NULL;
        cr_assert_eq(scribble((size_t)sysconf(_SC_PAGESIZE), 0x5a), 1);
        cr_assert_eq(tr_children_next(children, &result, &err), TR_OK, "item %d: %s", i, err.text);
        cr_expect_eq(*(const unsigned char *)result, i);
    }
    tr_children_end(children);
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a child is left");
}

static tr_status wait_and_end(void *user, int64_t item, void *result, tr_error *err)
{
    (void)user, (void)err;
    *(int64_t *)result = item;
    if (item == 2)
        _exit(7);
    return TR_OK;
}

/* It is waited for while its item before is: that one is fine, the next is to blame, and the number
 * of the process is forgotten. */
Test(children, an_end_behind_an_item_is_not_its_fault)
{
    for (int i = 0; i < 10; i++) {
        tr_children *children = NULL;
        const void *result;
        tr_error err = {0};
        const tr_children_work asked = {.work = wait_and_end,
                                        .name = name,
                                        .n = 5,
                                        .result_bytes = sizeof(int64_t),
                                        .n_children = 1 + i % 2,
                                        .seconds = 10,
                                        .reach = "/tmp"};
        cr_assert_eq(tr_children_start(&children, &asked, &err), TR_OK, "%s", err.text);
        for (int item = 0; item < 5; item++) {
            cr_expect_eq(tr_children_next(children, &result, &err), item == 2 ? TR_ERR_DATA : TR_OK,
                         "item %d: %s", item, err.text);
            if (item != 2)
                cr_expect_eq(*(const int64_t *)result, item);
        }
        cr_expect_not_null(strstr(err.text, "item 2: the library that read it crashed"), "%s",
                           err.text);
        tr_children_end(children);
        cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a child is left");
    }
}

static tr_status loop(void *user, int64_t item, void *result, tr_error *err)
{
    (void)user, (void)result, (void)err;
    volatile int64_t seen = item;
    while (seen == 1)
        continue;
    return TR_OK;
}

Test(children, endless_work_ends, .timeout = 60)
{
    tr_children *children = NULL;
    tr_error err = {0};
    const void *result;
    const tr_children_work asked = {.work = loop,
                                    .name = name,
                                    .n = 4,
                                    .result_bytes = 1,
                                    .n_children = 2,
                                    .seconds = 1,
                                    .reach = "/tmp"};
    cr_assert_eq(tr_children_start(&children, &asked, NULL), TR_OK);
    cr_expect_eq(tr_children_next(children, &result, &err), TR_OK);
    cr_expect_eq(tr_children_next(children, &result, &err), TR_ERR_DATA);
    cr_expect_not_null(strstr(err.text, "item 1: the library that read it came to no end"), "%s",
                       err.text);
    cr_expect_eq(tr_children_next(children, &result, &err), TR_OK);
    cr_expect_eq(tr_children_next(children, &result, &err), TR_OK);
    tr_children_end(children);
}

Test(children, ends_early)
{
    tr_children *children = NULL;
    const void *result;
    const tr_children_work asked = {.work = work,
                                    .name = name,
                                    .n = 1000,
                                    .result_bytes = RESULT,
                                    .n_children = 4,
                                    .seconds = 10,
                                    .reach = "/tmp"};
    cr_assert_eq(tr_children_start(&children, &asked, NULL), TR_OK);
    cr_expect_eq(tr_children_next(children, &result, NULL), TR_OK);
    tr_children_end(children);
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a child is left");
}
