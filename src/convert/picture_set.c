/* picture_set.c -- see picture_set.h.
 *
 *     superblock, classes, labels, attributes | x_train | x_test | x_validation
 *
 * HDF5 makes the front part in memory when all is known (h5_hollow.h); the pixels behind it are
 * written by us as they come.
 */
#include "picture_set.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "digest.h"
#include "h5_attributes.h"
#include "h5_hollow.h"
#include "h5_write.h"
#include "mem.h"

enum { ALIGNMENT = 4096, ATTRIBUTES = 1 << 16, SLAB_BYTES = 1 << 20, MOST_LABEL = 4 };

static const struct {
    const char *x, *y;
} names[TR_PARTS] = {
    {"x_train", "y_train"}, {"x_test", "y_test"}, {"x_validation", "y_validation"}};

static int64_t aligned(int64_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* What the front part needs at most. */
static int64_t room_for(const int64_t n[TR_PARTS], const tr_picture_facts *facts)
{
    int64_t bytes = ATTRIBUTES, longest = 0;
    for (int i = 0; i < TR_PARTS; i++)
        bytes += n[i] * MOST_LABEL;
    for (int64_t i = 0; i < facts->n_classes; i++) {
        const int64_t length = (int64_t)strlen(facts->classes[i]);
        longest = length > longest ? length : longest;
    }
    return aligned(bytes + facts->n_classes * (longest + 1));
}

tr_status tr_picture_set_open(tr_picture_set *set, const char *path, const int64_t n[TR_PARTS],
                              const tr_picture_facts *facts, tr_error *err)
{
    const tr_picture_rules *rules = &facts->rules;
    *set = (tr_picture_set){.file = {.folder = -1, .fd = -1},
                            .picture_bytes = (size_t)(rules->h * rules->w * rules->channels),
                            .room = room_for(n, facts)};
    int64_t offset = set->room;
    for (int i = 0; i < TR_PARTS; i++) {
        tr_picture_part *part = &set->parts[i];
        *part = (tr_picture_part){.n = n[i], .offset = offset};
        offset = aligned(offset + n[i] * (int64_t)set->picture_bytes);
        part->y = tr_alloc((size_t)n[i], sizeof *part->y);
        if (part->y == NULL)
            return tr_out_of_memory(err, path);
        memset(part->y, 0xff, (size_t)n[i] * sizeof *part->y);
    }
    return tr_new_file_open(&set->file, path, err);
}

void tr_picture_set_release(tr_picture_set *set)
{
    tr_new_file_discard(&set->file);
    for (int i = 0; i < TR_PARTS; i++)
        tr_free(set->parts[i].y);
    *set = (tr_picture_set){.file = {.folder = -1, .fd = -1}};
}

static int64_t offset_of(const tr_picture_set *set, const tr_picture_part *part, int64_t place)
{
    return part->offset + place * (int64_t)set->picture_bytes;
}

tr_status tr_picture_set_put(tr_picture_set *set, int part, int64_t place, int32_t class,
                             const uint8_t *pixels, tr_error *err)
{
    set->parts[part].y[place] = class;
    return tr_new_file_write_at(&set->file, pixels, set->picture_bytes,
                                offset_of(set, &set->parts[part], place), err);
}

/* ---- the end ---- */

static tr_status close_gaps(tr_picture_set *set, tr_picture_part *part, uint8_t *pixels,
                            tr_error *err)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < part->n; i++) {
        if (part->y[i] < 0)
            continue;
        if (kept < i) {
            TR_TRY(tr_new_file_read_at(&set->file, pixels, set->picture_bytes,
                                       offset_of(set, part, i), err));
            TR_TRY(tr_new_file_write_at(&set->file, pixels, set->picture_bytes,
                                        offset_of(set, part, kept), err));
            part->y[kept] = part->y[i];
        }
        kept++;
    }
    part->n = kept;
    return TR_OK;
}

/* Over the pixels of all parts, as they stand in the file. */
static tr_status add_pixels(const tr_picture_set *set, const tr_picture_part *part, uint8_t *slab,
                            tr_digest *digest, tr_error *err)
{
    const int64_t end = offset_of(set, part, part->n);
    for (int64_t at = part->offset; at < end; at += SLAB_BYTES) {
        const size_t n = end - at < SLAB_BYTES ? (size_t)(end - at) : SLAB_BYTES;
        TR_TRY(tr_new_file_read_at(&set->file, slab, n, at, err));
        tr_digest_add(digest, slab, n);
    }
    return TR_OK;
}

static tr_status settle(tr_picture_set *set, char text[TR_DIGEST_TEXT], tr_error *err)
{
    const size_t n = set->picture_bytes > SLAB_BYTES ? set->picture_bytes : SLAB_BYTES;
    uint8_t *slab = tr_alloc(n, 1);
    tr_digest *digest = tr_digest_new();
    tr_status status =
        slab == NULL || digest == NULL ? tr_out_of_memory(err, set->file.path) : TR_OK;
    for (int i = 0; i < TR_PARTS && status == TR_OK; i++) {
        status = close_gaps(set, &set->parts[i], slab, err);
        if (status == TR_OK)
            status = add_pixels(set, &set->parts[i], slab, digest, err);
    }
    if (status == TR_OK)
        tr_digest_text(digest, text);
    tr_digest_free(digest);
    tr_free(slab);
    return status;
}

/* What becomes the front part. */
typedef struct front {
    const tr_picture_set *set;
    const tr_picture_facts *facts;
    const char *digest;
    tr_h5_hollow *arrays;
    int *n_arrays;
} front;

static bool put_attributes(const front *self, hid_t file)
{
    const tr_picture_rules *rules = &self->facts->rules;
    char size[64];
    snprintf(size, sizeof size, "%lldx%lld", (long long)rules->h, (long long)rules->w);
    return tr_h5_write_text(file, "source", "pictures", H5T_CSET_UTF8) &&
           tr_h5_write_text(file, "creator", "trainer convert images", H5T_CSET_UTF8) &&
           tr_h5_write_text(file, "picture_size", size, H5T_CSET_UTF8) &&
           tr_h5_write_text(file, "picture_fit", tr_fit_names[rules->fit], H5T_CSET_UTF8) &&
           tr_h5_write_int(file, "picture_channels", rules->channels) &&
           tr_h5_write_text(file, "pixels_digest", self->digest, H5T_CSET_UTF8);
}

/* In the smallest type that all classes fit into. */
static tr_status put_labels(const front *self, int i, hid_t file, tr_error *err)
{
    const tr_picture_part *part = &self->set->parts[i];
    const int64_t most = self->facts->n_classes - 1;
    const hid_t stored = most < 256 ? H5T_STD_U8LE : most < 65536 ? H5T_STD_U16LE : H5T_STD_I32LE;
    return tr_h5_write_dataset(file, names[i].y, 1, &part->n, stored, H5T_NATIVE_INT32, part->y,
                               err);
}

static tr_status fill(const void *user, hid_t file, tr_error *err)
{
    const front *self = user;
    const tr_picture_rules *rules = &self->facts->rules;
    for (int i = 0; i < TR_PARTS; i++) {
        const tr_picture_part *part = &self->set->parts[i];
        if (part->n == 0)
            continue;
        tr_h5_hollow *array = &self->arrays[(*self->n_arrays)++];
        *array = (tr_h5_hollow){.name = names[i].x,
                                .n_dims = 4,
                                .dims = {part->n, rules->h, rules->w, rules->channels},
                                .offset = part->offset};
        TR_TRY(tr_h5_write_hollow(file, array, err));
        TR_TRY(put_labels(self, i, file, err));
    }
    TR_TRY(tr_h5_write_texts(file, "class_names", (const char *const *)self->facts->classes,
                             self->facts->n_classes, err));
    return put_attributes(self, file) ? TR_OK : tr_h5_write_failed(err, "the attributes");
}

/* Behind the last pixel. */
static int64_t end_of(const tr_picture_set *set)
{
    int64_t end = set->room;
    for (int i = 0; i < TR_PARTS; i++)
        if (set->parts[i].n > 0)
            end = offset_of(set, &set->parts[i], set->parts[i].n);
    return end;
}

static tr_status write_front(tr_picture_set *set, void *image, size_t n, const tr_h5_hollow *arrays,
                             int n_arrays, tr_error *err)
{
    const int64_t end = end_of(set);
    if ((int64_t)n > set->room)
        return tr_fail(err, TR_ERR_INTERNAL, "%s: its head of %zu bytes is larger than planned",
                       set->file.path, n);
    TR_TRY(tr_h5_place_hollow(image, n, arrays, n_arrays, end, err));
    TR_TRY(tr_new_file_write_at(&set->file, image, n, 0, err));
    /* Gaps that were closed may have left something behind it. */
    if (ftruncate(set->file.fd, end) != 0)
        return tr_fail(err, TR_ERR_IO, "%s: cannot be cut to its length: %s", set->file.path,
                       strerror(errno));
    return tr_new_file_put(&set->file, err);
}

tr_status tr_picture_set_finish(tr_picture_set *set, const tr_picture_facts *facts, tr_error *err)
{
    char digest[TR_DIGEST_TEXT];
    tr_h5_hollow arrays[TR_PARTS];
    int n_arrays = 0;
    void *image = NULL;
    size_t n = 0;
    TR_TRY(settle(set, digest, err));
    const front all = {set, facts, digest, arrays, &n_arrays};
    TR_TRY(tr_h5_make_image(&image, &n, fill, &all, err));
    const tr_status status = write_front(set, image, n, arrays, n_arrays, err);
    tr_free(image);
    return status;
}
