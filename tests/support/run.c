/* run.c -- see run.h. */
#include "run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

const test_outcome *test_run(const char *prefix, const char *arguments)
{
    static test_outcome result;
    char command[4096];
    snprintf(command, sizeof command, "%s %s %s 2>&1 < /dev/null", prefix, TR_BINARY, arguments);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    const size_t n = fread(result.text, 1, sizeof result.text - 1, pipe);
    result.text[n] = '\0';
    const int status = pclose(pipe);
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return &result;
}

void test_expect(const test_outcome *result, int code, const char *text)
{
    cr_assert_eq(result->code, code, "exit code %d, expected %d:\n%s", result->code, code,
                 result->text);
    cr_assert_not_null(strstr(result->text, text), "expected \"%s\" in:\n%s", text, result->text);
}
