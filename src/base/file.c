/* file.c -- atomic replacement of files; see file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

char *tr_path_join(const char *folder, const char *name)
{
    const size_t n = strlen(folder);
    return tr_format("%s%s%s", folder, n > 0 && folder[n - 1] == '/' ? "" : "/", name);
}

char *tr_file_temporary(const char *path)
{
    return tr_format("%s.tmp", path);
}

static int fsync_path(const char *path, int flags)
{
    const int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return -1;
    const int failed = fsync(fd);
    const int cause = errno;
    close(fd);
    errno = cause;
    return failed;
}

/* A rename is durable only once the folder that holds the name is. */
static int fsync_parent(const char *path)
{
    char *copy = tr_strdup(path);
    if (copy == NULL) {
        errno = ENOMEM;
        return -1;
    }
    int failed = fsync_path(dirname(copy), O_RDONLY | O_DIRECTORY);
    if (failed && errno == EINVAL) /* a file system that cannot sync folders */
        failed = 0;
    tr_free(copy);
    return failed;
}

/* A rename would put a plain file in the place of a device or a pipe: for root even of /dev/null.
 */
static bool is_special(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

/* What to do about it. */
static const char *advice(int cause)
{
    switch (cause) {
    case ENOSPC:
    case EDQUOT:
        return "free some space, or choose another folder";
    case EFBIG:
        return "raise the limit on the size of files (ulimit -f)";
    case ENOENT:
    case ENOTDIR:
        return "its folder is not there; make it again, or choose another";
    case EROFS:
    case EACCES:
    case EPERM:
        return "files cannot be made there; change that, or choose another folder";
    default:
        return "look after the disk, or choose another folder";
    }
}

tr_status tr_file_replace(const char *temporary, const char *path, tr_error *err)
{
    const char *step = "flush";
    if (is_special(path)) {
        unlink(temporary);
        return tr_fail(err, TR_ERR_IO,
                       "%s: is a device or a pipe, which cannot be replaced by a file; choose "
                       "another name",
                       path);
    }
    if (fsync_path(temporary, O_RDONLY) == 0) {
        step = "rename into place";
        if (rename(temporary, path) == 0) {
            if (fsync_parent(path) == 0)
                return TR_OK;
            return tr_fail(err, TR_ERR_IO,
                           "%s: written, but its folder cannot be flushed to disk: %s", path,
                           strerror(errno));
        }
    }
    const int cause = errno;
    unlink(temporary);
    return tr_fail(err, TR_ERR_IO,
                   "%s: cannot %s the new file: %s; %s; an earlier file of that name is untouched",
                   path, step, strerror(cause), advice(cause));
}

/* Without stdio's buffer, so that each write is one system call that can fail by itself. What an
 * earlier kill left goes first: were it a link, another file would be written, were it a pipe, this
 * would wait for ever. */
static bool write_whole(const char *path, const void *bytes, size_t n)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return false;
    const int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (fd < 0)
        return false;
    const char *next = bytes;
    for (size_t left = n; left > 0;) {
        const ssize_t written = write(fd, next, left);
        if (written <= 0 && !(written < 0 && errno == EINTR)) {
            const int cause = written < 0 ? errno : ENOSPC;
            close(fd);
            errno = cause;
            return false;
        }
        next += written > 0 ? written : 0;
        left -= written > 0 ? (size_t)written : 0;
    }
    return close(fd) == 0;
}

tr_status tr_file_write(const char *path, const void *bytes, size_t n, tr_error *err)
{
    char *temporary = tr_file_temporary(path);
    if (temporary == NULL)
        return tr_out_of_memory(err, NULL);
    tr_status status = TR_OK;
    if (!write_whole(temporary, bytes, n)) {
        const int cause = errno;
        unlink(temporary);
        status = tr_fail(err, TR_ERR_IO, "%s: cannot write: %s; %s", path, strerror(cause),
                         advice(cause));
    } else {
        status = tr_file_replace(temporary, path, err);
    }
    tr_free(temporary);
    return status;
}

static int make_folders(char *path)
{
    for (char *slash = path + 1; *slash != '\0'; slash++) {
        if (*slash != '/')
            continue;
        *slash = '\0';
        const int failed = mkdir(path, 0777) != 0 && errno != EEXIST;
        *slash = '/';
        if (failed)
            return -1;
    }
    return mkdir(path, 0777) != 0 && errno != EEXIST ? -1 : 0;
}

tr_status tr_folder_prepare(const char *path, tr_error *err)
{
    char *copy = tr_strdup(path);
    char *probe = tr_path_join(path, ".trainer-write-test");
    tr_status status = TR_OK;
    if (copy == NULL || probe == NULL) {
        status = tr_out_of_memory(err, NULL);
    } else if (make_folders(copy) != 0) {
        status = tr_fail(err, TR_ERR_IO, "output folder %s cannot be created: %s", path,
                         strerror(errno));
    } else {
        /* access(2) says yes to root on a read-only mount's folder bits; creating does not lie. */
        const int fd = open(probe, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0) {
            status = tr_fail(err, TR_ERR_IO,
                             "output folder %s: no file can be created in it: %s; choose another "
                             "with --set output.directory=FOLDER",
                             path, strerror(errno));
        } else {
            close(fd);
            unlink(probe);
        }
    }
    tr_free(copy);
    tr_free(probe);
    return status;
}

tr_status tr_folder_lock(const char *path, int *lock, tr_error *err)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return tr_fail(err, TR_ERR_IO, "output folder %s cannot be opened: %s", path,
                       strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        close(fd);
        return tr_fail(err, TR_ERR_IO,
                       "output folder %s is in use by another run; choose another with "
                       "--set output.directory=FOLDER",
                       path);
    }
    *lock = fd; /* also where the file system knows no locks: then nobody is kept out */
    return TR_OK;
}

tr_status tr_file_check_input(const char *path, tr_error *err)
{
    struct stat info;
    if (access(path, R_OK) != 0 || stat(path, &info) != 0)
        return tr_fail(err, TR_ERR_DATA, "%s: cannot be read: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return tr_fail(err, TR_ERR_DATA, "%s: is %s; expected a file", path,
                       S_ISDIR(info.st_mode) ? "a folder" : "a device or a pipe");
    return TR_OK;
}

bool tr_file_same(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}
