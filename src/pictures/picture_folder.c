/* picture_folder.c -- the pictures in a folder on disk; see picture_list.h.
 *
 * Only names are looked at, nothing is opened but folders. A link is followed where it leads to a
 * file within the folder: what lies elsewhere was not asked for, and folders that contain
 * themselves have no end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "picture_list.h"
#include "utf8.h"

enum { MOST_DEPTH = 64 };

typedef struct walk {
    tr_picture_list *list;
    const char *root;
    char real_root[PATH_MAX];
    char path[PATH_MAX]; /* from the root on, closed by '/' */
} walk;

/* That entry, or folder, cannot be read: errno says why. */
static tr_status fail_to_read(const walk *self, const char *name, tr_error *err)
{
    const int cause = errno;
    char path[1024], entry[256];
    tr_utf8_clean(path, sizeof path, self->path);
    tr_utf8_clean(entry, sizeof entry, name);
    return tr_fail(err, TR_ERR_DATA, "%s/%s%s: cannot be read: %s", self->root, path, entry,
                   strerror(cause));
}

static bool leads_inside(const walk *self, int folder, const char *name)
{
    char link[PATH_MAX + 64], real[PATH_MAX];
    struct stat info;
    const size_t n = strlen(self->real_root);
    snprintf(link, sizeof link, "/proc/self/fd/%d/%s", folder, name);
    return fstatat(folder, name, &info, 0) == 0 && S_ISREG(info.st_mode) &&
           realpath(link, real) != NULL && strncmp(real, self->real_root, n) == 0 &&
           (real[n] == '/' || self->real_root[n - 1] == '/');
}

static tr_status walk_folder(walk *self, int fd, int depth, tr_error *err);

/* Opens the folder `name` in the one that is open, and goes through it. */
static tr_status enter(walk *self, int folder, const char *name, int depth, tr_error *err)
{
    TR_TRY(tr_picture_list_add(self->list, self->path, 0, err));
    const int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail_to_read(self, "", err);
    return walk_folder(self, fd, depth + 1, err);
}

static tr_status visit(walk *self, int folder, const char *name, int depth, tr_error *err)
{
    struct stat info;
    const size_t before = strlen(self->path);
    tr_status status = TR_OK;
    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        /* Gone, or hidden, which is not read in any case. */
        return errno == ENOENT || name[0] == '.' ? TR_OK : fail_to_read(self, name, err);
    const bool is_folder = S_ISDIR(info.st_mode);
    if (before + strlen(name) + 2 > sizeof self->path || depth > MOST_DEPTH)
        return tr_fail(err, TR_ERR_DATA, "%s/%s: folders in it are nested too deeply", self->root,
                       self->path);
    snprintf(self->path + before, sizeof self->path - before, "%s%s", name, is_folder ? "/" : "");
    if (is_folder && name[0] != '.')
        status = enter(self, folder, name, depth, err);
    else if (S_ISREG(info.st_mode) || (S_ISLNK(info.st_mode) && leads_inside(self, folder, name)))
        status = tr_picture_list_add(self->list, self->path, 0, err);
    else if (S_ISLNK(info.st_mode))
        tr_picture_list_skip(self->list, "links");
    else if (!is_folder)
        tr_picture_list_skip(self->list, "no file");
    self->path[before] = '\0';
    return status;
}

/* Closes fd. */
static tr_status walk_folder(walk *self, int fd, int depth, tr_error *err)
{
    DIR *entries = fdopendir(fd);
    tr_status status = TR_OK;
    if (entries == NULL) {
        close(fd);
        return tr_out_of_memory(err, self->root);
    }
    for (const struct dirent *entry;
         status == TR_OK && (errno = 0, entry = readdir(entries)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = visit(self, fd, entry->d_name, depth, err);
    if (status == TR_OK && errno != 0)
        status = fail_to_read(self, "", err); /* the list would be shorter */
    closedir(entries);
    return status;
}

tr_status tr_picture_list_walk(tr_picture_list *list, const char *path, tr_error *err)
{
    walk self = {.list = list, .root = path};
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || realpath(path, self.real_root) == NULL) {
        const int cause = errno;
        if (fd >= 0)
            close(fd);
        return tr_fail(err, TR_ERR_DATA, "%s: cannot be read: %s", path, strerror(cause));
    }
    return walk_folder(&self, fd, 0, err);
}

tr_status tr_picture_list_folder(tr_picture_list *list, const char *path, tr_error *err)
{
    TR_TRY(tr_picture_list_walk(list, path, err));
    return tr_picture_list_finish(list, path, false, err);
}
