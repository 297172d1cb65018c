/* image_file.c -- which format, how large, and its pixels; see image_file.h.
 *
 * As with datasets, two visits in a child process: the first tells the size, for which room is made
 * that both processes see, the second fills it.
 */
#include "image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "image_decode.h"
#include "mem.h"

enum { LARGEST_FILE = 1 << 28 };

typedef struct image_visit {
    const char *path;
    int channels;
    int64_t h, w;     /* told by the first visit */
    uint8_t *pixels;  /* [h,w,channels] filled by the second; NULL: this is the first */
    bool transparent; /* told by the second */
} image_visit;

typedef struct image_format {
    const char *name, *magic;
    const char *(*size)(tr_image_bytes file, int64_t *h, int64_t *w);
    const char *(*decode)(uint8_t *dst, tr_image_bytes file, int64_t h, int64_t w, int channels,
                          bool *transparent);
} image_format;

static const image_format formats[] = {
    {"PNG", "\x89PNG", tr_stb_size, tr_stb_decode},
    {"JPEG", "\xff\xd8\xff", tr_stb_size, tr_stb_decode},
    {"BMP", "BM", tr_stb_size, tr_stb_decode},
    {"PGM", "P2", tr_pnm_size, tr_pnm_decode},
    {"PGM", "P5", tr_pnm_size, tr_pnm_decode},
    {"PPM", "P3", tr_pnm_size, tr_pnm_decode},
    {"PPM", "P6", tr_pnm_size, tr_pnm_decode},
};

/* ---- the file's bytes ---- */

static tr_status fail_to_read(const char *path, const char *found, tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA, "%s: %s; expected a PNG, JPEG, BMP, PGM or PPM picture", path,
                   found);
}

/* The whole file into *bytes, to be freed also after a failure. */
static tr_status read_open_file(uint8_t **bytes, size_t *n, int fd, const char *path, tr_error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return fail_to_read(path, strerror(errno), err);
    if (S_ISDIR(info.st_mode))
        return fail_to_read(path, "is a folder", err);
    if (!S_ISREG(info.st_mode))
        return fail_to_read(path, "is not a regular file", err);
    if (info.st_size == 0)
        return fail_to_read(path, "is empty (0 bytes)", err);
    if (info.st_size > LARGEST_FILE)
        return fail_to_read(path, "is larger than 256 MiB", err);
    *n = (size_t)info.st_size;
    *bytes = tr_alloc(*n, 1);
    if (*bytes == NULL)
        return tr_out_of_memory(err, path);
    for (size_t at = 0; at < *n;) {
        const ssize_t got = read(fd, *bytes + at, *n - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fail_to_read(path, got < 0 ? strerror(errno) : "became shorter", err);
        at += (size_t)got;
    }
    return TR_OK;
}

/* O_NONBLOCK: a pipe that nobody writes to must not stop us. */
static tr_status read_file(uint8_t **bytes, size_t *n, const char *path, tr_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return fail_to_read(path, "no such file", err);
    if (fd < 0)
        return tr_fail(err, TR_ERR_DATA, "%s: cannot be read: %s", path, strerror(errno));
    const tr_status status = read_open_file(bytes, n, fd, path, err);
    close(fd);
    return status;
}

/* ---- what is in them ---- */

static const image_format *find_format(tr_image_bytes file)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        const size_t n = strlen(formats[i].magic);
        if (file.n > n && memcmp(file.bytes, formats[i].magic, n) == 0)
            return &formats[i];
    }
    return NULL;
}

static tr_status fail_format(const char *path, tr_image_bytes file, tr_error *err)
{
    char found[64];
    size_t used = (size_t)snprintf(found, sizeof found, "begins with the bytes");
    for (size_t i = 0; i < 8 && i < file.n; i++)
        used += (size_t)snprintf(found + used, sizeof found - used, " %02x", file.bytes[i]);
    return fail_to_read(path, found, err);
}

/* `format`: "PNG ", or "". */
static tr_status check_size(const char *path, const char *format, int64_t h, int64_t w,
                            tr_error *err)
{
    if (h < 1 || w < 1)
        return tr_fail(err, TR_ERR_DATA, "%s: is a %spicture of %lld x %lld pixels: it is empty",
                       path, format, (long long)h, (long long)w);
    if (h > TR_IMAGE_SIDE || w > TR_IMAGE_SIDE || h * w > TR_IMAGE_AREA)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: is a %spicture of %lld x %lld pixels; at most %d on a side and %d in "
                       "all are read: make it smaller",
                       path, format, (long long)h, (long long)w, TR_IMAGE_SIDE, TR_IMAGE_AREA);
    return TR_OK;
}

static tr_status find_size(image_visit *visit, const image_format *format, tr_image_bytes file,
                           tr_error *err)
{
    char name[8];
    const char *fault = format->size(file, &visit->h, &visit->w);
    if (fault != NULL)
        return tr_fail(err, TR_ERR_DATA, "%s: begins like a %s picture, but cannot be read: %s",
                       visit->path, format->name, fault);
    snprintf(name, sizeof name, "%s ", format->name);
    return check_size(visit->path, name, visit->h, visit->w, err);
}

/* In the child. */
static tr_status visit_file(void *user, tr_error *err)
{
    image_visit *visit = user;
    uint8_t *bytes = NULL;
    size_t n = 0;
    tr_status status = read_file(&bytes, &n, visit->path, err);
    const tr_image_bytes file = {bytes, n};
    const image_format *format = status == TR_OK ? find_format(file) : NULL;
    if (status == TR_OK && format == NULL) {
        status = fail_format(visit->path, file, err);
    } else if (status == TR_OK && visit->pixels == NULL) {
        status = find_size(visit, format, file, err);
    } else if (status == TR_OK) {
        const char *fault = format->decode(visit->pixels, file, visit->h, visit->w, visit->channels,
                                           &visit->transparent);
        if (fault != NULL)
            status =
                tr_fail(err, TR_ERR_DATA,
                        "%s: is a %s picture of %lld x %lld pixels, but cannot be decoded: "
                        "%s; the file is damaged or incomplete",
                        visit->path, format->name, (long long)visit->h, (long long)visit->w, fault);
    }
    tr_free(bytes);
    return status;
}

/* `visit` is shared with the children, which tell what they find in it; what they wrote is copied
 * before it is believed. */
static tr_status read_in_child(tr_image *out, image_visit *visit, tr_error *err)
{
    const char *path = visit->path;
    const int channels = visit->channels;
    TR_TRY(tr_in_child(visit_file, visit, path, err));
    tr_image image = {.h = visit->h, .w = visit->w, .c = channels};
    TR_TRY(check_size(path, "", image.h, image.w, err));
    image.pixels = tr_shared_alloc((size_t)(image.h * image.w), (size_t)channels);
    if (image.pixels == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory for %lld x %lld pixels", path,
                       (long long)image.h, (long long)image.w);
    *visit = (image_visit){
        .path = path, .channels = channels, .h = image.h, .w = image.w, .pixels = image.pixels};
    const tr_status status = tr_in_child(visit_file, visit, path, err);
    image.transparent = visit->transparent;
    if (status == TR_OK)
        *out = image;
    else
        tr_image_release(&image);
    return status;
}

tr_status tr_image_file_read(tr_image *out, const char *path, int channels, tr_error *err)
{
    if (channels != 1 && channels != 3)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: a picture file gives 1 channel (grey) or 3 (red, green, blue), not %d",
                       path, channels);
    image_visit *visit = tr_shared_alloc(1, sizeof *visit);
    if (visit == NULL)
        return tr_out_of_memory(err, path);
    *visit = (image_visit){.path = path, .channels = channels};
    const tr_status status = read_in_child(out, visit, err);
    tr_shared_free(visit);
    return status;
}
