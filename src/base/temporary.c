/* temporary.c -- see temporary.h. */
#include "temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { N_RANDOM = 6, MOST_NAME = 200 /* of the 255 bytes that most file systems allow */ };

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
static const char ending[] = ".tmp";

static void choose_name(char temporary[TR_TEMPORARY_MAX], const char *name)
{
    uint64_t random;
    char text[N_RANDOM + 1] = "";
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random) {
        struct timespec now; /* a system that has only just begun */
        clock_gettime(CLOCK_REALTIME, &now);
        random = (uint64_t)now.tv_nsec * 1000003u ^ (uint64_t)getpid() << 32;
    }
    for (int i = 0; i < N_RANDOM; i++, random /= sizeof alphabet - 1)
        text[i] = alphabet[random % (sizeof alphabet - 1)];
    snprintf(temporary, TR_TEMPORARY_MAX, ".%.*s.%s%s", MOST_NAME, name, text, ending);
}

/* The lock keeps tr_temporary_remove_dead() off; between the making and the lock it may have come:
 * then the name is gone. Where the file system knows no locks, nobody removes anything. */
static bool claim(int fd)
{
    struct stat info;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno != EWOULDBLOCK;
    return fstat(fd, &info) == 0 && info.st_nlink > 0;
}

int tr_temporary_open(int folder, const char *name, char temporary[TR_TEMPORARY_MAX])
{
    enum { TRIES = 100 };
    for (int i = 0; i < TRIES; i++) {
        choose_name(temporary, name);
        const int fd =
            openat(folder, temporary, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0666);
        if (fd >= 0 && claim(fd))
            return fd;
        if (fd < 0 && errno != EEXIST)
            return -1;
        if (fd >= 0)
            close(fd);
    }
    errno = EEXIST;
    return -1;
}

bool tr_temporary_is_of(const char *entry, const char *name)
{
    const size_t n = strnlen(name, MOST_NAME);
    if (strlen(entry) != 1 + n + 1 + N_RANDOM + strlen(ending) || entry[0] != '.' ||
        strncmp(entry + 1, name, n) != 0 || entry[1 + n] != '.')
        return false;
    const char *random = entry + 1 + n + 1;
    return strspn(random, alphabet) == N_RANDOM && strcmp(random + N_RANDOM, ending) == 0;
}

/* O_NONBLOCK: it might be a pipe, which was not made here. */
static void remove_if_dead(int folder, const char *entry)
{
    struct stat info;
    const int fd = openat(folder, entry, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, entry, 0);
    close(fd);
}

void tr_temporary_remove_dead(int folder, const char *name)
{
    const int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (entries == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (tr_temporary_is_of(entry->d_name, name))
            remove_if_dead(folder, entry->d_name);
    closedir(entries);
}
