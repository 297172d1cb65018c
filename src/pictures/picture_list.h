/* picture_list.h -- which pictures there are, of which class and part, told by their paths.
 *
 *     cat/1.jpg  cat/more/2.png  dog/1.jpg                      a folder for each class
 *     train/cat/1.jpg  test/cat/1.jpg  validation/dog/7.jpg     and for each part (also val, valid,
 *                                                               in capitals where all are parts)
 *
 * A picture is told by the end of its name; what else there is, is counted by kind, and so are
 * hidden files. Classes are sorted by the bytes of their names (UTF-8: as Python sorts), pictures
 * by part, class and path: the order that a file system happens to have shows nowhere.
 */
#ifndef TR_PICTURE_LIST_H
#define TR_PICTURE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trainer/status.h"

enum { TR_PART_TRAIN, TR_PART_TEST, TR_PART_VALIDATION, TR_PARTS };

typedef struct tr_listed_picture {
    size_t path;     /* in `text` */
    int64_t ordinal; /* what the finder called it: its place in an archive */
    int32_t class;
    int8_t part;
} tr_listed_picture;

enum { TR_SKIPPED_KINDS = 12, TR_SKIPPED_KIND = 16 };

/* ".txt", "hidden", "links" (that lead elsewhere), and how many of them; the last one is all
 * others. */
typedef struct tr_skipped {
    char kind[TR_SKIPPED_KIND];
    int64_t n;
} tr_skipped;

typedef struct tr_picture_list {
    char *text; /* paths from the folder on, each closed by a zero */
    size_t n_text, room;
    tr_listed_picture *pictures;
    int64_t n;
    int64_t n_of_part[TR_PARTS];
    bool has_parts;
    char **classes;
    int64_t n_classes;
    char **empty; /* folders for a class in which no picture is */
    int64_t n_empty;
    size_t *folders; /* in `text` */
    int64_t n_folders;
    tr_skipped skipped[TR_SKIPPED_KINDS];
} tr_picture_list;

/* Released also after a failure; a zeroed one is fine. */
void tr_picture_list_release(tr_picture_list *list);

/* ---- by hand ---- */

/* A file, or a folder where the path ends in '/'. TR_ERR_INTERNAL: no memory. */
tr_status tr_picture_list_add(tr_picture_list *list, const char *path, int64_t ordinal,
                              tr_error *err);

/* Counts one that is not read. */
void tr_picture_list_skip(tr_picture_list *list, const char *kind);

/* When all are added: parts, classes, order. `whole`: a folder that all paths begin with is none of
 * a class (archives have one around everything). TR_ERR_DATA: no pictures, one class only, a class
 * that is not in the training part. `path`: of all of it, for messages. */
tr_status tr_picture_list_finish(tr_picture_list *list, const char *path, bool whole,
                                 tr_error *err);

/* ---- a folder ---- */

/* All pictures in a folder and those below it, as above. Links to files within it are followed,
 * others are not. */
tr_status tr_picture_list_folder(tr_picture_list *list, const char *path, tr_error *err);

/* The same before it is finished: no parts, no classes, in any order. */
tr_status tr_picture_list_walk(tr_picture_list *list, const char *path, tr_error *err);

/* Is that the name of a picture that can be read, by its end? */
bool tr_is_picture_name(const char *name);

#endif
