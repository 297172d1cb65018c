/* picture_archive.c -- see picture_archive.h. Archives are libarchive's. */
#include "picture_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "mem.h"
#include "utf8.h"

enum {
    BLOCK_BYTES = 1 << 18,
    MOST_TEXT = 1 << 27, /* names of all entries */
    MOST_ENTRIES = 1 << 24,
    MOST_CLASS = 64,
    MOST_PICTURE = 1 << 28
};

/* ---- libarchive ---- */

static tr_status fail_archive(const char *path, struct archive *archive, tr_error *err)
{
    const char *cause = archive == NULL ? NULL : archive_error_string(archive);
    return tr_fail(err, TR_ERR_DATA,
                   "%s: is no folder, and as an archive (.tar, .tar.gz, .zip) cannot be read: %s",
                   path, cause == NULL ? "damaged" : cause);
}

/* NULL: no memory. */
static struct archive *new_archive(void)
{
    struct archive *archive = archive_read_new();
    if (archive == NULL)
        return NULL;
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_zip(archive);
    return archive;
}

/* False: there is no other, or the archive is damaged (*code). */
static bool next_entry(struct archive *archive, struct archive_entry **entry, int *code)
{
    *code = archive_read_next_header(archive, entry);
    return *code == ARCHIVE_OK || *code == ARCHIVE_WARN;
}

/* As it would be unpacked, without what leads to elsewhere in front. */
static const char *name_of(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname_utf8(entry);
    if (name == NULL)
        name = archive_entry_pathname(entry);
    while (name != NULL && (*name == '/' || (name[0] == '.' && name[1] == '/')))
        name += *name == '/' ? 1 : 2;
    return name == NULL ? "" : name;
}

/* ---- the list ---- */

/* An entry: a letter (f file, d folder, l link, c class), its name, and of a class its text, each
 * closed by a zero. Shared with the child that writes it. */
typedef struct listing {
    const char *path;
    int64_t n;
    size_t used;
    char text[MOST_TEXT];
} listing;

static bool append(listing *self, const char *text)
{
    const size_t n = strlen(text) + 1;
    if (MOST_TEXT - self->used < n)
        return false;
    memcpy(self->text + self->used, text, n);
    self->used += n;
    return true;
}

/* The text of KEY.cls, without what is white. */
static void read_class(struct archive *archive, char text[MOST_CLASS])
{
    size_t used = 0;
    la_ssize_t got = 1;
    while (got > 0 && used + 1 < MOST_CLASS) {
        got = archive_read_data(archive, text + used, MOST_CLASS - 1 - used);
        used += got > 0 ? (size_t)got : 0;
    }
    while (used > 0 && isspace((unsigned char)text[used - 1]))
        used--;
    text[used] = '\0';
}

static bool list_entry(listing *self, struct archive *archive, struct archive_entry *entry)
{
    const char *name = name_of(entry);
    const int type = archive_entry_filetype(entry);
    const bool link =
        archive_entry_hardlink(entry) != NULL || (type != AE_IFREG && type != AE_IFDIR);
    const bool class = !link && type == AE_IFREG && tr_ends_in(name, ".cls");
    char text[MOST_CLASS];
    if (class)
        read_class(archive, text);
    self->n++;
    return append(self, link               ? "l"
                        : type == AE_IFDIR ? "d"
                        : class            ? "c"
                                           : "f") &&
           append(self, name) && (!class || append(self, text));
}

static tr_status list_all(listing *self, struct archive *archive, tr_error *err)
{
    struct archive_entry *entry;
    int code;
    if (archive_read_open_filename(archive, self->path, BLOCK_BYTES) != ARCHIVE_OK)
        return fail_archive(self->path, archive, err);
    while (next_entry(archive, &entry, &code))
        if (self->n == MOST_ENTRIES || !list_entry(self, archive, entry))
            return tr_fail(err, TR_ERR_DATA,
                           "%s: it has more than %d entries, or more than %d MB of names",
                           self->path, MOST_ENTRIES, MOST_TEXT >> 20);
    return code == ARCHIVE_EOF ? TR_OK : fail_archive(self->path, archive, err);
}

static tr_status list_in_child(void *user, tr_error *err)
{
    listing *self = user;
    struct archive *archive = new_archive();
    if (archive == NULL)
        return tr_out_of_memory(err, self->path);
    const tr_status status = list_all(self, archive, err);
    archive_read_free(archive);
    return status;
}

/* ---- what the entries are ---- */

typedef struct keyed {
    const char *name, *class;
    size_t key; /* bytes of the name that are its key */
    int64_t ordinal;
} keyed;

/* Up to the first dot of the last name, as WebDataset has it. */
static size_t key_of(const char *name)
{
    const char *slash = strrchr(name, '/'), *last = slash == NULL ? name : slash + 1;
    return (size_t)(last - name) + strcspn(last, ".");
}

static int by_key(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    const size_t least = x->key < y->key ? x->key : y->key;
    const int order = memcmp(x->name, y->name, least);
    return order != 0 ? order : (x->key > y->key) - (x->key < y->key);
}

/* Digits of the largest number, 0 where a class is none. */
static int width_of(const keyed *classes, int64_t n)
{
    size_t width = 0;
    for (int64_t i = 0; i < n; i++) {
        const size_t digits = strspn(classes[i].class, "0123456789");
        if (digits == 0 || classes[i].class[digits] != '\0')
            return 0;
        width = digits > width ? digits : width;
    }
    return (int)width;
}

/* Numbers get zeros in front, so that they are sorted as numbers. */
static tr_status add_keyed(tr_picture_list *list, const keyed *picture, const char *class,
                           int width, tr_error *err)
{
    const int zeros = width - (int)strlen(class);
    if (class[0] == '\0' || class[0] == '.' || strchr(class, '/') != NULL) {
        char name[512], text[MOST_CLASS];
        tr_utf8_clean(name, sizeof name, picture->name);
        tr_utf8_clean(text, sizeof text, class);
        return tr_fail(err, TR_ERR_DATA, "%s: its class is \"%s\"; expected a number or a name",
                       name, text);
    }
    char *path = tr_format("%.*s%s/%s", zeros > 0 ? zeros : 0,
                           "0000000000000000000000000000000000000000000000000000000000000000",
                           class, picture->name);
    if (path == NULL)
        return tr_out_of_memory(err, NULL);
    const tr_status status = tr_picture_list_add(list, path, picture->ordinal, err);
    tr_free(path);
    return status;
}

static tr_status add_pairs(tr_picture_list *list, keyed *files, int64_t n, keyed *classes,
                           int64_t n_classes, tr_error *err)
{
    const int width = width_of(classes, n_classes);
    qsort(classes, (size_t)n_classes, sizeof *classes, by_key);
    for (int64_t i = 0; i < n; i++) {
        const keyed *class =
            bsearch(&files[i], classes, (size_t)n_classes, sizeof *classes, by_key);
        if (class != NULL && tr_is_picture_name(files[i].name))
            TR_TRY(add_keyed(list, &files[i], class->class, width, err));
        else
            TR_TRY(tr_picture_list_add(list, files[i].name, files[i].ordinal, err));
    }
    return TR_OK;
}

typedef struct entries {
    keyed *files, *classes;
    int64_t n_files, n_classes;
} entries;

/* The next text, or NULL: what a child wrote is looked at, not believed. */
static const char *take(const listing *self, size_t *at, size_t used)
{
    const char *text = self->text + *at;
    const size_t n = strnlen(text, used - *at);
    if (n == used - *at)
        return NULL;
    *at += n + 1;
    return text;
}

static bool sort_out(entries *out, tr_picture_list *list, const listing *self, int64_t n,
                     size_t used, tr_error *err)
{
    size_t at = 0;
    for (int64_t i = 0; i < n; i++) {
        const char *kind = take(self, &at, used),
                   *name = kind == NULL ? NULL : take(self, &at, used);
        const char *class = name == NULL || *kind != 'c' ? "" : take(self, &at, used);
        if (name == NULL || class == NULL)
            return false;
        const keyed one = {.name = name, .class = class, .key = key_of(name), .ordinal = i};
        const size_t length = strlen(name);
        if (*kind == 'c')
            out->classes[out->n_classes++] = one;
        else if (*kind == 'f' && length > 0)
            out->files[out->n_files++] = one;
        else if (*kind == 'd' && length > 0 && name[length - 1] == '/') {
            if (tr_picture_list_add(list, name, i, err) != TR_OK)
                return false;
        } else if (*kind == 'l')
            tr_picture_list_skip(list, "links");
    }
    return true;
}

static tr_status fill_list(tr_picture_list *list, const listing *self, tr_error *err)
{
    const int64_t n = self->n;
    const size_t used = self->used;
    if (n < 0 || n > MOST_ENTRIES || used > MOST_TEXT || (uint64_t)n > used)
        return fail_archive(self->path, NULL, err);
    entries all = {.files = tr_alloc((size_t)n, sizeof *all.files),
                   .classes = tr_alloc((size_t)n, sizeof *all.classes)};
    tr_status status =
        all.files == NULL || all.classes == NULL ? tr_out_of_memory(err, self->path) : TR_OK;
    if (status == TR_OK && !sort_out(&all, list, self, n, used, err))
        status = fail_archive(self->path, NULL, err);
    if (status == TR_OK)
        status = add_pairs(list, all.files, all.n_files, all.classes, all.n_classes, err);
    tr_free(all.files);
    tr_free(all.classes);
    return status;
}

tr_status tr_picture_list_archive(tr_picture_list *list, const char *path, tr_error *err)
{
    listing *shared = tr_shared_alloc(1, sizeof *shared);
    if (shared == NULL)
        return tr_out_of_memory(err, path);
    shared->path = path;
    tr_status status = tr_in_child(list_in_child, shared, path, err);
    shared->path = path;
    if (status == TR_OK)
        status = fill_list(list, shared, err);
    tr_shared_free(shared);
    return status == TR_OK ? tr_picture_list_finish(list, path, true, err) : status;
}

/* ---- reading ---- */

static tr_status read_all(struct archive *archive, const char *picture, uint8_t **bytes, size_t *n,
                          tr_error *err)
{
    size_t used = 0, room = 0;
    la_ssize_t got = 1;
    while (got > 0) {
        if (room - used < BLOCK_BYTES) {
            const size_t more = room == 0 ? BLOCK_BYTES : 2 * room;
            if (more > MOST_PICTURE)
                return tr_fail(err, TR_ERR_DATA, "%s: is larger than %d MiB", picture,
                               MOST_PICTURE >> 20);
            uint8_t *grown = tr_realloc(*bytes, used, more, 1);
            if (grown == NULL)
                return tr_out_of_memory(err, picture);
            *bytes = grown;
            room = more;
        }
        got = archive_read_data(archive, *bytes + used, room - used);
        used += got > 0 ? (size_t)got : 0;
    }
    *n = used;
    if (got >= 0)
        return TR_OK;
    const char *cause = archive_error_string(archive);
    return tr_fail(err, TR_ERR_DATA, "%s: cannot be read from the archive: %s", picture,
                   cause == NULL ? "damaged" : cause);
}

tr_status tr_archive_read_entry(tr_archive_walk *walk, const char *path, const char *picture,
                                int64_t ordinal, uint8_t **bytes, size_t *n, tr_error *err)
{
    struct archive_entry *entry;
    int code;
    if (walk->archive == NULL) {
        walk->archive = new_archive();
        if (walk->archive == NULL)
            return tr_out_of_memory(err, path);
        if (archive_read_open_filename(walk->archive, path, BLOCK_BYTES) != ARCHIVE_OK)
            return fail_archive(path, walk->archive, err);
    }
    for (bool found = false; !found; walk->next++) {
        if (!next_entry(walk->archive, &entry, &code))
            return tr_fail(err, TR_ERR_INTERNAL, "%s: was changed while it was read", path);
        found = walk->next == ordinal;
    }
    return read_all(walk->archive, picture, bytes, n, err);
}
