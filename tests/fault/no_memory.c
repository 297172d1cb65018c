/* no_memory.c -- a library to preload into the program: one allocation fails, whoever asks for it.
 *
 *     NO_MEMORY_AT    which, from 1, counted from main() on over malloc, calloc, realloc, the
 *                     aligned ones and anonymous mmap; a child process counts on from its parent
 *     NO_MEMORY_EVER  set: so does every later one of that process
 *     NO_MEMORY_HIT   a file that is made when it comes to that
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc's own, so that no dlsym(), which allocates, comes before the first of them. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

static long fail_at; /* 0: none, as before main() */
static bool ever;
static const char *hit;
static atomic_long n_allocations;
static int (*real_main)(int, char **, char **);

static bool fails(void)
{
    if (fail_at == 0)
        return false;
    const long number = atomic_fetch_add(&n_allocations, 1) + 1;
    if (number < fail_at || (number > fail_at && !ever))
        return false;
    if (number == fail_at && hit != NULL) {
        const int fd = open(hit, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd >= 0)
            close(fd);
    }
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t n)
{
    return fails() ? NULL : __libc_realloc(old, n);
}

void *memalign(size_t alignment, size_t n)
{
    return fails() ? NULL : __libc_memalign(alignment, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
    return memalign(alignment, n);
}

int posix_memalign(void **out, size_t alignment, size_t n)
{
    void *block = memalign(alignment, n);
    if (block == NULL)
        return ENOMEM;
    *out = block;
    return 0;
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    if ((flags & MAP_ANONYMOUS) != 0 && fails())
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, n, protection, flags, fd, offset);
}

static int counted_main(int argc, char **argv, char **environment)
{
    const char *at = getenv("NO_MEMORY_AT");
    ever = getenv("NO_MEMORY_EVER") != NULL;
    hit = getenv("NO_MEMORY_HIT");
    fail_at = at == NULL ? 0 : atol(at);
    return real_main(argc, argv, environment);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    int (*real)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void),
                void (*)(void), void *) = dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = main;
    return real(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}
