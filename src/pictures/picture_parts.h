/* picture_parts.h -- the folders train, test and validation around the classes of a list of
 * pictures, and one around everything.
 *
 * For picture_list.c, which finishes the list.
 */
#ifndef TR_PICTURE_PARTS_H
#define TR_PICTURE_PARTS_H

#include "picture_list.h"

/* Of the first name in a path, in any case; *rest: what follows. -1: it is no part. */
int tr_part_of(const char *path, const char **rest);

/* The path from its class on. */
const char *tr_class_path(const tr_picture_list *list, const tr_listed_picture *picture);

/* "photos/" where every path begins so and goes on with a folder. */
void tr_picture_list_drop_wrapper(tr_picture_list *list);

/* Parts of all pictures; those that lie in no class go. TR_ERR_DATA: classes beside parts, parts
 * without train. */
tr_status tr_picture_list_find_parts(tr_picture_list *list, const char *path, tr_error *err);

#endif
