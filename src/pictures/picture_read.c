/* picture_read.c -- which format, and its pixels; see picture_read.h.
 *
 * Where the size is not given, two visits in a child process: the first tells it, for room that
 * both processes see, the second fills that.
 */
#include "picture_read.h"

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

typedef struct image_format {
    const char *name, *magic;
    tr_image_decoder *decode;
} image_format;

static const image_format formats[] = {
    {"JPEG", "\xff\xd8\xff", tr_jpeg_decode},
    {"PNG", "\x89PNG", tr_png_decode},
    {"GIF", "GIF8", tr_stb_decode},
    {"BMP", "BM", tr_stb_decode},
    {"PGM", "P2", tr_pnm_decode},
    {"PGM", "P5", tr_pnm_decode},
    {"PPM", "P3", tr_pnm_decode},
    {"PPM", "P6", tr_pnm_decode},
};

/* ---- the file's bytes ---- */

static tr_status fail_to_read(const char *path, const char *found, tr_error *err)
{
    return tr_fail(err, TR_ERR_DATA, "%s: %s; expected a JPEG, PNG, GIF, BMP, PGM or PPM picture",
                   path, found);
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

/* `file` begins as that format does. */
static tr_status decode(tr_picture_visit *visit, const image_format *format, tr_image_bytes file,
                        tr_error *err)
{
    tr_row_sink sink = {.rules = &visit->rules, .dst = visit->pixels};
    const char *fault = format->decode(file, &sink);
    if (fault == NULL && sink.n_rows != sink.stored_h)
        fault = "it ends early";
    tr_rows_end(&sink);
    visit->h = sink.h;
    visit->w = sink.w;
    visit->transparent = sink.transparent;
    if (fault == NULL || fault == tr_rows_size_known)
        return TR_OK;
    return sink.stored_h == 0
               ? tr_fail(err, TR_ERR_DATA, "%s: begins like a %s picture, but cannot be read: %s",
                         visit->path, format->name, fault)
               : tr_fail(err, TR_ERR_DATA,
                         "%s: is a %s picture of %lld x %lld pixels, but cannot be read: %s",
                         visit->path, format->name, (long long)sink.stored_h,
                         (long long)sink.stored_w, fault);
}

tr_status tr_picture_visit_bytes(tr_picture_visit *visit, const uint8_t *bytes, size_t n,
                                 tr_error *err)
{
    const tr_image_bytes file = {bytes, n};
    if (n == 0)
        return fail_to_read(visit->path, "is empty (0 bytes)", err);
    const image_format *format = find_format(file);
    return format != NULL ? decode(visit, format, file, err) : fail_format(visit->path, file, err);
}

tr_status tr_picture_visit_file(tr_picture_visit *visit, tr_error *err)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    tr_status status = read_file(&bytes, &n, visit->path, err);
    if (status == TR_OK)
        status = tr_picture_visit_bytes(visit, bytes, n, err);
    tr_free(bytes);
    return status;
}

/* ---- from outside ---- */

static tr_status visit_in_child(void *user, tr_error *err)
{
    return tr_picture_visit_file(user, err);
}

/* What a child told, or a caller wants. */
static tr_status check_size(const char *path, int64_t h, int64_t w, tr_error *err)
{
    if (h >= 1 && w >= 1 && h <= TR_IMAGE_SIDE && w <= TR_IMAGE_SIDE &&
        h * w <= TR_IMAGE_WHOLE_AREA)
        return TR_OK;
    return tr_fail(err, TR_ERR_DATA,
                   "%s: %lld x %lld pixels are no size for a picture in memory, which is 1 to %d "
                   "of them; give a smaller size",
                   path, (long long)h, (long long)w, TR_IMAGE_WHOLE_AREA);
}

/* `visit` is shared with the children, which tell what they find in it; what they wrote is copied
 * before it is believed. */
static tr_status read_in_child(tr_image *out, tr_picture_visit *visit, const char *path,
                               tr_picture_rules rules, tr_error *err)
{
    *visit = (tr_picture_visit){.path = path, .rules = rules};
    if (rules.h == 0) {
        TR_TRY(tr_in_child(visit_in_child, visit, path, err));
        rules.h = visit->h;
        rules.w = visit->w;
        rules.fit = TR_FIT_STRETCH;
    }
    TR_TRY(check_size(path, rules.h, rules.w, err));
    tr_image image = {.h = rules.h, .w = rules.w, .c = rules.channels};
    image.pixels = tr_shared_alloc((size_t)(image.h * image.w), (size_t)image.c);
    if (image.pixels == NULL)
        return tr_fail(err, TR_ERR_INTERNAL, "%s: out of memory for %lld x %lld pixels", path,
                       (long long)image.h, (long long)image.w);
    *visit = (tr_picture_visit){.path = path, .rules = rules, .pixels = image.pixels};
    const tr_status status = tr_in_child(visit_in_child, visit, path, err);
    image.transparent = visit->transparent;
    if (status == TR_OK)
        *out = image;
    else
        tr_image_release(&image);
    return status;
}

tr_status tr_picture_read(tr_image *out, const char *path, const tr_picture_rules *rules,
                          tr_error *err)
{
    if (rules->channels != 1 && rules->channels != 3)
        return tr_fail(err, TR_ERR_DATA,
                       "%s: a picture file gives 1 channel (grey) or 3 (red, green, blue), not %d",
                       path, rules->channels);
    tr_picture_visit *visit = tr_shared_alloc(1, sizeof *visit);
    if (visit == NULL)
        return tr_out_of_memory(err, path);
    const tr_status status = read_in_child(out, visit, path, *rules, err);
    tr_shared_free(visit);
    return status;
}
