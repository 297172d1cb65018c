/* memory_limit.h -- how much memory this process may take: the machine's, or what its control
 * groups and limits leave of it.
 */
#ifndef TR_MEMORY_LIMIT_H
#define TR_MEMORY_LIMIT_H

#include <stdint.h>

typedef struct tr_memory_limit {
    uint64_t bytes;   /* the most that there can be; UINT64_MAX: unknown */
    uint64_t left;    /* of it, now: what others have is gone, caches are not */
    const char *what; /* "this machine", "its control group (cgroup)" */
} tr_memory_limit;

/* Reads <root>/proc and <root>/sys; `root` is "" but in tests. */
tr_memory_limit tr_memory_limit_read(const char *root);

/* The same of this machine; `left` alone. */
uint64_t tr_memory_left(void);

#endif
