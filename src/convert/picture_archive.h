/* picture_archive.h -- pictures in an archive: .tar, packed or not, or .zip.
 *
 * Either folders as on disk (picture_list.h), perhaps with one around all of them; or WebDataset's
 * pairs KEY.jpg and KEY.cls, whose text is the class: a number, or a name. All of it is read in
 * child processes, in the order of the archive; nothing is unpacked.
 */
#ifndef TR_PICTURE_ARCHIVE_H
#define TR_PICTURE_ARCHIVE_H

#include "picture_list.h"
#include "trainer/status.h"

/* Lists the pictures; their ordinals are their places in the archive. TR_ERR_DATA: no archive, a
 * damaged one, and what tr_picture_list_finish() says. */
tr_status tr_picture_list_archive(tr_picture_list *list, const char *path, tr_error *err);

/* ---- in a child ---- */

/* An archive that is gone through from the beginning. Zeroed: not opened yet. */
typedef struct tr_archive_walk {
    void *archive;
    int64_t next; /* ordinal */
} tr_archive_walk;

/* The bytes of an entry, behind those that were read before; to be freed with tr_free(). `picture`:
 * what it is called where it is at fault. The walk ends with the process. */
tr_status tr_archive_read_entry(tr_archive_walk *walk, const char *path, const char *picture,
                                int64_t ordinal, uint8_t **bytes, size_t *n, tr_error *err);

#endif
