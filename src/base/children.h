/* children.h -- many pieces of somebody else's data, read by several child processes at once.
 *
 * As child.h, for folders of thousands of files: a child takes one item after the other, each n-th
 * of all, and puts what it makes of it into shared memory, from where it comes back in the order of
 * the items, whatever child was faster. A crash or an endless loop costs the item that did it; a
 * new child goes on behind it. Memory is a few results for each child, however many items there
 * are.
 */
#ifndef TR_CHILDREN_H
#define TR_CHILDREN_H

#include <stddef.h>
#include <stdint.h>

#include "trainer/status.h"

typedef struct tr_children_work {
    /* In a child, where no file is open but standard ones: makes result[result_bytes], which is
     * zeroed, of an item. A child's items rise. */
    tr_status (*work)(void *user, int64_t item, void *result, tr_error *err);
    /* What an item is called, for the error of one that a child died of; to be freed. */
    char *(*name)(void *user, int64_t item);
    void *user;
    int64_t n; /* items */
    size_t result_bytes;
    int n_children;
    int seconds;       /* of computing, for an item; by the clock ten times that */
    const char *reach; /* the file, or the folder with all that is in it, that they may open */
} tr_children_work;

typedef struct tr_children tr_children;

/* Copies *work. TR_ERR_INTERNAL: no memory, no processes. */
tr_status tr_children_start(tr_children **out, const tr_children_work *work, tr_error *err);

/* Waits for the next item, first 0, at most n times. TR_OK: *result is valid until the next call.
 * TR_ERR_DATA: the item is at fault, the others are not. Else nothing goes on. */
tr_status tr_children_next(tr_children *self, const void **result, tr_error *err);

void tr_children_end(tr_children *self); /* in any case; NULL is fine */

#endif
