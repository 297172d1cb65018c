/* ini_fixture.h -- temporary INI files, and assertions on lists of problems. For tests/config. */
#ifndef TR_INI_FIXTURE_H
#define TR_INI_FIXTURE_H

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trainer/status.h"

static char fixture_folder[256];
static char fixture_path[300];

static inline void fixture_open(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(fixture_folder, sizeof fixture_folder, "%s/trainer-test-XXXXXX",
             base == NULL || strlen(base) > 200 ? "/tmp" : base);
    cr_assert_not_null(mkdtemp(fixture_folder));
    snprintf(fixture_path, sizeof fixture_path, "%s/x.ini", fixture_folder);
}

static inline void fixture_close(void)
{
    unlink(fixture_path);
    rmdir(fixture_folder);
}

/* Writes the bytes to the one file of the fixture; returns its path. */
static inline const char *fixture_bytes(const void *bytes, size_t n)
{
    FILE *file = fopen(fixture_path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, n, file), n);
    cr_assert_eq(fclose(file), 0);
    return fixture_path;
}

static inline const char *fixture_text(const char *text)
{
    return fixture_bytes(text, strlen(text));
}

/* One line of `text`, without its path, when it is "...x.ini:LINE: rest" (LINE 0: the line as it
 * is); else NULL. The copy is static. */
static inline const char *problem_at(const char **text, int line)
{
    static char copy[4096];
    const size_t n = strcspn(*text, "\n");
    snprintf(copy, sizeof copy, "%.*s", (int)n, *text);
    *text += n + ((*text)[n] == '\n');
    char mark[32];
    snprintf(mark, sizeof mark, "x.ini:%d: ", line);
    const char *rest = strstr(copy, mark);
    if (line == 0)
        return copy;
    return rest == NULL ? NULL : rest + strlen(mark);
}

/* Fails unless one problem of err->text stands at `line` and has all the words (up to NULL). */
static inline void assert_problem(const tr_error *err, int line, ...)
{
    const char *text = err->text;
    while (*text != '\0') {
        const char *problem = problem_at(&text, line);
        bool has_all = problem != NULL;
        va_list words;
        va_start(words, line);
        for (const char *word; has_all && (word = va_arg(words, const char *)) != NULL;)
            has_all = strstr(problem, word) != NULL;
        va_end(words);
        if (has_all)
            return;
    }
    va_list words;
    va_start(words, line);
    const char *first = va_arg(words, const char *);
    va_end(words);
    cr_assert(false, "no problem at line %d with '%s' and the rest in:\n%s", line, first,
              err->text);
}

#endif
