/* file.c -- atomic replacement of files; see file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "temporary.h"

char *tr_path_join(const char *folder, const char *name)
{
    const size_t n = strlen(folder);
    return tr_format("%s%s%s", folder, n > 0 && folder[n - 1] == '/' ? "" : "/", name);
}

/* ---- a new file ---- */

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

/* Without stdio's buffer, so that each write is one system call that can fail by itself. */
static bool write_all(int fd, const void *bytes, size_t n, int64_t offset)
{
    const char *next = bytes;
    for (size_t left = n; left > 0;) {
        const ssize_t written = pwrite(fd, next, left, offset);
        if (written <= 0 && !(written < 0 && errno == EINTR)) {
            errno = written < 0 ? errno : ENOSPC;
            return false;
        }
        next += written > 0 ? written : 0;
        offset += written > 0 ? written : 0;
        left -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

/* The file is named by the folder that is held open, whatever happens to the folder's own name. */
static bool open_folder(tr_new_file *file)
{
    char *copy = tr_strdup(file->path), *slash = copy == NULL ? NULL : strrchr(copy, '/');
    if (copy == NULL) {
        errno = ENOMEM;
        return false;
    }
    file->name = slash == NULL ? file->path : file->path + (slash + 1 - copy);
    if (file->name[0] == '\0') { /* "folder/" */
        tr_free(copy);
        errno = EISDIR;
        return false;
    }
    if (slash != NULL)
        slash[slash == copy] = '\0'; /* "/x" is in "/" */
    file->folder = open(slash == NULL ? "." : copy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    tr_free(copy);
    return file->folder >= 0;
}

static bool make(tr_new_file *file)
{
    if (!open_folder(file))
        return false;
    tr_temporary_remove_dead(file->folder, file->name);
    file->fd = tr_temporary_open(file->folder, file->name, file->temporary);
    return file->fd >= 0;
}

static tr_status cannot_write(const char *path, int cause, tr_error *err)
{
    return cause == ENOMEM ? tr_out_of_memory(err, NULL)
                           : tr_fail(err, TR_ERR_IO, "%s: cannot write: %s; %s", path,
                                     strerror(cause), advice(cause));
}

tr_status tr_new_file_open(tr_new_file *file, const char *path, tr_error *err)
{
    *file = (tr_new_file){.folder = -1, .fd = -1, .path = tr_strdup(path)};
    if (file->path == NULL)
        return tr_out_of_memory(err, NULL);
    if (make(file))
        return TR_OK;
    const int cause = errno;
    tr_new_file_discard(file);
    return cannot_write(path, cause, err);
}

tr_status tr_new_file_write_at(const tr_new_file *file, const void *bytes, size_t n, int64_t offset,
                               tr_error *err)
{
    return write_all(file->fd, bytes, n, offset) ? TR_OK : cannot_write(file->path, errno, err);
}

tr_status tr_new_file_read_at(const tr_new_file *file, void *bytes, size_t n, int64_t offset,
                              tr_error *err)
{
    char *next = bytes;
    for (size_t left = n; left > 0;) {
        const ssize_t got = pread(file->fd, next, left, offset);
        if (got <= 0 && !(got < 0 && errno == EINTR))
            return tr_fail(err, TR_ERR_IO, "%s: what was written cannot be read again: %s",
                           file->path, got < 0 ? strerror(errno) : "it ends early");
        next += got > 0 ? got : 0;
        offset += got > 0 ? got : 0;
        left -= got > 0 ? (size_t)got : 0;
    }
    return TR_OK;
}

tr_status tr_new_file_write(tr_new_file *file, const char *path, const void *bytes, size_t n,
                            tr_error *err)
{
    TR_TRY(tr_new_file_open(file, path, err));
    const tr_status status = tr_new_file_write_at(file, bytes, n, 0, err);
    if (status != TR_OK)
        tr_new_file_discard(file);
    return status;
}

void tr_new_file_discard(tr_new_file *file)
{
    if (file->fd >= 0 && file->temporary[0] != '\0')
        unlinkat(file->folder, file->temporary, 0);
    if (file->fd >= 0)
        close(file->fd);
    if (file->folder >= 0)
        close(file->folder);
    tr_free(file->path);
    *file = (tr_new_file){.folder = -1, .fd = -1};
}

/* A rename would put a plain file in the place of a device or a pipe: for root even of /dev/null.
 */
static bool is_special(const tr_new_file *file)
{
    struct stat info;
    return fstatat(file->folder, file->name, &info, 0) == 0 && !S_ISREG(info.st_mode) &&
           !S_ISDIR(info.st_mode);
}

/* Unless another file is there. Some network file systems number files as they like: another time
 * of change must tell, too. */
static bool is_ours(const tr_new_file *file)
{
    struct stat ours, there;
    if (fstat(file->fd, &ours) != 0 ||
        fstatat(file->folder, file->name, &there, AT_SYMLINK_NOFOLLOW) != 0)
        return true;
    return (ours.st_dev == there.st_dev && ours.st_ino == there.st_ino) ||
           (ours.st_mtim.tv_sec == there.st_mtim.tv_sec &&
            ours.st_mtim.tv_nsec == there.st_mtim.tv_nsec && ours.st_size == there.st_size);
}

/* A rename is durable only once the folder that holds the name is. EINVAL: a file system that
 * cannot sync folders. */
static bool put(tr_new_file *file, const char **step)
{
    *step = "flush the new file";
    if (fsync(file->fd) != 0)
        return false;
    *step = "rename the new file into place";
    if (renameat(file->folder, file->temporary, file->folder, file->name) != 0)
        return false;
    file->temporary[0] = '\0';
    *step = NULL;
    return fsync(file->folder) == 0 || errno == EINVAL;
}

tr_status tr_new_file_put(tr_new_file *file, tr_error *err)
{
    const char *step = NULL, *path = file->path;
    tr_status status = TR_OK;
    if (is_special(file)) {
        status = tr_fail(err, TR_ERR_IO,
                         "%s: is a device or a pipe, which cannot be replaced by a file; choose "
                         "another name",
                         path);
    } else if (!put(file, &step)) {
        const int cause = errno;
        status = step == NULL
                     ? tr_fail(err, TR_ERR_IO,
                               "%s: written, but its folder cannot be flushed to disk: %s", path,
                               strerror(cause))
                     : tr_fail(err, TR_ERR_IO,
                               "%s: cannot %s: %s; %s; an earlier file of that name is untouched",
                               path, step, strerror(cause), advice(cause));
    } else if (!is_ours(file)) {
        status =
            tr_fail(err, TR_ERR_IO,
                    "%s: another program wrote it at the same moment, and what is there now is "
                    "not from here; let one at a time write it",
                    path);
    }
    tr_new_file_discard(file);
    return status;
}

tr_status tr_file_write(const char *path, const void *bytes, size_t n, tr_error *err)
{
    tr_new_file file;
    TR_TRY(tr_new_file_write(&file, path, bytes, n, err));
    return tr_new_file_put(&file, err);
}

/* ---- folders ---- */

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

/* access(2) says yes to root on a read-only mount's folder bits; creating does not lie. */
static bool can_create(const char *path)
{
    static const char probe[] = "trainer-write-test";
    char name[TR_TEMPORARY_MAX];
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return false;
    tr_temporary_remove_dead(folder, probe);
    const int fd = tr_temporary_open(folder, probe, name);
    const int cause = errno;
    if (fd >= 0) {
        unlinkat(folder, name, 0);
        close(fd);
    }
    close(folder);
    errno = cause;
    return fd >= 0;
}

tr_status tr_folder_prepare(const char *path, tr_error *err)
{
    char *copy = tr_strdup(path);
    if (copy == NULL)
        return tr_out_of_memory(err, NULL);
    tr_status status = TR_OK;
    if (make_folders(copy) != 0)
        status = tr_fail(err, TR_ERR_IO, "output folder %s cannot be created: %s", path,
                         strerror(errno));
    else if (!can_create(path))
        status = tr_fail(err, TR_ERR_IO,
                         "output folder %s: no file can be created in it: %s; choose another "
                         "[output] directory",
                         path, strerror(errno));
    tr_free(copy);
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
                       "output folder %s is in use by another run; choose another "
                       "[output] directory",
                       path);
    }
    *lock = fd; /* also where the file system knows no locks: then nobody is kept out */
    return TR_OK;
}

bool tr_folder_is_locked(const char *path, int lock)
{
    struct stat there, ours;
    return stat(path, &there) != 0 || fstat(lock, &ours) != 0 ||
           (there.st_dev == ours.st_dev && there.st_ino == ours.st_ino);
}

tr_status tr_file_open_input(int *fd, const char *path, tr_error *err)
{
    struct stat info;
    const int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (opened < 0 || fstat(opened, &info) != 0) {
        const int cause = errno;
        if (opened >= 0)
            close(opened);
        return tr_fail(err, TR_ERR_DATA, "%s: cannot be read: %s", path, strerror(cause));
    }
    if (S_ISREG(info.st_mode)) {
        *fd = opened;
        return TR_OK;
    }
    close(opened);
    return tr_fail(err, TR_ERR_DATA, "%s: is %s; expected a file", path,
                   S_ISDIR(info.st_mode) ? "a folder" : "a device or a pipe");
}

tr_status tr_file_check_input(const char *path, tr_error *err)
{
    int fd = -1;
    TR_TRY(tr_file_open_input(&fd, path, err));
    close(fd);
    return TR_OK;
}

bool tr_file_same(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}
