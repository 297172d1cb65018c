/* picture_source.h -- the pictures of a folder or an archive, listed, then decoded by several child
 * processes.
 */
#ifndef TR_PICTURE_SOURCE_H
#define TR_PICTURE_SOURCE_H

#include "children.h"
#include "picture_archive.h"
#include "picture_list.h"
#include "picture_read.h"

typedef struct tr_picture_source {
    const char *path;
    tr_picture_list list;
    tr_picture_rules rules; /* h and w 0: those of the first picture, which all must have */
    bool exact;             /* they are */
    int64_t *order;         /* which picture is read when; NULL: in theirs (a folder) */
    tr_archive_walk walk;   /* of a child */
} tr_picture_source;

/* A picture that a child decoded. */
typedef struct tr_decoded_picture {
    int64_t h, w; /* before it was fitted */
    uint8_t transparent;
    uint8_t pixels[];
} tr_decoded_picture;

/* Lists them. Released also after a failure. */
tr_status tr_picture_source_open(tr_picture_source *source, const char *path,
                                 const tr_picture_rules *rules, tr_error *err);
void tr_picture_source_release(tr_picture_source *source);

/* Settles the size, where the rules leave it open. */
tr_status tr_picture_source_find_size(tr_picture_source *source, tr_error *err);

/* Starts reading: items of tr_children_next() are tr_decoded_picture, the i-th that of the list's
 * tr_picture_source_at(source, i). n_children 0: one for each CPU. */
tr_status tr_picture_source_start(tr_children **out, tr_picture_source *source, int n_children,
                                  tr_error *err);
int64_t tr_picture_source_at(const tr_picture_source *source, int64_t item);

#endif
