/* zip_file.c -- see zip_file.h. */
#include "zip_file.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "file.h"
#include "mem.h"

/* A member may be that many times its packed size: deflate itself reaches 1032, on nothing but
 * zeros, which weights are not. */
enum { MOST_INFLATION = 1000, SMALL = 1 << 16 };

bool tr_is_zip(const char *path)
{
    unsigned char head[4] = {0};
    int fd = -1;
    tr_error ignored;
    if (tr_file_open_input(&fd, path, &ignored) != TR_OK)
        return false;
    const bool read = pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head;
    close(fd);
    /* The first header of a member, or the end of an empty archive. */
    return read && head[0] == 'P' && head[1] == 'K' &&
           ((head[2] == 3 && head[3] == 4) || (head[2] == 5 && head[3] == 6));
}

static tr_status check_member(const char *path, const char *name, const zip_stat_t *info,
                              size_t most, tr_error *err)
{
    const zip_uint64_t wanted = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    if ((info->valid & wanted) != wanted)
        return tr_fail(err, TR_ERR_DATA, "%s: %s in it has no size: the file is damaged", path,
                       name);
    if ((info->valid & ZIP_STAT_ENCRYPTION_METHOD) && info->encryption_method != ZIP_EM_NONE)
        return tr_fail(err, TR_ERR_DATA, "%s: %s in it is encrypted", path, name);
    if (info->comp_method != ZIP_CM_STORE && info->comp_method != ZIP_CM_DEFLATE)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s in it is packed by method %d; supported: stored and deflated", path,
                       name, (int)info->comp_method);
    if (info->size > most)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s in it says that it has %" PRIu64 " bytes; at most %zu are read",
                       path, name, (uint64_t)info->size, most);
    if (info->size > SMALL && info->size / MOST_INFLATION > info->comp_size)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: %s in it would grow from %" PRIu64 " to %" PRIu64
                       " bytes, more than %d-fold: that is no model",
                       path, name, (uint64_t)info->comp_size, (uint64_t)info->size, MOST_INFLATION);
    return TR_OK;
}

/* All bytes, and the end behind them, where libzip tests the checksum. */
static bool read_all(zip_file_t *member, char *bytes, zip_uint64_t n)
{
    zip_uint64_t done = 0;
    while (done < n) {
        const zip_int64_t got = zip_fread(member, bytes + done, n - done);
        if (got <= 0)
            return false;
        done += (zip_uint64_t)got;
    }
    char more;
    return zip_fread(member, &more, 1) == 0;
}

static tr_status read_member(zip_t *archive, void **bytes, size_t *n, const char *path,
                             const char *name, size_t most, tr_error *err)
{
    zip_stat_t info;
    if (zip_stat(archive, name, 0, &info) != 0)
        return tr_fail(err, TR_ERR_DATA, "%s: has no %s inside: it is no whole model of Keras",
                       path, name);
    TR_TRY(check_member(path, name, &info, most, err));
    char *read = tr_alloc((size_t)info.size + 1, 1);
    if (read == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory for %s", path, name);
    zip_file_t *member = zip_fopen(archive, name, 0);
    const bool whole = member != NULL && read_all(member, read, info.size);
    if (member != NULL)
        zip_fclose(member);
    if (!whole) {
        tr_free(read);
        return tr_fail(err, TR_ERR_DATA, "%s: %s in it cannot be unpacked: the file is damaged",
                       path, name);
    }
    *bytes = read;
    *n = (size_t)info.size;
    return TR_OK;
}

tr_status tr_zip_read(void **bytes, size_t *n, const char *path, const char *name, size_t most,
                      tr_error *err)
{
    int reason = 0;
    TR_TRY(tr_file_check_input(path, err));
    zip_t *archive = zip_open(path, ZIP_RDONLY, &reason);
    if (archive == NULL)
        return tr_fail(err, TR_ERR_DATA, "%s: is not a whole ZIP archive", path);
    const tr_status status = read_member(archive, bytes, n, path, name, most, err);
    zip_discard(archive);
    return status;
}
