/* raw_images.h -- images that lie in a file in one piece, as the network's batches are made of
 * them: bytes, or float32 of this machine. Reading one is a pread(), without HDF5.
 *
 * The file is kept open, and what was once seen of it has to stay so: one that is truncated,
 * written to or replaced is an error of the next read, never other pixels. Thread-safe, as nothing
 * is written to after opening.
 */
#ifndef TR_RAW_IMAGES_H
#define TR_RAW_IMAGES_H

#include <sys/types.h>
#include <time.h>

#include "trainer/dataset.h"

typedef struct tr_raw_images {
    int fd; /* -1: closed */
    char *path, *name;
    dev_t device;
    ino_t inode;
    struct timespec changed;
    int64_t file_bytes;
    int64_t offset; /* of image 0 */
    int64_t n, pixels;
    tr_pixel pixel;
} tr_raw_images;

/* Opens the file at `path` and remembers what it is; which images, the caller fills in afterwards:
 * offset, n, pixels, pixel. `name`: of the array, for messages. Close also after a failure. */
tr_status tr_raw_images_open(tr_raw_images *out, const char *path, const char *name, tr_error *err);
void tr_raw_images_close(tr_raw_images *images); /* a zeroed one is fine */

size_t tr_raw_image_bytes(const tr_raw_images *images);

/* TR_ERR_DATA when the file is no longer what it was. */
tr_status tr_raw_images_check(const tr_raw_images *images, tr_error *err);

/* Images index[0 .. n-1] into dst, one after the other. Floats must be finite. */
tr_status tr_raw_images_read(const tr_raw_images *images, void *dst, const uint32_t *index,
                             int64_t n, tr_error *err);

/* The same of the n images from `first` on. */
tr_status tr_raw_images_read_range(const tr_raw_images *images, void *dst, int64_t first, int64_t n,
                                   tr_error *err);

/* They are going to be read: the disk may begin. */
void tr_raw_images_announce(const tr_raw_images *images, const uint32_t *index, int64_t n);

#endif
