/* test_zip_write.c -- an archive in memory: what goes in comes out, and the same bytes each time.
 */
#include "zip_write.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zip.h>

#include "mem.h"

static const tr_zip_member members[] = {{"a.txt", "hello", 5}, {"empty", "", 0}, {"b", "\0\1", 2}};

Test(zip_write, members_come_back)
{
    void *bytes = NULL;
    size_t n = 0;
    tr_error err = {0};
    char text[8];
    cr_assert_eq(tr_zip_make(&bytes, &n, members, 3, &err), TR_OK, "%s", err.text);
    zip_source_t *source = zip_source_buffer_create(bytes, n, 0, NULL);
    zip_t *archive = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, NULL);
    cr_assert_not_null(archive);
    cr_assert_eq(zip_get_num_entries(archive, 0), 3);
    for (zip_uint64_t i = 0; i < 3; i++) {
        zip_file_t *file = zip_fopen_index(archive, i, 0);
        cr_expect_str_eq(zip_get_name(archive, i, 0), members[i].name);
        cr_expect_eq(zip_fread(file, text, sizeof text), (zip_int64_t)members[i].n);
        cr_expect_eq(memcmp(text, members[i].bytes, members[i].n), 0);
        zip_fclose(file);
    }
    zip_close(archive);
    tr_free(bytes);
}

/* Neither the clock nor the time zone is in it, nor the flag of names in UTF-8, which libzip 1.11
 * sets for any name that it is told to be so and 1.7 does not. */
Test(zip_write, is_the_same_everywhere)
{
    void *first = NULL, *second = NULL;
    size_t n = 0, m = 0;
    tr_error err = {0};
    setenv("TZ", "UTC", 1);
    tzset();
    cr_assert_eq(tr_zip_make(&first, &n, members, 3, &err), TR_OK);
    setenv("TZ", "Pacific/Auckland", 1);
    tzset();
    const struct timespec past_a_dos_second = {2, 100000000};
    nanosleep(&past_a_dos_second, NULL);
    cr_assert_eq(tr_zip_make(&second, &m, members, 3, &err), TR_OK);
    cr_assert_eq(n, m);
    cr_assert_eq(memcmp(first, second, n), 0);
    cr_assert_eq(memcmp((char *)first + 6, (char[2]){0}, 2), 0);
    tr_free(first);
    tr_free(second);
}

Test(zip_write, lack_of_memory_is_an_error)
{
    void *bytes = NULL;
    size_t n = 0;
    tr_error err = {0};
    tr_alloc_fail_after(0);
    cr_expect_eq(tr_zip_make(&bytes, &n, members, 3, &err), TR_ERR_INTERNAL);
    tr_alloc_fail_after(-1);
}
