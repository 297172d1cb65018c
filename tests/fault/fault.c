/* fault.c -- a library to preload into the program: the k-th operation on a file fails, or is the
 * last thing the process does.
 *
 *     FAULT_FOLDER   only files below this path count
 *     FAULT_AT       which operation, from 1: open for writing, write, fsync, rename
 *     FAULT_DO       kill: SIGKILL in its place; half: SIGKILL after half of a write; else a
 *                    number: it fails with that errno, and so does every later one
 *     FAULT_COUNT    a file that gets the number of operations when the process ends
 *     FAULT_READ     the so-manieth pread() of the program itself, not of a child of it, fails with
 *                    EIO, and so does every later one
 *     FAULT_DRAWING  crash: cairo_create() ends the process; spin: it comes to no end
 *     FAULT_DELAY    each operation waits for up to so many microseconds first
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_FILES = 1024 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int n_operations, n_reads;
static pid_t program;
static char watched[MOST_FILES]; /* by file descriptor */

static int is_ours(const char *path)
{
    const char *folder = getenv("FAULT_FOLDER");
    return folder != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

/* Another one in each process and at each operation. */
static void wait_a_moment(int number)
{
    const char *most = getenv("FAULT_DELAY");
    if (most == NULL)
        return;
    const unsigned mixed = ((unsigned)getpid() * 2654435761u) ^ ((unsigned)number * 40503u);
    usleep((mixed >> 8) % (unsigned)(atoi(most) + 1));
}

/* 0: go on; else the errno to fail with. `fd` and the rest are of a write. */
static int count(int fd, const void *bytes, size_t n, off_t offset)
{
    const char *at = getenv("FAULT_AT"), *what = getenv("FAULT_DO");
    pthread_mutex_lock(&mutex);
    const int number = ++n_operations;
    pthread_mutex_unlock(&mutex);
    wait_a_moment(number);
    if (at == NULL || what == NULL || number < atoi(at))
        return 0;
    if (strcmp(what, "half") == 0 && bytes != NULL) {
        ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite");
        if (real(fd, bytes, n / 2, offset) < 0)
            abort();
    }
    if (strcmp(what, "kill") == 0 || strcmp(what, "half") == 0)
        kill(getpid(), SIGKILL);
    return atoi(what);
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("FAULT_COUNT");
    FILE *file = path == NULL ? NULL : fopen(path, "w");
    if (file == NULL)
        return;
    fprintf(file, "%d\n", n_operations);
    fclose(file);
}

/* A name in a folder that is watched is ours, whatever that folder is called now. */
static int is_ours_at(int folder, const char *path)
{
    if (path[0] == '/' || folder == AT_FDCWD)
        return is_ours(path);
    return folder >= 0 && folder < MOST_FILES && watched[folder];
}

int openat(int folder, const char *path, int flags, ...)
{
    int (*real)(int, const char *, int, ...) = dlsym(RTLD_NEXT, "openat");
    va_list list;
    va_start(list, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    const int ours = is_ours_at(folder, path);
    const int cause = ours && (flags & O_CREAT) != 0 ? count(-1, NULL, 0, 0) : 0;
    if (cause != 0) {
        errno = cause;
        return -1;
    }
    const int fd = real(folder, path, flags, mode);
    if (fd >= 0 && fd < MOST_FILES)
        watched[fd] = (char)(ours != 0);
    return fd;
}

int open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    return openat(AT_FDCWD, path, flags, mode);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
    ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite");
    const int cause = fd >= 0 && fd < MOST_FILES && watched[fd] ? count(fd, bytes, n, offset) : 0;
    if (cause == 0)
        return real(fd, bytes, n, offset);
    errno = cause;
    return -1;
}

__attribute__((constructor)) static void begin(void)
{
    program = getpid();
}

static int reading_fails(int fd)
{
    const char *at = getenv("FAULT_READ");
    if (at == NULL || fd < 0 || fd >= MOST_FILES || !watched[fd] || getpid() != program)
        return 0;
    pthread_mutex_lock(&mutex);
    const int number = ++n_reads;
    pthread_mutex_unlock(&mutex);
    return number >= atoi(at);
}

ssize_t pread(int fd, void *bytes, size_t n, off_t offset)
{
    ssize_t (*real)(int, void *, size_t, off_t) = dlsym(RTLD_NEXT, "pread");
    if (!reading_fails(fd))
        return real(fd, bytes, n, offset);
    errno = EIO;
    return -1;
}

int fsync(int fd)
{
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    const int cause = fd >= 0 && fd < MOST_FILES && watched[fd] ? count(-1, NULL, 0, 0) : 0;
    if (cause == 0)
        return real(fd);
    errno = cause;
    return -1;
}

int close(int fd)
{
    int (*real)(int) = dlsym(RTLD_NEXT, "close");
    if (fd >= 0 && fd < MOST_FILES)
        watched[fd] = 0;
    return real(fd);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    int (*real)(int, const char *, int, const char *) = dlsym(RTLD_NEXT, "renameat");
    const int cause = is_ours_at(to_folder, to) ? count(-1, NULL, 0, 0) : 0;
    if (cause == 0)
        return real(from_folder, from, to_folder, to);
    errno = cause;
    return -1;
}

void *cairo_create(void *surface); /* as cairo.h has it, but for the types */

void *cairo_create(void *surface)
{
    void *(*real)(void *) = dlsym(RTLD_NEXT, "cairo_create");
    const char *what = getenv("FAULT_DRAWING");
    if (what != NULL && strcmp(what, "crash") == 0)
        abort();
    for (volatile int spins = 1; what != NULL && spins;)
        continue;
    return real(surface);
}
