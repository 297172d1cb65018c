/* mem.h -- the only door to the heap.
 *
 * Every allocation of the project goes through here, so that "nothing on the walk of an image
 * allocates after the first step" is a number a test can read, and so that a test can make the
 * k-th allocation fail. All blocks are zeroed and aligned to 64 bytes (a cache line, and the
 * width of an AVX-512 register). Thread-safe.
 */
#ifndef TR_MEM_H
#define TR_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trainer/memory.h" /* tr_free */

enum { TR_ALIGN = 64 };

/* n * item_bytes zeroed bytes, or NULL when memory is out, the product overflows or exceeds the
 * machine's memory. A request for zero bytes returns a valid block. */
void *tr_alloc(size_t n, size_t item_bytes) __attribute__((malloc, warn_unused_result));

/* Grows or shrinks a block of `old_n` items to `new_n`; new items are zero. On failure the old
 * block is untouched and NULL is returned. */
void *tr_realloc(void *block, size_t old_n, size_t new_n, size_t item_bytes)
    __attribute__((warn_unused_result));

/* Room for one item more than the n there are in a list that grows one by one, or NULL (the items
 * are then untouched). The capacity is the power of two that n implies, so that no list needs a
 * field for it: call before every addition. */
void *tr_grown(void *items, size_t n, size_t item_bytes) __attribute__((warn_unused_result));

/* From now on this process, a reader of somebody's file (base/child.h), has a limit of memory for
 * all that does not come through here: libraries, which believe what a file says of its sizes. */
void tr_alloc_bound_others(size_t slack);

/* Back to that limit, for the next piece of work of one process. */
void tr_alloc_bound_again(void);

/* A library is about to take so many bytes for something whose size was checked. */
void tr_alloc_expect(size_t bytes);

/* As tr_alloc(), but in memory that child processes share: what they write there stays. For large
 * or few blocks, as each takes whole pages. Free with tr_shared_free(), in the process that made
 * it. */
void *tr_shared_alloc(size_t n, size_t item_bytes) __attribute__((malloc, warn_unused_result));
void tr_shared_free(void *block); /* NULL is fine */

char *tr_strdup(const char *text) __attribute__((malloc, warn_unused_result));
char *tr_format(const char *format, ...)
    __attribute__((malloc, warn_unused_result, format(printf, 1, 2)));

/* Text that is, or ends in, `end`. */
bool tr_ends_in(const char *text, const char *end);

/* For measuring what something would take: while on, large blocks are not zeroed, so that they have
 * addresses but no pages, and must not be computed with. Their bytes so far, less those of blocks
 * that were given back meanwhile. */
void tr_alloc_without_pages(bool on);
uint64_t tr_alloc_pageless_bytes(void);

/* Number of allocations made so far by all threads. */
uint64_t tr_alloc_count(void);

/* Test hook: the allocation after `successes` further ones fails, once. Negative: never. */
void tr_alloc_fail_after(int64_t successes);

#endif
