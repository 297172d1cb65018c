/* run.h -- the program from outside: its exit code and what it prints. */
#ifndef TR_TEST_RUN_H
#define TR_TEST_RUN_H

typedef struct test_outcome {
    int code;
    char text[65536]; /* stdout and stderr together */
} test_outcome;

/* `prefix`: environment assignments or "". The result is in a static buffer. */
const test_outcome *test_run(const char *prefix, const char *arguments);

/* Fails unless it ended with `code` and printed `text` somewhere. */
void test_expect(const test_outcome *result, int code, const char *text);

#endif
