/* leftovers.h -- temporary files that a write should have taken away. */
#ifndef TR_TEST_LEFTOVERS_H
#define TR_TEST_LEFTOVERS_H

#include <glob.h>
#include <stdio.h>

/* How many the folder holds. */
static inline size_t test_leftovers(const char *parent)
{
    char pattern[1024];
    glob_t found = {0};
    snprintf(pattern, sizeof pattern, "%s/.*.tmp", parent);
    const size_t n = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return n;
}

#endif
