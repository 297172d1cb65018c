/* mem.c -- aligned, zeroed, counted allocation; see mem.h. */
#include "mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static _Atomic uint64_t n_allocations;
static _Atomic int64_t successes_left = -1;

static int fails_by_request(void)
{
    if (atomic_load(&successes_left) < 0)
        return 0;
    return atomic_fetch_sub(&successes_left, 1) == 0;
}

/* A block larger than the machine's memory is refused at once: the kernel would promise it and
 * then kill the process while it is being zeroed. */
static size_t physical_bytes(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (size_t)pages * (size_t)page : SIZE_MAX;
}

/* ---- a limit for others ---- */

static bool bounds_others;
static rlim_t first_bound;

/* Address space in use. */
static size_t mapped_bytes(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL && fscanf(file, "%zu", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void raise_bound(size_t bytes)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return;
    limit.rlim_cur =
        limit.rlim_max - limit.rlim_cur > bytes ? limit.rlim_cur + bytes : limit.rlim_max;
    setrlimit(RLIMIT_AS, &limit);
}

void tr_alloc_bound_others(size_t slack)
{
#ifndef TR_SANITIZED /* whose shadow of the memory is larger than any limit */
    struct rlimit limit;
    const size_t mapped = mapped_bytes();
    if (mapped == 0 || getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur <= mapped + slack)
        return;
    limit.rlim_cur = first_bound = mapped + slack;
    bounds_others = setrlimit(RLIMIT_AS, &limit) == 0;
#else
    (void)slack, (void)mapped_bytes;
#endif
}

void tr_alloc_bound_again(void)
{
    struct rlimit limit;
    if (!bounds_others || getrlimit(RLIMIT_AS, &limit) != 0)
        return;
    limit.rlim_cur = first_bound;
    setrlimit(RLIMIT_AS, &limit);
}

void tr_alloc_expect(size_t bytes)
{
    if (bounds_others)
        raise_bound(bytes);
}

/* ---- blocks ---- */

enum { PAGELESS_BYTES = 1 << 18 };

static atomic_bool without_pages;
static _Atomic int64_t pageless_bytes;

void *tr_alloc(size_t n, size_t item_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, item_bytes, &bytes) || bytes > SIZE_MAX - TR_ALIGN)
        return NULL;
    if (fails_by_request() || bytes > physical_bytes())
        return NULL;
    /* aligned_alloc wants a multiple of the alignment; at least one line, so that 0 is no case. */
    bytes = bytes == 0 ? TR_ALIGN : (bytes + TR_ALIGN - 1) / TR_ALIGN * TR_ALIGN;
    tr_alloc_expect(bytes);
    void *block = aligned_alloc(TR_ALIGN, bytes);
    if (block == NULL)
        return NULL;
    atomic_fetch_add_explicit(&n_allocations, 1, memory_order_relaxed);
    if (!atomic_load_explicit(&without_pages, memory_order_relaxed) || bytes < PAGELESS_BYTES)
        return memset(block, 0, bytes);
    atomic_fetch_add(&pageless_bytes, (int64_t)malloc_usable_size(block));
    return block;
}

void tr_alloc_without_pages(bool on)
{
    atomic_store(&without_pages, on);
    if (on)
        atomic_store(&pageless_bytes, 0);
}

uint64_t tr_alloc_pageless_bytes(void)
{
    const int64_t bytes = atomic_load(&pageless_bytes);
    return bytes > 0 ? (uint64_t)bytes : 0;
}

void *tr_realloc(void *block, size_t old_n, size_t new_n, size_t item_bytes)
{
    void *grown = tr_alloc(new_n, item_bytes);
    if (grown == NULL)
        return NULL;
    if (block != NULL)
        memcpy(grown, block, (old_n < new_n ? old_n : new_n) * item_bytes);
    tr_free(block);
    return grown;
}

void *tr_grown(void *items, size_t n, size_t item_bytes)
{
    if ((n & (n - 1)) != 0)
        return items;
    return tr_realloc(items, n, n == 0 ? 1 : 2 * n, item_bytes);
}

void tr_free(void *block)
{
    if (block != NULL && atomic_load_explicit(&without_pages, memory_order_relaxed)) {
        const size_t bytes = malloc_usable_size(block);
        if (bytes >= PAGELESS_BYTES)
            atomic_fetch_sub(&pageless_bytes, (int64_t)bytes);
    }
    free(block);
}

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* A page in front of the block holds the length of both. That page is private, so that a child
 * that writes astray cannot make us unmap something else. */
void *tr_shared_alloc(size_t n, size_t item_bytes)
{
    const size_t page = page_bytes();
    size_t bytes;
    if (__builtin_mul_overflow(n, item_bytes, &bytes) || bytes > SIZE_MAX - page - 1)
        return NULL;
    if (fails_by_request() || bytes > physical_bytes())
        return NULL;
    bytes += page + 1; /* at least one byte of block */
    tr_alloc_expect(bytes);
    unsigned char *front =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (front == MAP_FAILED)
        return NULL;
    if (mmap(front, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
        MAP_FAILED) {
        munmap(front, bytes);
        return NULL;
    }
    *(size_t *)front = bytes;
    atomic_fetch_add_explicit(&n_allocations, 1, memory_order_relaxed);
    return front + page;
}

void tr_shared_free(void *block)
{
    if (block == NULL)
        return;
    unsigned char *front = (unsigned char *)block - page_bytes();
    munmap(front, *(size_t *)front);
}

char *tr_strdup(const char *text)
{
    const size_t n = strlen(text) + 1;
    char *copy = tr_alloc(n, 1);
    return copy == NULL ? NULL : memcpy(copy, text, n);
}

char *tr_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = n < 0 ? NULL : tr_alloc((size_t)n + 1, 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}

bool tr_ends_in(const char *text, const char *end)
{
    const size_t n = strlen(text), n_end = strlen(end);
    return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

uint64_t tr_alloc_count(void)
{
    return atomic_load_explicit(&n_allocations, memory_order_relaxed);
}

void tr_alloc_fail_after(int64_t successes)
{
    atomic_store(&successes_left, successes);
}
