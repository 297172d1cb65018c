/* bundle.c -- see bundle.h. Archives are libarchive's. */
#include "bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "file.h"
#include "mem.h"

enum { BLOCK_BYTES = 1 << 18, MOST_ENTRIES = 1 << 20 };

/* In shared memory, but for the names. */
typedef struct reading {
    const char *path;
    int fd; /* of the archive */
    tr_bundle_file *files;
    int n;
    size_t *sizes; /* [n] what was read; SIZE_MAX: not there */
} reading;

static tr_status too_large(const tr_bundle_file *file, const char *path, tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA, "%s: %s has more than the %zu bytes that it may have", path,
                   file->name, file->most);
}

/* ---- a file in a folder; in a child ---- */

static tr_status read_plain(void *job, tr_error *err)
{
    const reading *self = job;
    tr_bundle_file *file = self->files;
    int fd;
    TR_TRY(tr_file_open_input(&fd, self->path, err));
    size_t used = 0;
    ssize_t got = 1;
    while (got > 0 && used <= file->most) {
        got = read(fd, file->bytes + used, file->most + 1 - used);
        used += got > 0 ? (size_t)got : 0;
    }
    const int cause = errno;
    close(fd);
    if (got < 0)
        return tr_fail(err, TR_ERR_DATA, "%s: cannot be read: %s", self->path, strerror(cause));
    if (used > file->most)
        return too_large(file, self->path, err);
    *self->sizes = used;
    return TR_OK;
}

static tr_status read_from_folder(const reading *all, int i, tr_error *err)
{
    char *path = tr_path_join(all->path, all->files[i].name);
    if (path == NULL)
        return tr_out_of_memory(err, all->path);
    reading one = {.path = path, .files = &all->files[i], .n = 1, .sizes = &all->sizes[i]};
    tr_status status = TR_OK;
    if (access(path, F_OK) == 0)
        status = tr_in_child(read_plain, &one, path, err);
    tr_free(path);
    return status;
}

/* ---- an archive; in a child ---- */

static tr_status fail_archive(const reading *self, struct archive *archive, tr_error *err)
{
    const char *cause = archive_error_string(archive);
    return tr_fail(err, TR_ERR_DATA,
                   "%s: is no folder, and as an archive (.tar, .tar.gz, .zip) cannot be read: %s",
                   self->path, cause == NULL ? "damaged" : cause);
}

/* The wanted file that an entry is; -1: none. */
static int which(const reading *self, struct archive_entry *entry)
{
    const char *path = archive_entry_pathname(entry);
    if (path == NULL || archive_entry_filetype(entry) != AE_IFREG)
        return -1;
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    for (int i = 0; i < self->n; i++)
        if (strcmp(self->files[i].name, name) == 0 && self->sizes[i] == SIZE_MAX)
            return i;
    return -1;
}

static tr_status read_entry(const reading *self, struct archive *archive, int i, tr_error *err)
{
    tr_bundle_file *file = &self->files[i];
    size_t used = 0;
    la_ssize_t got = 1;
    while (got > 0 && used <= file->most) {
        got = archive_read_data(archive, file->bytes + used, file->most + 1 - used);
        used += got > 0 ? (size_t)got : 0;
    }
    if (got < 0)
        return fail_archive(self, archive, err);
    if (used > file->most)
        return too_large(file, self->path, err);
    self->sizes[i] = used;
    return TR_OK;
}

static tr_status read_entries(const reading *self, struct archive *archive, tr_error *err)
{
    struct archive_entry *entry;
    int code = archive_read_open_fd(archive, self->fd, BLOCK_BYTES);
    for (int n = 0; code == ARCHIVE_OK && n < MOST_ENTRIES; n++) {
        code = archive_read_next_header(archive, &entry);
        if (code == ARCHIVE_EOF)
            return TR_OK;
        const int i = code == ARCHIVE_OK || code == ARCHIVE_WARN ? which(self, entry) : -1;
        if (i >= 0)
            TR_TRY(read_entry(self, archive, i, err));
        if (code == ARCHIVE_WARN)
            code = ARCHIVE_OK;
    }
    return fail_archive(self, archive, err);
}

static tr_status read_archive(void *job, tr_error *err)
{
    const reading *self = job;
    struct archive *archive = archive_read_new();
    if (archive == NULL)
        return tr_out_of_memory(err, self->path);
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_zip(archive);
    const tr_status status = read_entries(self, archive, err);
    archive_read_free(archive);
    return status;
}

/* ---- both ---- */

static tr_status read_all(reading *self, tr_error *err)
{
    struct stat info;
    if (stat(self->path, &info) != 0)
        return tr_fail(err, TR_ERR_DATA, "%s: %s", self->path, strerror(errno));
    if (S_ISDIR(info.st_mode)) {
        for (int i = 0; i < self->n; i++)
            TR_TRY(read_from_folder(self, i, err));
        return TR_OK;
    }
    TR_TRY(tr_file_open_input(&self->fd, self->path, err));
    const tr_status status = tr_in_child(read_archive, self, self->path, err);
    close(self->fd);
    return status;
}

tr_status tr_bundle_read(tr_bundle_file *files, int n, const char *path, tr_error *err)
{
    reading self = {.path = path, .files = files, .n = n};
    bool complete = true;
    self.sizes = tr_shared_alloc((size_t)n, sizeof *self.sizes);
    for (int i = 0; i < n && self.sizes != NULL; i++) {
        self.sizes[i] = SIZE_MAX;
        files[i].bytes = tr_shared_alloc(files[i].most + 1, 1); /* pages that nobody touches */
        complete = complete && files[i].bytes != NULL;
    }
    tr_status status =
        self.sizes == NULL || !complete ? tr_out_of_memory(err, path) : read_all(&self, err);
    for (int i = 0; i < n && self.sizes != NULL; i++) {
        files[i].n = self.sizes[i] <= files[i].most ? self.sizes[i] : 0;
        if (self.sizes[i] == SIZE_MAX) {
            tr_shared_free(files[i].bytes);
            files[i].bytes = NULL;
        }
    }
    tr_shared_free(self.sizes);
    return status;
}

void tr_bundle_release(tr_bundle_file *files, int n)
{
    for (int i = 0; i < n; i++) {
        tr_shared_free(files[i].bytes);
        files[i].bytes = NULL;
    }
}
