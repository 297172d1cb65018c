/* often.h -- how often a test repeats what takes long.
 *
 * The environment's TRAINER_TEST_SAMPLE = k asks for every k-th of such repetitions (CI does: it
 * runs all tests four times over); without it all are made, under a sanitizer, which makes each
 * life ten times as long, every sixth.
 */
#ifndef TEST_OFTEN_H
#define TEST_OFTEN_H

#include <stdlib.h>

/* k: the distance between two repetitions that are made. */
static inline int test_stride(void)
{
#ifdef TR_SANITIZED
    enum { LEAST = 6 };
#else
    enum { LEAST = 1 };
#endif
    const char *asked = getenv("TRAINER_TEST_SAMPLE");
    const int k = asked == NULL ? 1 : atoi(asked);
    return k > LEAST ? k : LEAST;
}

/* How many of `all` repetitions that is. */
static inline int test_often(int all)
{
    const int n = all / test_stride();
    return n > 0 ? n : 1;
}

#endif
