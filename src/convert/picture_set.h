/* picture_set.h -- the HDF5 file that pictures become, written one by one.
 *
 * Each picture has its place from the beginning, so they can come in any order and none is kept in
 * memory; the gaps of those that could not be read are closed in the end.
 */
#ifndef TR_PICTURE_SET_H
#define TR_PICTURE_SET_H

#include "file.h"
#include "picture_fit.h"
#include "picture_list.h"
#include "trainer/status.h"

typedef struct tr_picture_part {
    int64_t n;      /* places, in the end pictures */
    int64_t offset; /* of its first byte in the file */
    int32_t *y;     /* [n] classes; -1: the place is empty */
} tr_picture_part;

typedef struct tr_picture_set {
    tr_new_file file;
    size_t picture_bytes;
    int64_t room; /* for all but pixels, in front */
    tr_picture_part parts[TR_PARTS];
} tr_picture_set;

/* What stands in the file beside pixels and classes. */
typedef struct tr_picture_facts {
    tr_picture_rules rules;
    char *const *classes;
    int64_t n_classes;
} tr_picture_facts;

/* Room for n[] pictures. */
tr_status tr_picture_set_open(tr_picture_set *set, const char *path, const int64_t n[TR_PARTS],
                              const tr_picture_facts *facts, tr_error *err);
tr_status tr_picture_set_put(tr_picture_set *set, int part, int64_t place, int32_t class,
                             const uint8_t *pixels, tr_error *err);
/* Closes gaps and puts the file in place. */
tr_status tr_picture_set_finish(tr_picture_set *set, const tr_picture_facts *facts, tr_error *err);
void tr_picture_set_release(
    tr_picture_set *set); /* in any case; nothing is left of an unfinished one */

#endif
