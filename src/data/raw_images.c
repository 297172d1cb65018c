/* raw_images.c -- see raw_images.h. */
#include "raw_images.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "mem.h"

/* ---- the file ---- */

tr_status tr_raw_images_open(tr_raw_images *out, const char *path, const char *name, tr_error *err)
{
    struct stat info;
    *out = (tr_raw_images){.fd = -1, .path = tr_strdup(path), .name = tr_strdup(name)};
    if (out->path == NULL || out->name == NULL)
        return tr_out_of_memory(err, path);
    TR_TRY(tr_file_open_input(&out->fd, path, err));
    if (fstat(out->fd, &info) != 0)
        return tr_fail(err, TR_ERR_DATA, "%s: cannot be read: %s", path, strerror(errno));
    out->device = info.st_dev;
    out->inode = info.st_ino;
    out->changed = info.st_mtim;
    out->file_bytes = info.st_size;
    return TR_OK;
}

void tr_raw_images_close(tr_raw_images *images)
{
    if (images->path == NULL && images->name == NULL)
        return;
    if (images->fd >= 0)
        close(images->fd);
    tr_free(images->path);
    tr_free(images->name);
    *images = (tr_raw_images){.fd = -1};
}

size_t tr_raw_image_bytes(const tr_raw_images *images)
{
    return (size_t)images->pixels *
           (images->pixel == TR_PIXEL_U8 ? sizeof(uint8_t) : sizeof(float));
}

static bool is_as_it_was(const tr_raw_images *images, const struct stat *info)
{
    return info->st_size == images->file_bytes && info->st_mtim.tv_sec == images->changed.tv_sec &&
           info->st_mtim.tv_nsec == images->changed.tv_nsec;
}

/* The open file, and what has its name: a new file of that name would be what a resumed run gets.
 */
tr_status tr_raw_images_check(const tr_raw_images *images, tr_error *err)
{
    struct stat ours, named;
    if (fstat(images->fd, &ours) != 0)
        return tr_fail(err, TR_ERR_DATA, "%s: cannot be read: %s", images->path, strerror(errno));
    const bool there = stat(images->path, &named) == 0;
    if (there && named.st_dev == images->device && named.st_ino == images->inode &&
        is_as_it_was(images, &ours))
        return TR_OK;
    return tr_fail(err, TR_ERR_DATA,
                   "%s: was %s while images were being read from it ([data] memory = streamed); "
                   "put back what was there",
                   images->path,
                   !there                              ? "removed"
                   : named.st_ino != images->inode     ? "replaced"
                   : ours.st_size < images->file_bytes ? "truncated"
                                                       : "written to");
}

/* ---- reading ---- */

static int64_t place_of(const tr_raw_images *images, int64_t image)
{
    return images->offset + image * (int64_t)tr_raw_image_bytes(images);
}

static tr_status read_bytes(const tr_raw_images *images, unsigned char *dst, int64_t place,
                            size_t n, tr_error *err)
{
    while (n > 0) {
        const ssize_t got = pread(images->fd, dst, n, place);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tr_fail(err, TR_ERR_DATA, "%s: %s cannot be read at byte %lld: %s", images->path,
                           images->name, (long long)place, strerror(errno));
        if (got == 0) {
            TR_TRY(tr_raw_images_check(images, err));
            return tr_fail(err, TR_ERR_DATA, "%s: ends within %s, at byte %lld", images->path,
                           images->name, (long long)place);
        }
        dst += got;
        place += got;
        n -= (size_t)got;
    }
    return TR_OK;
}

/* As for images that are read whole (images.c). */
static tr_status check_finite(const tr_raw_images *images, const void *x, int64_t image,
                              tr_error *err)
{
    const float *values = x;
    for (int64_t i = 0; images->pixel == TR_PIXEL_F32 && i < images->pixels; i++)
        if (!isfinite(values[i]))
            return tr_fail(err, TR_ERR_DATA,
                           "%s: %s holds %g in sample %lld, at its number %lld; expected finite "
                           "values",
                           images->path, images->name, (double)values[i], (long long)image,
                           (long long)i);
    return TR_OK;
}

tr_status tr_raw_images_read_range(const tr_raw_images *images, void *dst, int64_t first, int64_t n,
                                   tr_error *err)
{
    const size_t bytes = tr_raw_image_bytes(images);
    TR_TRY(read_bytes(images, dst, place_of(images, first), (size_t)n * bytes, err));
    TR_TRY(tr_raw_images_check(images, err));
    for (int64_t i = 0; i < n; i++)
        TR_TRY(check_finite(images, (unsigned char *)dst + (size_t)i * bytes, first + i, err));
    return TR_OK;
}

/* How many of the images from index[0] on lie one after the other. */
static int64_t run_length(const uint32_t *index, int64_t n)
{
    int64_t length = 1;
    while (length < n && index[length] == (uint64_t)index[0] + (uint64_t)length)
        length++;
    return length;
}

tr_status tr_raw_images_read(const tr_raw_images *images, void *dst, const uint32_t *index,
                             int64_t n, tr_error *err)
{
    const size_t bytes = tr_raw_image_bytes(images);
    unsigned char *to = dst;
    for (int64_t i = 0, length; i < n; i += length) {
        length = run_length(index + i, n - i);
        TR_TRY(read_bytes(images, to + (size_t)i * bytes, place_of(images, index[i]),
                          (size_t)length * bytes, err));
    }
    TR_TRY(tr_raw_images_check(images, err)); /* what was read is what the file had all the time */
    for (int64_t i = 0; i < n; i++)
        TR_TRY(check_finite(images, to + (size_t)i * bytes, index[i], err));
    return TR_OK;
}

void tr_raw_images_announce(const tr_raw_images *images, const uint32_t *index, int64_t n)
{
    const int64_t bytes = (int64_t)tr_raw_image_bytes(images);
    for (int64_t i = 0, length; i < n; i += length) {
        length = run_length(index + i, n - i);
        posix_fadvise(images->fd, place_of(images, index[i]), length * bytes, POSIX_FADV_WILLNEED);
    }
}
